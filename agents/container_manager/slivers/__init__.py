"""Slivers: where a slice lives on this node; one port, a driver for each way to confine it."""
