"""What can be asked of the planner about how an application is watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice


class WatchShown(TypedDict):
    """How an application is watched, as `dsmt_core.watch.Watch`; ``changed`` after a change."""

    application: str
    check: str
    every_s: float
    timeout_s: float
    failures: int
    successes: int
    restart: str
    restarts: int
    within_s: float
    changed: NotRequired[bool]


class Watches(Caller):
    """By what applications are checked, and when they are restarted."""

    def watch(self, slice_: str, application: str) -> WatchShown:
        """How an application is watched."""
        target = of_slice(slice_, "applications", application, "watch")
        return self.call("GET", target, shape=WatchShown)

    def set_watch(self, slice_: str, application: str, watch: Mapping[str, object]) -> WatchShown:
        """Have it watched so; what is not named is as usual."""
        target = of_slice(slice_, "applications", application, "watch")
        return self.call("PUT", target, dict(watch), shape=WatchShown)
