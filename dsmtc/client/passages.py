"""What can be asked of the planner about what passed: the fleet as it was, and what changed when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypedDict
from urllib.parse import urlencode

from dsmtc.client.caller import Caller


class Passage(NamedTuple):
    """That a part entered a state.

    Attributes:
        at: when, seconds since the epoch.
        host: where; empty for the planner itself.
        slice: whose; empty for a node.
        part: ``node``, ``container``, ``agent``, ``application:A``, ``version:A``, a wish for one, or
            ``planner``.
        state: which.
        reason: why, as far as it was said; empty from a planner of before.
    """

    at: float
    host: str
    slice: str
    part: str
    state: str
    reason: str = ""


class Passed(NamedTuple):
    """What passed in a time.

    Attributes:
        since, until: seconds since the epoch.
        more: there is more: ask again from ``until`` on.
        changes: in order.
    """

    since: float
    until: float
    more: bool
    changes: list[Passage]


class Sample(TypedDict):
    """How many instances were in which state at a moment."""

    at: float
    running: int
    failed: int
    waiting: int
    unknown: int


class Series(TypedDict):
    """Samples at equal distances."""

    since: float
    until: float
    samples: list[Sample]


class _Parts(TypedDict):
    parts: list[list[object]]


class _Changes(TypedDict):
    since: float
    until: float
    more: bool
    changes: list[list[object]]


class _Course(TypedDict):
    hosts: dict[str, list[list[object]]]


class Passages(Caller):
    """Requests about what passed. A time that is left out: from a day ago until now."""

    def fleet_at(self, at: float | None = None, *, slice_: str = "") -> list[Passage]:
        """How every node, layer and wish was at a moment (seconds since the epoch), and since when."""
        found = self.call("GET", f"/v1/past/fleet?{_query(at=at, slice=slice_)}", shape=_Parts)
        return _passages(found["parts"])

    def changes(
        self, *, since: float | None = None, until: float | None = None, slice_: str = "", host: str = ""
    ) -> Passed:
        """What passed from one state to another; of a slice, or a host, where one is named."""
        query = _query(since=since, until=until, slice=slice_, host=host)
        found = self.call("GET", f"/v1/past/changes?{query}", shape=_Changes)
        return Passed(found["since"], found["until"], found["more"], _passages(found["changes"]))

    def series(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        points: int = 200,
        slice_: str = "",
        application: str = "",
    ) -> Series:
        """How many instances ran, had failed or waited, at so many moments of a time."""
        query = _query(since=since, until=until, points=points, slice=slice_, application=application)
        return self.call("GET", f"/v1/past/series?{query}", shape=Series)

    def course(
        self, slice_: str, application: str, *, since: float | None = None, until: float | None = None
    ) -> dict[str, list[Passage]]:
        """Host by host, through which states an application went, and what it stands on."""
        query = _query(since=since, until=until, slice=slice_, application=application)
        hosts = self.call("GET", f"/v1/past/course?{query}", shape=_Course)["hosts"]
        return {
            host: [_passage([at, host, slice_, *rest]) for at, *rest in found]
            for host, found in hosts.items()
        }


def _query(**asked: object) -> str:
    return urlencode({name: value for name, value in asked.items() if value not in {None, ""}})


def _passages(found: Sequence[Sequence[object]]) -> list[Passage]:
    return [_passage(one) for one in found]


def _passage(one: Sequence[object]) -> Passage:
    at, *words = one
    host, slice_, part, state, *more = map(str, words)
    reason = more[0] if more else ""
    return Passage(float(at) if isinstance(at, int | float) else 0.0, host, slice_, part, state, reason)
