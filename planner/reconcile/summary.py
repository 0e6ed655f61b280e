"""The status of a slice for people: what is wanted, what is seen, and why they differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final

from dsmt_core.errors import DsmtError
from dsmt_core.lifecycle import State
from dsmt_core.names import Host
from planner.fleet import ApplicationSeen, Fleet, NodeState
from planner.fleet.nodes import NODE
from planner.outlook import world_of
from planner.plans import evaluate
from planner.release import said
from planner.standing import NO_BARS, Bars
from planner.steps import Waiting
from planner.stepwise import at_once
from planner.wanted import NO_PLAN, Placement, Run, WantedSlice

PORTION: Final = 250
"""Hosts in one step: a few milliseconds."""
_NOTHING: Final = ApplicationSeen()


def summary(
    wanted: WantedSlice,
    seen: Fleet,
    *,
    now: float,
    waiting: Iterable[Waiting] = (),
    bars: Bars = NO_BARS,
) -> dict[str, Any]:
    """The answer to ``GET /v1/slices/S/status`` (docs/reference/protocol.md §4), as plain JSON.

    An instance is one application on one host, or the sliver where a slice has no application yet. On a
    node that failed none counts as running, whatever was heard of it last.

    Args:
        wanted: the slice.
        seen: what is seen.
        now: seconds of the clock of ``seen``.
        waiting: what the last round about the slice held back; of other slices is left out.
        bars: which nodes are out of service.
    """
    return at_once(summing(wanted, seen, now=now, waiting=waiting, bars=bars))


def summing(
    wanted: WantedSlice,
    seen: Fleet,
    *,
    now: float,
    waiting: Iterable[Waiting] = (),
    bars: Bars = NO_BARS,
) -> Generator[None, None, dict[str, Any]]:
    """`summary` in steps of `PORTION` hosts, between which ``seen`` may change.

    Each host is as it was at its step, and the counts are those of the hosts as they are told.
    """
    mine = [one for one in waiting if one.slice == wanted.name]
    # By host: a slice may be on thousands, and each is shown.
    here: defaultdict[Host | str, list[Waiting]] = defaultdict(list)
    for one in mine:
        here[one.host].append(one)
    placed: defaultdict[Host, list[Placement]] = defaultdict(list)
    for placement in wanted.placements:
        placed[placement.host].append(placement)
    shown = _shown(wanted, seen)
    missing = _missing(wanted, seen, bars) * max(len(wanted.applications), 1)
    hosts: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for number, host in enumerate(shown, 1):
        hosts.append(_host(wanted, seen, host, now=now, held=(here.get(host, ()), placed.get(host, ()))))
        own = (host,) if host in wanted.hosts else ()
        for how in _instances(wanted, seen, own, placed.get(host, ())):
            counts[how] += 1
        if not number % PORTION:
            yield
    return {
        "slice": wanted.name,
        "managed": wanted.managed,
        "plan": wanted.plan,
        "plan_parameters": dict(wanted.plan_parameters),
        "agent": wanted.agent,
        "generation": wanted.generation,
        "wanted": counts.total() + missing,
        "running": counts["running"],
        "failed": counts["failed"],
        "waiting": counts["waiting"],
        "missing": missing,
        "hosts": hosts,
        "waiting_reasons": [_sentence(one) for one in mine],
    }


def _shown(wanted: WantedSlice, seen: Fleet) -> list[Host]:
    """The slice's hosts, and those that have not given up its sliver yet."""
    return sorted(wanted.hosts.keys() | wanted.retired.keys() | seen.holders(wanted.name))


