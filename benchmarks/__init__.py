"""One file a question; each prints one JSON object on stdout."""
