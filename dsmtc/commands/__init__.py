"""One file a verb: its options, one request to the planner, and how the answer looks."""
