"""The swarm: a simulated fleet on a real broker, for trying out and for sizing an installation.

Nodes and agents decide by their real code, and speak and hear through the real bus; only slivers and
applications are pretended.
"""
