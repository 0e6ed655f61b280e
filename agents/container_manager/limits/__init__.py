"""Limits of slivers: cgroups of version 2 or 1, or rlimits, whichever the machine has for each of them."""
