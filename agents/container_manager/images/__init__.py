"""Slivers out of images: DSMT's own Python brought along, and a container engine that makes them."""
