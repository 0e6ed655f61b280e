"""The command line and shell, over HTTP only."""