def _host(
    wanted: WantedSlice,
    seen: Fleet,
    host: Host,
    *,
    now: float,
    held: tuple[Sequence[Waiting], Sequence[Placement]],
) -> dict[str, Any]:
    here, placements = held
    sliver = seen.sliver(wanted.name, host)
    state = seen.state(host)
    reasons = [one.reason for one in here if not one.application]
    held_back = {one.application: one.reason for one in here if one.application}
    if state is NodeState.FAILED or state is NodeState.SUSPECT:
        reasons.insert(0, f"the node has not answered for {max(now - seen.heard_at(host), 0):.0f} s")
    elif not here and host not in wanted.hosts:
        reasons = ["it left the slice" if wanted.managed else "the slice is not managed"]
    return {
        "host": host,
        "node_state": state,
        "heard_at": seen.heard_at(host),
        "container": sliver.container.state if sliver else State.UNDEFINED,
        "container_since": sliver.container.since if sliver else 0.0,
        "agent": sliver.agent.state if sliver else State.UNDEFINED,
        "agent_since": sliver.agent.since if sliver else 0.0,
        "applications": [
            _application(
                placement,
                sliver.applications.get(placement.application) if sliver else None,
                held_back.get(placement.application, ""),
            )
            for placement in placements
        ],
        "reason": reasons[0] if reasons else "",
        "unwell": _unwell(wanted, seen, host, now),
    }


def _unwell(wanted: WantedSlice, seen: Fleet, host: Host, now: float) -> list[str]:
    """What is not well with the processes of DSMT that serve the slice on a host."""
    node, agent = seen.healths.unwell(NODE, host, now), seen.healths.unwell(wanted.name, host, now)
    return [f"container manager: {one}" for one in node] + [f"agent: {one}" for one in agent]


def _application(placement: Placement, heard: ApplicationSeen | None, held_back: str) -> dict[str, Any]:
    heard = heard or _NOTHING
    given_up = heard.given_up(placement.release)
    waits = held_back if heard.state is not State.RUNNING else ""
    return {
        "application": placement.application,
        "state": heard.state,
        "version": heard.version,
        "wanted_version": placement.version,
        "configuration": heard.configuration,
        "wanted_configuration": placement.configuration,
        "wanted": placement.run,
        "text": heard.text,
        "reason": f"gave up {said(placement.release)}: {given_up}"
        if given_up
        else heard.layer.reason or waits or heard.note,
        "since": heard.layer.since,
    }


def instances(wanted: WantedSlice, seen: Fleet) -> list[str]:
    """How each wanted instance is doing: running, failed or waiting; one that is to be stopped is none."""
    return _instances(wanted, seen, wanted.hosts, wanted.placements)


def _instances(
    wanted: WantedSlice, seen: Fleet, hosts: Iterable[Host], placements: Iterable[Placement]
) -> list[str]:
    """`instances` of some of its hosts, and of what is placed on them."""
    if not wanted.applications:
        return [_sliver_is(wanted, seen, host) for host in hosts]
    return [_placed_is(seen, placement) for placement in placements if placement.run is Run.RUNNING]


def _sliver_is(wanted: WantedSlice, seen: Fleet, host: Host) -> str:
    sliver = seen.sliver(wanted.name, host)
    if seen.state(host) is NodeState.FAILED:
        return "failed"
    return _called(sliver.agent.state if sliver else State.UNDEFINED)


def _placed_is(seen: Fleet, placement: Placement) -> str:
    sliver = seen.sliver(placement.slice, placement.host)
    heard = sliver.applications.get(placement.application) if sliver else None
    if seen.state(placement.host) is NodeState.FAILED or (heard and heard.given_up(placement.release)):
        return "failed"
    return _called(heard.state if heard else State.UNDEFINED)


def _called(state: State) -> str:
    return state.value if state is State.RUNNING or state is State.FAILED else "waiting"


def _missing(wanted: WantedSlice, seen: Fleet, bars: Bars) -> int:
    """How many hosts the plan asks for beyond those of the slice."""
    if not wanted.managed or wanted.plan == NO_PLAN:
        return 0
    try:
        world = world_of(wanted, seen, bars)
        selection = evaluate(wanted.plan, wanted.plan_parameters, wanted.plans, world)
    except DsmtError:
        return 0
    return max(len(selection.hosts) + selection.missing - len(wanted.hosts), 0)


def _sentence(waiting: Waiting) -> str:
    of = " ".join(filter(None, (waiting.host, waiting.application)))
    return f"{of}: {waiting.reason}" if of else waiting.reason
