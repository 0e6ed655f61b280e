"""Root file systems of slivers: a tree that many share, and a layer of its own over it for each."""
