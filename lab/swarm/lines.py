"""Lines: with which connection a node or an agent of the swarm speaks.

``real``: one for each, as in an installation. ``shared``: many use one, each with a queue of its own, where
connections are not what is to be tried, or descriptors are few.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from typing import Final

import broker
from broker.bus import Bus, Link
from dsmt_core.errors import Full

REAL: Final = "real"
SHARED: Final = "shared"
KINDS: Final = (REAL, SHARED)

# Each part reads one queue over a channel of its own; a connection has 2,047 of them at most.
_PARTS_A_LINE: Final = 200
# Of this process: its files, its HTTP, the broker and the planner that it starts.
_OTHERS: Final = 100
_WITHIN_S: Final = 60.0
# As many machines would shake hands side by side; here one process does, and those of a thousand at once
# would all take longer than a client waits.
_AT_ONCE: Final = 32


def needed(nodes: int, kind: str) -> int:
    """How many descriptors a swarm needs: a node has a container manager and, in a slice, an agent."""
    parts = 2 * nodes
    return _OTHERS + (parts if kind == REAL else -(-parts // _PARTS_A_LINE))


def check_descriptors(nodes: int, kind: str) -> None:
    """Allow this process what it needs.

    Raises:
        Full: it may not have so many descriptors.
    """
    wanted, (soft, hard) = needed(nodes, kind), resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise Full(
            f"{nodes} nodes with {kind} connections need {wanted} descriptors, and {hard} are allowed",
            hint=f"ulimit -n {wanted}, fewer nodes, or --connections {SHARED}; the broker needs as many",
        )
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@dataclass(slots=True)
class _Shared:
    bus: Bus
    parts: int = 0


class Lines:
    """Opens and closes them.

    Args:
        kind: `REAL` or `SHARED`.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._shared: dict[str, list[_Shared]] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE if kind == REAL else 1)
        self._open: set[Bus] = set()

    @property
    def whole(self) -> bool:
        """Whether none of them has lost its broker."""
        return all(bus.health.link is Link.CONNECTED for bus in self._open)

    async def open(self, url: str, name: str) -> Bus:
        """A bus that is connected.

        Raises:
            Unavailable, Denied, Invalid: see `broker.connected`.
        """
        async with self._turn:
            if self._kind == REAL:
                return await self._opened(url, name)
            lines = self._shared.setdefault(url, [])
            if not lines or lines[-1].parts >= _PARTS_A_LINE:
                lines.append(_Shared(await self._opened(url, f"dsmt-swarm {len(lines) + 1}")))
            lines[-1].parts += 1
            return lines[-1].bus

    async def close(self, bus: Bus) -> None:
        """The part that had it needs it no longer."""
        if self._kind == REAL:
            self._open.discard(bus)
            await bus.close()

    async def close_all(self) -> None:
        """Close what is shared."""
        lines = [line for some in self._shared.values() for line in some]
        await asyncio.gather(*(line.bus.close() for line in lines))

    async def _opened(self, url: str, name: str) -> Bus:
        bus = broker.connect(url, name=name)
        try:
            await bus.start(wait_s=_WITHIN_S)
        except BaseException:
            await bus.close()
            raise
        self._open.add(bus)
        return bus
