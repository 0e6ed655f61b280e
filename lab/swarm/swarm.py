"""A whole swarm: its nodes join over the API, a few at a time, then live until they are taken away."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, Final

import httpx

from agents.container_manager.joining import Joined
from dsmt_core.errors import DsmtError, Unavailable, from_code
from dsmt_core.names import Host
from lab.swarm.lines import Lines
from lab.swarm.node import SwarmNode
from lab.swarm.tally import Tally

# A planner answers some hundred joins a second; a hundred at once would only wait for each other.
_AT_ONCE: Final = 20
_JOIN_S: Final = 30.0
_CONNECT_S: Final = 120.0
_SITES: Final = 50


def hosts(count: int) -> list[Host]:
    """The names of so many nodes, over some sites."""
    return [Host(f"swarm{number:05}.site{number % _SITES}.example") for number in range(count)]


class Swarm:
    """The nodes.

    Args:
        planner: URL of its API.
        token: of an invitation.
        connections: one of `lab.swarm.lines.KINDS`.

    Attributes:
        tally: what they do.
    """

    def __init__(self, planner: str, token: str, *, connections: str) -> None:
        self._planner = planner
        self._token = token
        self._lines = Lines(connections)
        self._nodes: dict[Host, SwarmNode] = {}
        self._tasks: dict[Host, asyncio.Task[None]] = {}
        self.tally = Tally()

    async def start(self, names: Sequence[Host]) -> None:
        """Let nodes join and connect.

        Raises:
            DsmtError: one was refused, or did not connect.
        """
        turn = asyncio.Semaphore(_AT_ONCE)
        # A connection that was idle may be closed by the planner in the moment in which it is used again.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=self._planner, timeout=_JOIN_S, limits=limits) as client:
            await asyncio.gather(*(self._start(client, turn, host) for host in names))

    async def kill(self, host: Host) -> None:
        """A machine loses its power: its connections end, and it is silent."""
        task = self._tasks.pop(host, None)
        self._nodes.pop(host, None)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def silence(self, host: Host) -> None:
        """A machine hangs: its connections stay, and it is silent."""
        self._nodes[host].silence()

    @property
    def whole(self) -> bool:
        """Whether every connection that a node or agent has is there, after the broker was away."""
        return self._lines.whole

    def crash(self, host: Host) -> int:
        """The applications of a node die by themselves; how many."""
        return self._nodes[host].crash()

    async def close(self) -> None:
        """End all of it; may be called twice."""
        await asyncio.gather(*(self.kill(host) for host in list(self._tasks)))
        await self._lines.close_all()

    async def _start(self, client: httpx.AsyncClient, turn: asyncio.Semaphore, host: Host) -> None:
        async with turn:
            joined = await self._join(client, host)
            self.tally.joined += 1
            node = self._nodes[host] = SwarmNode(host, joined, self._lines, self.tally)
            task = self._tasks[host] = asyncio.create_task(node.run(), name=f"node {host}")
            connected = asyncio.create_task(node.connected.wait())
            await asyncio.wait({task, connected}, timeout=_CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
            connected.cancel()
            if task.done():
                task.result()
            if not node.connected.is_set():
                raise Unavailable(
                    f"{host} did not connect within {_CONNECT_S:g} s", hint="is the broker well?"
                )

    async def _join(self, client: httpx.AsyncClient, host: Host) -> Joined:
        body = {"host": host, "token": self._token, "boot_id": "1", "claim": secrets.token_hex(16)}
        try:
            answer = await client.post("/v1/nodes/join", json=body)
            said: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(
                f"the planner at {self._planner} does not answer: {error}", hint="is its URL right?"
            ) from error
        if answer.is_error:
            raise from_code(said.get("code", DsmtError.code), said.get("message", ""), said.get("hint", ""))
        return Joined(
            broker=said["broker"],
            queue=said["queue"],
            heartbeat_s=said["heartbeat_s"],
            slivers=said["slivers"],
        )
