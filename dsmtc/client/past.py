"""What can be asked of the planner about what was: how applications, nodes and sites stood."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import urlencode

from dsmtc.client.caller import Caller


class Stood(TypedDict):
    """How instances stood over a time; all but ``share`` (0 to 1) and ``outages`` in seconds.

    Attributes:
        wanted_s: in which they were wanted to run, all together, and somebody looked.
        unknown_s: in which nobody looked.
        share: of the former in which they ran; None where nothing is known.
        longest_s: the longest time in which one did not run, a start included.
    """

    name: str
    share: float | None
    wanted_s: float
    running_s: float
    unknown_s: float
    outages: int
    longest_s: float


class Availability(TypedDict):
    """How all stood from ``since`` until ``until``, the worst first."""

    since: float
    until: float
    by: str
    rows: list[Stood]


class Pasts(Caller):
    """Requests about what was."""

    def availability(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        by: str = "application",
        slice_: str = "",
        application: str = "",
    ) -> Availability:
        """Of the time in which instances were wanted the share in which they ran.

        Args:
            since: seconds since the epoch; a day ago when left out.
            until: the same; now when left out.
            by: what is told of together: application, node or site.
            slice_: only of this one; else of all that the caller may look into.
            application: only of this one.
        """
        asked = {"since": since, "until": until, "by": by, "slice": slice_, "application": application}
        query = urlencode({name: value for name, value in asked.items() if value not in {None, ""}})
        return self.call("GET", f"/v1/past/availability?{query}", shape=Availability)
