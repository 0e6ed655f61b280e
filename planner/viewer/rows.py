"""Rows of the feed: what a page knows of a node, a sliver and a slice. Pure.

A row is whole each time it is sent, so whoever has the last one of each key has the present. Its key is
(host, slice): a node has no slice, a slice no host. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsmt_core.lifecycle import State
from dsmt_core.names import Host, Slice
from planner.fleet import NODE, ApplicationSeen, Fleet, LayerSeen, NodeState, SliverSeen
from planner.plans.ground import site_of
from planner.release import said
from planner.standing import Bar
from planner.steps import Waiting
from planner.wanted import Placement, WantedSlice

Key = tuple[Host, Slice]
Row = list[Any]

NO_HOST: Final = Host("")
NODE_COLUMNS: Final = (
    *("host", "site", "latitude", "longitude", "state", "since", "standing", "standing_says", "reason"),
    "unwell",
)
SLIVER_COLUMNS: Final = (
    "host",
    "slice",
    "wanted",
    "container",
    "agent",
    "applications",
    "reason",
    "unwell",
)
LAYER_COLUMNS: Final = ("state", "since", "reason")
APPLICATION_COLUMNS: Final = (
    *("name", "state", "since", "reason", "version", "wanted_version", "wanted", "text"),
)
SLICE_COLUMNS: Final = ("slice", "managed", "plan", "hosts", "applications", "rollouts", "waiting")
_SILENT: Final = frozenset({NodeState.FAILED, NodeState.SUSPECT})
_WAITS: Final = 5
_TEXT: Final = 200
_NOTHING: Final = ApplicationSeen()


@dataclass(frozen=True, slots=True)
class Judged:
    """How a node is judged.

    Attributes:
        since: when it was.
        evidence: what was noticed of it last.
        bar: why it is out of service; None: it is in service.
    """

    since: float
    evidence: str
    bar: Bar | None


def node_row(seen: Fleet, host: Host, judged: Judged, now: float) -> Row:
    """A node.

    Args:
        seen: as folded.
        host: which; it is known.
        judged: how.
        now: seconds of the clock of ``seen``.
    """
    bar = judged.bar
    known, state = seen.known(host), seen.state(host)
    return [
        host,
        known.get("site") or site_of(host),
        _degrees(known, ("latitude", "lat"), 90.0),
        _degrees(known, ("longitude", "lon"), 180.0),
        state.value,
        round(judged.since, 3),
        bar.kind.value if bar else "",
        bar.sentence if bar else "",
        judged.evidence[:_TEXT]
        if state in {NodeState.FAILED, NodeState.SUSPECT, NodeState.PROBATION}
        else "",
        seen.healths.unwell(NODE, host, now),
    ]


def sliver_row(
    slice_: WantedSlice, seen: Fleet, host: Host, placements: Sequence[Placement], now: float
) -> Row:
    """A sliver with its layers: container, agent, and each application that is wanted or was heard of.

    Args:
        slice_: of which.
        seen: as folded.
        host: where.
        placements: of the slice on this host.
        now: seconds of the clock of ``seen``.
    """
    sliver = seen.sliver(slice_.name, host) or SliverSeen()
    placed = {one.application: one for one in placements}
    names = sorted(placed.keys() | sliver.applications.keys())
    return [
        host,
        slice_.name,
        host in slice_.hosts,
        _layer(sliver.container),
        _layer(sliver.agent),
        [_application(placed.get(name), sliver.applications.get(name), name) for name in names],
        _left(slice_, host),
        seen.healths.unwell(slice_.name, host, now),
    ]


def slice_row(slice_: WantedSlice, seen: Fleet, waiting: Sequence[Waiting]) -> Row:
    """A slice: what is wanted, and what a round holds back, the most frequent reasons first.

    That something waits for a node that is silent is told with the node.
    """
    silent = {one.host for one in waiting if one.host and seen.state(one.host) in _SILENT}
    reasons = Counter(one.reason for one in waiting if one.host not in silent)
    return [
        slice_.name,
        slice_.managed,
        slice_.plan,
        len(slice_.hosts),
        [[name, one.version, one.run.value] for name, one in sorted(slice_.applications.items())],
        [
            [name, one.phase.value, one.is_active, one.wave + 1, len(one.policy.waves), one.after.version]
            for name, one in sorted(slice_.rollouts.items())
        ],
        [[reason[:_TEXT], count] for reason, count in reasons.most_common(_WAITS)],
    ]


def hosts_of(slice_: WantedSlice, seen: Fleet) -> set[Host]:
    """Where a slice is, is to be, or has not gone from yet."""
    return {*slice_.hosts, *slice_.retired, *seen.holders(slice_.name)}


def by_host(slice_: WantedSlice) -> dict[Host, list[Placement]]:
    """The placements of a slice, host by host."""
    found: dict[Host, list[Placement]] = {}
    for one in slice_.placements:
        found.setdefault(one.host, []).append(one)
    return found


def changed_keys(
    before: WantedSlice | None,
    after: WantedSlice | None,
    placed_before: Mapping[Host, Sequence[Placement]],
    placed: Mapping[Host, Sequence[Placement]],
) -> set[Key]:
    """Which rows of a slice are others when what is wanted of it is replaced.

    Args:
        before: the slice; None: there was none.
        after: the same as it is; None: there is none any more.
        placed_before: `by_host` of the former.
        placed: and of the latter.
    """
    one = after or before
    if one is None:
        return set()
    hosts: set[Host] = set()
    hosts |= _all_hosts(before) ^ _all_hosts(after)
    if before is not None and after is not None:
        hosts |= before.hosts.keys() ^ after.hosts.keys()
    for host in placed_before.keys() | placed.keys():
        if placed_before.get(host) != placed.get(host):
            hosts.add(host)
    if before is None or after is None or before.managed != after.managed:
        hosts |= _all_hosts(one)
    return {(NO_HOST, one.name), *((host, one.name) for host in hosts)}


def _all_hosts(slice_: WantedSlice | None) -> set[Host]:
    return set() if slice_ is None else {*slice_.hosts, *slice_.retired}


def _layer(layer: LayerSeen) -> Row:
    return [layer.state.value, round(layer.since, 3), layer.reason[:_TEXT]]


def _application(placed: Placement | None, heard: ApplicationSeen | None, name: str) -> Row:
    heard = heard or _NOTHING
    given_up = heard.given_up(placed.release) if placed else ""
    reason = f"gave up {said(placed.release)}: {given_up}" if placed and given_up else heard.layer.reason
    return [
        name,
        (State.FAILED if given_up else heard.state).value,
        round(heard.gave_up_since if given_up else heard.layer.since, 3),
        (reason or heard.note)[:_TEXT],
        heard.version,
        placed.version if placed else "",
        placed.run.value if placed else "",
        heard.text[:_TEXT],
    ]


def _left(slice_: WantedSlice, host: Host) -> str:
    if host in slice_.hosts:
        return "" if slice_.managed else "the slice is not managed"
    return "it left the slice"


def _degrees(known: Mapping[str, str], names: Iterable[str], most: float) -> float | None:
    for name in names:
        try:
            degrees = float(known.get(name, ""))
        except ValueError:
            continue
        if -most <= degrees <= most:
            return round(degrees, 4)
    return None
