"""The container manager of a node: slivers made, booted, adopted and ended as the planner orders."""
