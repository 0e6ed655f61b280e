"""The history of the tables; run to the newest at each start of the planner."""
