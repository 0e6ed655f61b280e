"""TLS of the control plane: its authority, what planner and depot show, and when plain text is allowed."""
