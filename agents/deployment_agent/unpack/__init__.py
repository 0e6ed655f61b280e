"""Unpacks archives that nobody vouches for; a program of its own that runs inside the sliver."""
