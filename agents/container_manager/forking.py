"""Agents for the slivers' inits out of the fork server, for as long as this manager lives.

It holds a connection to each init, which asks over it for an agent whenever it is to start one, handing two
descriptors along; it is answered with the pid. An init that gets no answer forks its agent itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from agents import local_socket
from agents.container_manager.forks import ForkServer
from agents.container_manager.limits.confinement import of_sliver
from agents.container_manager.slivers import record
from agents.container_manager.slivers.directory_driver import agent_inside
from agents.container_manager.slivers.driver import SliverDriver
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import DsmtError, Unavailable
from dsmt_core.names import Slice

_TIMEOUT_S: Final = 5.0
_LINE_BYTES: Final = 1 << 16
# What an init hands along: where the agent prints to, and where it reads its configuration.
_HANDED: Final = 2
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Line:
    """A connection to an init, and what came over it and is not looked at yet."""

    place: Place
    connection: socket.socket
    text: bytes = b""
    descriptors: deque[int] = field(default_factory=deque)

    def close(self) -> None:
        self.connection.close()
        while self.descriptors:
            os.close(self.descriptors.popleft())


class Forking:
    """Answers the inits.

    Args:
        driver: of the slivers.
    """

    def __init__(self, driver: SliverDriver) -> None:
        self._driver = driver
        self._server = ForkServer()
        # One at a time: it is the server's turn that is waited for.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="forks")
        self._lines: dict[Slice, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def attend(self, place: Place) -> None:
        """Offer agents to the init of a sliver; one that wants none, or of an older DSMT, is left alone."""
        inside = self._driver.agent_inside(place)
        if place.slice in self._lines or inside != agent_inside():
            # Made out of an image, it has a Python of its own.
            return
        try:
            connection = await asyncio.to_thread(_offered, place, dict(inside))
        except (DsmtError, OSError, ValueError) as error:
            log.info("the init of %s takes no agents from here: %s", place.slice, error)
            return
        if connection is not None:
            self.leave(place.slice)
            self._lines[place.slice] = _Line(place, connection)
            asyncio.get_running_loop().add_reader(connection, self._ready, place.slice)

    def leave(self, slice_: Slice) -> None:
        """Offer no more to that init, if anything was."""
        line = self._lines.pop(slice_, None)
        if line is not None:
            asyncio.get_running_loop().remove_reader(line.connection)
            line.close()

    async def close(self) -> None:
        """Let go; the agents live on, without the server."""
        for slice_ in list(self._lines):
            self.leave(slice_)
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
        await asyncio.to_thread(self._server.close)

    def _ready(self, slice_: Slice) -> None:
        line = self._lines[slice_]
        try:
            text, descriptors, _, _ = socket.recv_fds(
                line.connection, _LINE_BYTES, _HANDED, socket.MSG_DONTWAIT
            )
        except BlockingIOError:
            return
        except OSError:
            text, descriptors = b"", []
        line.text += text
        line.descriptors.extend(descriptors)
        if not text or len(line.text) > _LINE_BYTES:
            self.leave(slice_)
            return
        *whole, line.text = line.text.split(b"\n")
        for one in whole:
            self._told(line, one)

    def _told(self, line: _Line, text: bytes) -> None:
        with contextlib.suppress(ValueError):
            told = json.loads(text)
            # Everything else is the answer to our own last word.
            if isinstance(told, dict) and "fork" in told and len(line.descriptors) >= _HANDED:
                handed = [line.descriptors.popleft() for _ in range(_HANDED)]
                task = asyncio.create_task(self._answer(line, told["fork"], handed))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer(self, line: _Line, serial: Any, handed: list[int]) -> None:
        pid = 0
        try:
            loop = asyncio.get_running_loop()
            pid = await loop.run_in_executor(self._thread, self._forked, line.place, handed)
        except (DsmtError, OSError, RuntimeError) as error:
            log.warning("the agent of %s is forked by its init: %s", line.place.slice, error)
        finally:
            for descriptor in handed:
                os.close(descriptor)
        request = {"op": "agent", "forked": {"serial": serial, "pid": pid}}
        with contextlib.suppress(OSError):
            line.connection.sendall(json.dumps(request).encode() + b"\n")

    def _forked(self, place: Place, handed: list[int]) -> int:
        owner = self._driver.owner(place)
        pidfd = record.hold(record.load(place.init_file))
        if pidfd is None:
            raise Unavailable("its first process has ended")
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, pidfd)
            gates = []
            for gate in of_sliver(place).entry(place.mark):
                gates.append(os.open(gate, os.O_WRONLY | os.O_CLOEXEC))
                opened.callback(os.close, gates[-1])
            return self._server.fork(owner, [pidfd, *handed, *gates])


def _offered(place: Place, inside: dict[str, Any]) -> socket.socket | None:
    """A connection over which the init will ask; None when it does not want to."""
    connection = local_socket.connect(place.init_socket, timeout_s=_TIMEOUT_S)
    takes = False
    try:
        request = {"op": "agent", "forks": inside}
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n") and (chunk := connection.recv(_LINE_BYTES)):
            answer += chunk
        # Nothing at all is no answer, and no JSON.
        takes = bool(json.loads(answer).get("takes_forks"))
    finally:
        if not takes:
            connection.close()
    return connection if takes else None
