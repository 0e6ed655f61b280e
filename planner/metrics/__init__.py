"""What the planner tells Prometheus of itself, its nodes and its slices.

Rule of this room: every metric is a row of one table, read when it is asked for; nothing is counted here.
"""

from planner.metrics.table import METRICS, Metric, PlannerMetrics

__all__ = ["METRICS", "Metric", "PlannerMetrics"]
