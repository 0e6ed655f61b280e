"""The planner's HTTP face (docs/reference/protocol.md §4): it reads, asks the planner, and writes JSON.

One file for each noun. No decision stands here, except who may ask (`access`) and how much (`limits`).
"""

from planner.api.app import create_app

__all__ = ["create_app"]
