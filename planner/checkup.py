"""What is wrong with an installation, seen from the planner, and what to do about each thing. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.several import several

WELL, DOUBT, ILL = "well", "doubt", "ill"
# Below these the database and the depot soon cannot write.
FREE_SHARE: Final = 0.05
FREE_BYTES: Final = 1 << 30
LAG_S: Final = 0.5
NAMED: Final = 5
# Logs and events are put in order by these; what the way of a heartbeat takes is far less.
CLOCK_S: Final = 3.0
# Below it no application of any size can be installed there.
NODE_FREE_GB: Final = 1.0
_LONG_S: Final = 7_200.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: the thing, in a word or two.
        state: ``well``, ``doubt`` or ``ill``.
        said: how it is.
        todo: what to do; empty when nothing is.
    """

    what: str
    state: str
    said: str
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What the planner knows of itself and of the others.

    Attributes:
        version: of the planner's DSMT.
        link: to the broker.
        rounds: why rounds fail; empty: they do not.
        users: why users of the broker cannot be made; empty: they can.
        lag_s: of its event loop.
        free, size: bytes of the file system of its data.
        depot: why the depot cannot be reached; empty: it can.
        versions: node → version of its DSMT, where it said one.
        nodes: state → how many.
        clocks: node → how far its clock is ahead of the planner's, seconds, where that is known.
        rooms: node → GB that are free there, where it said so.
    """

    version: str
    link: str
    rounds: str = ""
    users: str = ""
    lag_s: float = 0.0
    free: int = 0
    size: int = 0
    depot: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, int] = field(default_factory=dict)
    clocks: Mapping[str, float] = field(default_factory=dict)
    rooms: Mapping[str, float] = field(default_factory=dict)


def findings(seen: Vitals) -> list[Finding]:
    """Everything that was looked at, whether it is well or not."""
    return [
        _broker(seen),
        _rounds(seen),
        _disk(seen),
        _depot(seen),
        _versions(seen),
        _nodes(seen),
        _clocks(seen),
        _rooms(seen),
    ]


def _broker(seen: Vitals) -> Finding:
    if seen.link != "connected":
        return Finding(
            "broker",
            ILL,
            f"the planner's link is {seen.link}",
            "start RabbitMQ, or look at its log and its alarms (memory, disk); what runs goes on meanwhile",
        )
    if seen.users:
        todo = "let the planner's user manage users of the broker; see docs/how-to/run-it-for-real.md"
        return Finding("broker", DOUBT, f"its users cannot be made: {seen.users}", todo)
    return Finding("broker", WELL, "the planner is connected")


def _rounds(seen: Vitals) -> Finding:
    if seen.rounds:
        todo = "look at the planner's log; nothing is placed or moved until rounds succeed"
        return Finding("rounds", ILL, f"they fail: {seen.rounds}", todo)
    if seen.lag_s > LAG_S:
        todo = "give its machine more processor time; it judges nobody while it is late"
        return Finding("rounds", DOUBT, f"the planner is late by {seen.lag_s * 1000:.0f} ms", todo)
    return Finding("rounds", WELL, f"they succeed; late by {seen.lag_s * 1000:.0f} ms")


def _disk(seen: Vitals) -> Finding:
    said = f"{seen.free / (1 << 30):.1f} of {seen.size / (1 << 30):.1f} GiB are free at the planner"
    if seen.free < min(FREE_BYTES, seen.size):
        todo = "make room now: dsmtc depot prune, dsmtc audit prune; without room nothing new is stored"
        return Finding("disk", ILL, said, todo)
    if seen.free < FREE_SHARE * seen.size:
        return Finding("disk", DOUBT, said, "make room: dsmtc depot prune, dsmtc audit prune")
    return Finding("disk", WELL, said)


def _depot(seen: Vitals) -> Finding:
    if seen.depot:
        todo = "start it, or name it to the planner with --depot; what is installed goes on running"
        return Finding("depot", ILL, f"it does not answer: {seen.depot}", todo)
    return Finding("depot", WELL, "it answers")


def _versions(seen: Vitals) -> Finding:
    others = {host: version for host, version in seen.versions.items() if version != seen.version}
    if not others:
        return Finding("versions", WELL, f"planner and {len(seen.versions)} nodes have {seen.version}")
    kinds = ", ".join(
        f"{count} have {version}" for version, count in Counter(others.values()).most_common(3)
    )
    named = ", ".join(sorted(others)[:NAMED]) + (" …" if len(others) > NAMED else "")
    said = f"the planner has {seen.version}; of the nodes {kinds} ({named})"
    return Finding(
        "versions", DOUBT, said, "upgrade these nodes; until then they do what their version can"
    )


def _nodes(seen: Vitals) -> Finding:
    ill = {state: count for state, count in seen.nodes.items() if state != "alive" and count}
    if not seen.nodes:
        return Finding("nodes", DOUBT, "there are none", "dsmtc nodes invite makes a token for dsmt-node")
    if not ill:
        return Finding("nodes", WELL, f"all {sum(seen.nodes.values())} answer")
    said = ", ".join(f"{count} {state}" for state, count in sorted(ill.items()))
    said = f"of {sum(seen.nodes.values())}: {said}"
    return Finding("nodes", DOUBT, said, "dsmtc nodes failed tells which, since when, and why")


def _clocks(seen: Vitals) -> Finding:
    off = {host: ahead for host, ahead in seen.clocks.items() if abs(ahead) > CLOCK_S}
    if not off:
        return Finding("clocks", WELL, f"those of {len(seen.clocks)} nodes agree with the planner's")
    worst = sorted(off, key=lambda host: (-abs(off[host]), host))
    told = [f"{host} {_span(off[host])} {'ahead' if off[host] > 0 else 'behind'}" for host in worst]
    todo = "let these nodes follow the network's time (chrony, systemd-timesyncd)"
    if len(off) > 1 and 2 * len(off) > len(seen.clocks):
        todo = (
            "it may be the planner's that is off: put its clock right and start it again; else the nodes'"
        )
    return Finding("clocks", DOUBT, f"they are not as the planner's: {several(told, NAMED)}", todo)


def _rooms(seen: Vitals) -> Finding:
    full = sorted((free, host) for host, free in seen.rooms.items() if free < NODE_FREE_GB)
    if not full:
        return Finding("disks", WELL, f"{len(seen.rooms)} nodes have room")
    todo = 'make room there, or choose by it: dsmtc plan set --base where "expr=disk_free_gb > 5"'
    return Finding("disks", DOUBT, f"nearly full: {several([host for _, host in full], NAMED)}", todo)


def _span(seconds: float) -> str:
    size = abs(seconds)
    return f"{size:.0f} s" if size < _LONG_S else f"{size / 3600:.1f} h"
