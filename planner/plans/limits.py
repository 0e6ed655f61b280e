"""``limit``: at most so many, sticky: who is in and still qualifies stays, only losses are replaced.

Choosing anew at each evaluation would move a service around for nothing. So members come first; what is
missing is drawn from the others, the living before the doubtful before the failed, each time from the
site that has the fewest, and among equals by the host's lot, which never changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from dsmt_core.names import Host
from planner.plans.function import Call, Function, Kind, Parameter
from planner.plans.selection import Part


def _limit(call: Call) -> Part:
    parent, count = call.parts["parent"], call.counts["count"]
    members = parent.hosts & call.world.members
    chosen: list[Host] = _draw(call, members, count, [])
    chosen = _draw(call, parent.hosts - members, count, chosen)
    taken = frozenset(chosen)

    def explain(host: Host) -> str:
        if host in taken:
            return "kept: was a member" if host in members else "chosen"
        return f"over the limit of {count}" if host in parent.hosts else parent.explain(host)

    return Part(taken, explain, count - len(taken), count)


def _draw(call: Call, candidates: Collection[Host], count: int, chosen: list[Host]) -> list[Host]:
    """``chosen`` with as many of the candidates as fit below ``count``, spread over sites."""
    room = count - len(chosen)
    if len(candidates) <= room or room <= 0:
        return [*chosen, *candidates] if room > 0 else chosen
    world = call.world
    queues: dict[tuple[int, str], list[Host]] = {}
    for host in candidates:
        queues.setdefault((world.trust(host), world.site(host)), []).append(host)
    for queue in queues.values():
        queue.sort(key=lambda host: (world.lot(call.plan, host), host), reverse=True)
    at_site = Counter(map(world.site, chosen))
    taken = list(chosen)
    while queues and len(taken) < count:
        best = min(queues, key=lambda key: (key[0], at_site[key[1]], world.lot(call.plan, queues[key][-1])))
        taken.append(queues[best].pop())
        at_site[best[1]] += 1
        if not queues[best]:
            del queues[best]
    return taken


FAMILY: Final = (
    Function(
        "limit",
        _limit,
        "at most count nodes of parent; who is in stays",
        (Parameter("parent", Kind.PLAN, default="all_nodes"), Parameter("count", Kind.COUNT)),
        sticky=True,
    ),
)
