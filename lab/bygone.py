"""A past for a crowd (`lab.crowd`), made up: what a planner would have written in hours of looking."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from dsmt_core.names import Host, Slice
from lab.crowd import APP, SLICE, Crowd
from planner.past import (
    AGENT,
    APPLICATION,
    AWAY,
    CONTAINER,
    HERE,
    NODE,
    NOWHERE,
    PLANNER,
    VERSION,
    WANTED,
    Passage,
)
from planner.store import past

_RUNNING: Final = APPLICATION + APP
_BEGUN: Final = ("requested", "instantiated", "running")


async def give_past(crowd: Crowd, *, hours: float, now: float, changes: int = 1_000) -> None:
    """Write it.

    Args:
        crowd: whose.
        hours: how long it is.
        now: where it ends, seconds since the epoch.
        changes: so many times a node or an application fails and comes back, but for what a site and a
            roll-out do.
    """
    draw = random.Random(11)  # noqa: S311 - a picture, no secret
    begin = now - hours * 3600
    told = [
        *_begun(crowd.hosts, begin),
        *_outages(crowd.hosts, begin, now, changes, draw),
        *_site_fails(crowd.hosts, begin + 0.4 * (now - begin), 0.02 * (now - begin)),
        *_rolled_out(crowd.hosts, begin + 0.7 * (now - begin), 0.1 * (now - begin), draw),
        # Nobody looked for a while.
        Passage(begin + 0.2 * (now - begin), *NOWHERE, PLANNER, AWAY),
        Passage(begin + 0.24 * (now - begin), *NOWHERE, PLANNER, HERE),
    ]
    ordered = sorted(told, key=lambda one: one.at)
    await crowd.planner.database.write(past.append, ordered, now)


def _begun(hosts: Sequence[Host], begin: float) -> Iterator[Passage]:
    yield Passage(begin, *NOWHERE, PLANNER, HERE)
    for host in hosts:
        yield Passage(begin, host, Slice(""), NODE, "alive")
        yield Passage(begin, host, SLICE, CONTAINER, "running")
        yield Passage(begin, host, SLICE, AGENT, "running")
        yield Passage(begin, host, SLICE, WANTED + APP, "running")
        yield Passage(begin, host, SLICE, _RUNNING, "running")
        yield Passage(begin, host, SLICE, VERSION + APP, "1.7-1")


def _outages(
    hosts: Sequence[Host], begin: float, end: float, changes: int, draw: random.Random
) -> Iterator[Passage]:
    for host in draw.choices(hosts, k=changes):
        at, lasts = draw.uniform(begin + 60, end), draw.expovariate(1 / 400)
        if draw.random() < 0.5:
            states = [(Slice(""), NODE, one) for one in ("suspect", "failed", "probation", "alive")]
        else:
            states = [(SLICE, _RUNNING, one) for one in ("failed", "requested", "running")]
        for place, (slice_, part, state) in enumerate(states):
            moment = at + lasts * place
            if moment < end:
                yield Passage(moment, host, slice_, part, state)


def _site_fails(hosts: Sequence[Host], at: float, lasts: float) -> Iterator[Passage]:
    site = hosts[0].split(".")[1]
    for host in hosts:
        if host.split(".")[1] == site:
            for share, state in ((0.0, "suspect"), (0.1, "failed"), (1.0, "probation"), (1.2, "alive")):
                yield Passage(at + lasts * share, host, Slice(""), NODE, state)


def _rolled_out(
    hosts: Sequence[Host], begin: float, lasts: float, draw: random.Random
) -> Iterator[Passage]:
    for place, host in enumerate(hosts):
        at = begin + lasts * place / len(hosts)
        moments = [at + draw.uniform(0, 3) + 4 * step for step in range(len(_BEGUN) + 1)]
        states = list(_BEGUN)
        if draw.random() < 0.03:
            states[-1] = "failed"
        yield Passage(moments[0], host, SLICE, VERSION + APP, "1.8-1")
        for (moment, _), state in zip(pairwise(moments), states, strict=True):
            yield Passage(moment, host, SLICE, _RUNNING, state)
