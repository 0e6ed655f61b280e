"""The health of a slice in few lines: what is done now, who does not answer, what happened last. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from dsmt_core.several import several
from dsmtc.client import ApplicationStatus, HostStatus, SliceStatus
from dsmtc.rendering.rollouts import progress
from dsmtc.rendering.table import Piece
from dsmtc.rendering.text import since

# So many hosts are named; of the others their number.
NAMED: Final = 3
# Of these an application, a container, an agent is on its way to run.
ON_THE_WAY: Final = ("requested", "instantiated", "initialized", "installed")
_DOUBTFUL: Final = ("failed", "suspect", "probation")


def headline(status: SliceStatus) -> tuple[Piece, ...]:
    """The counts: what is wanted, and how it stands; the problems stand out."""
    whole = status["running"] >= status["wanted"]
    pieces = [
        Piece(f"{status['wanted']} wanted,"),
        Piece(f"{status['running']} running,", state="running" if whole and status["wanted"] else ""),
        _counted(status["failed"], "failed,", "failed"),
        _counted(status["waiting"], "waiting", "suspect"),
    ]
    if status.get("missing"):
        pieces[-1] = pieces[-1]._replace(text=f"{pieces[-1].text},")
        pieces.append(_counted(status["missing"], "missing", "suspect"))
    return tuple(pieces)


def versions(status: SliceStatus) -> Iterator[str]:
    """For each application how many are in which state at which version, the most first."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for host, one in _applications(status):
        version = one["version"] or one["wanted_version"]
        # What was heard last from a node that failed is no news: the counts above say so, too.
        state = "failed" if host["node_state"] == "failed" else one["state"]
        found[one["application"]][f"{state} {version}".rstrip()] += 1
    for name, counts in sorted(found.items()):
        said = ", ".join(f"{number} {what}" for what, number in counts.most_common(NAMED + 1))
        more = len(counts) - NAMED - 1
        yield f"{name}: {said}{f' and {more} more kinds' if more > 0 else ''}"


def doing(status: SliceStatus, now: float) -> Iterator[str]:
    """What is being done now."""
    yield from (f"roll-out {progress(one)}" for one in status.get("rollouts", []))
    under_way: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for host in status["hosts"]:
        if host["node_state"] == "failed":
            continue
        for what, began in _under_way(host):
            under_way[what].append((host["host"], began))
    for what, where in under_way.items():
        begun = [began for _, began in where if began]
        yield f"{what} on {several([host for host, _ in where], NAMED)}{_for(min(begun, default=0.0), now)}"


def unanswering(status: SliceStatus, now: float) -> list[str]:
    """The nodes that do not answer as they should, who is silent longest first."""
    found = [host for host in status["hosts"] if host["node_state"] in _DOUBTFUL]
    found.sort(key=lambda host: host.get("heard_at", 0.0))
    return [f"{host['host']} ({host['node_state']}){_heard(host.get('heard_at'), now)}" for host in found]


def latest(status: SliceStatus, now: float) -> str:
    """The last change that was heard of; empty when none was."""
    moments: list[tuple[float, str]] = []
    for host in status["hosts"]:
        moments.append(
            (host.get("container_since", 0.0), f"container on {host['host']} {host['container']}")
        )
        moments.append((host.get("agent_since", 0.0), f"agent on {host['host']} {host['agent']}"))
    for host, one in _applications(status):
        at = one["since"]
        if isinstance(at, int | float):
            moments.append((at, f"{one['application']} on {host['host']} {one['state']}"))
    at, what = max(moments, default=(0.0, ""))
    return f"{what}, {since(at, now)} ago" if at else ""


def is_well(host: HostStatus) -> bool:
    """Whether nothing about a host is worth a person's time."""
    layers = (host["container"], host["agent"], *(one["state"] for one in host["applications"]))
    settled = all(
        one["version"] in {"", one["wanted_version"]} and not one["reason"] for one in host["applications"]
    )
    alive = host["node_state"] == "alive" and set(layers) == {"running"}
    return alive and settled and not (host["reason"] or host.get("unwell"))


def _under_way(host: HostStatus) -> Iterator[tuple[str, float]]:
    if host["container"] in ON_THE_WAY:
        yield "the sliver is made", host.get("container_since", 0.0)
    elif host["agent"] in ON_THE_WAY:
        yield "the agent begins", host.get("agent_since", 0.0)
    for one in host["applications"]:
        began = one["since"] if isinstance(one["since"], int | float) else 0.0
        if one["state"] in ON_THE_WAY:
            yield f"{one['application']} is installed ({one['state']})", began
        elif one["state"] == "running" and one["wanted"] == "stopped":
            yield f"{one['application']} is stopped", 0.0
        elif one["state"] == "running" and one["version"] not in {"", one["wanted_version"]}:
            yield f"{one['application']} goes from {one['version']} to {one['wanted_version']}", 0.0


def _applications(status: SliceStatus) -> Iterable[tuple[HostStatus, ApplicationStatus]]:
    return ((host, one) for host in status["hosts"] for one in host["applications"])


def _counted(number: int, what: str, state: str) -> Piece:
    return Piece(f"{number} {what}", state=state if number else "")


def _for(began: float, now: float) -> str:
    return f", for {since(began, now)}" if began else ""


def _heard(at: float | None, now: float) -> str:
    if at is None:
        return ""
    return f", last heard {since(at, now)} ago" if at else ", never heard"
