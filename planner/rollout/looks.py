"""How one host of a slice is, as a roll-out judges it.

Unknown is not down: a host of which nothing certain is heard is neither changed nor counted as well. So a
planner that has just started changes nothing before the hosts have spoken.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host
from planner.fleet import ApplicationSeen, Fleet, NodeState
from planner.fleet.nodes import BACK
from planner.release import ReleaseName
from planner.wanted import Placement, Run, WantedSlice

_NOTHING: Final = ReleaseName("")


class Being(StrEnum):
    """What is known of an instance.

    Attributes:
        NEW: the host joins in this round; nothing is placed there yet.
        LOST: its node has failed, or is not trusted again yet.
        UNKNOWN: nothing certain is known, or an order is on its way.
        UP: it runs as placed.
        DOWN: it does not run, or not at the release that it was told: the budget counts it already.
    """

    NEW = "new"
    LOST = "lost"
    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Look:
    """One host of the slice, and one application there.

    Attributes:
        release: as placed, by name; empty where nothing is placed yet.
        well_since: since when it is as placed, at this release; None when it is not.
        failed_since: since when it has failed at this release; None when it has not.
        reason: of its failure.
    """

    host: Host
    release: ReleaseName
    being: Being
    well_since: float | None = None
    failed_since: float | None = None
    reason: str = ""

    @property
    def is_living(self) -> bool:
        """Whether it counts as one of the slice's hosts: its node has not failed."""
        return self.being is not Being.LOST


def look(slice_: WantedSlice, seen: Fleet, host: Host, placed: Placement | None) -> Look:
    """How ``host`` is.

    Args:
        slice_: whose host it is after this round.
        seen: as folded.
        host: which.
        placed: what is committed for it; None when it joins.
    """
    if placed is None:
        return Look(host, _NOTHING, Being.NEW)
    state = seen.state(host)
    if state is not NodeState.ALIVE:
        return Look(host, placed.release, Being.LOST if state in BACK else Being.UNKNOWN)
    heard = _heard(slice_, seen, host, placed.application)
    if heard is None:
        being = Being.DOWN if _is_empty(slice_, seen, host) else Being.UNKNOWN
        return Look(host, placed.release, being)
    if heard.generation != placed.generation:
        return Look(host, placed.release, Being.UNKNOWN)
    return _confirmed(placed, heard)


def _confirmed(placed: Placement, heard: ApplicationSeen) -> Look:
    since, release = heard.layer.since, placed.release
    if given_up := heard.given_up(release):
        # The version before is back: there it stays, however well that runs.
        return Look(placed.host, release, Being.DOWN, failed_since=heard.gave_up_since, reason=given_up)
    wanted = State.RUNNING if placed.run is Run.RUNNING else State.TERMINATED
    failed = heard.state is State.FAILED and (not heard.version or heard.release == release)
    return Look(
        placed.host,
        release,
        Being.UP if heard.state is State.RUNNING and heard.release == release else Being.DOWN,
        well_since=since if heard.state is wanted and heard.release == release else None,
        failed_since=since if failed else None,
        reason=heard.layer.reason if failed else "",
    )


def _heard(slice_: WantedSlice, seen: Fleet, host: Host, name: Application) -> ApplicationSeen | None:
    """What its agent said in this life of the planner; None when it said nothing."""
    sliver = seen.sliver(slice_.name, host)
    return sliver.applications.get(name) if sliver and sliver.fresh else None


def _is_empty(slice_: WantedSlice, seen: Fleet, host: Host) -> bool:
    """Whether the application certainly is not there: the node, or the agent, has named what it has."""
    node, sliver = seen.node(host), seen.sliver(slice_.name, host)
    if sliver is not None and sliver.fresh and sliver.agent_ready:
        return True
    if node is None or node.slivers is None or node.differs_since is not None:
        return False
    return slice_.name not in node.slivers
