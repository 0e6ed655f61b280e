"""The one thread of this process in which kombu works, and the worlds that live in it.

kombu blocks and is not thread-safe, so everything that touches it is a job of this thread. The thread
and the worlds are there while a bus uses them.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Final

from broker.embedded.world import World
from dsmt_core.errors import Unavailable

_END_S: Final = 5.0
_lock: Final = threading.Lock()


class Engine:
    """A thread that does jobs, one after the other."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="dsmt-embedded", daemon=True)
        self.worlds: dict[str, World] = {}
        self.users = 0
        self._thread.start()

    def do(self, job: Callable[[], None]) -> None:
        """Have ``job`` done; it must not fail."""
        self._jobs.put(job)

    def end(self) -> None:
        """Do what was given so far, then end."""
        self._jobs.put(None)
        self._thread.join(_END_S)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


_engine: Engine | None = None


def enter(name: str) -> tuple[Engine, World]:
    """Begin to use the world ``name``; it is made when nobody uses it."""
    global _engine  # noqa: PLW0603 - one thread a process is the rule of this file
    with _lock:
        if _engine is None:
            _engine = Engine()
        world = _engine.worlds.setdefault(name, World(name))
        world.users += 1
        _engine.users += 1
        return _engine, world


def leave(engine: Engine, world: World) -> None:
    """Use the world no longer; with its last user it ends, and with the last of all the thread."""
    global _engine  # noqa: PLW0603
    with _lock:
        world.users -= 1
        engine.users -= 1
        if not world.users:
            del engine.worlds[world.name]
            engine.do(world.end)
        if not engine.users:
            _engine = None
            engine.end()


async def call(engine: Engine, work: Callable[[], Any], within_s: float) -> Any:
    """Do ``work`` in the engine's thread and await its result, or raise what it raises.

    Raises:
        Unavailable: not within ``within_s``.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()

    def tell(result: Any, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    def job() -> None:
        try:
            result, error = work(), None
        except Exception as raised:  # noqa: BLE001 - it is raised again where it is awaited
            result, error = None, raised
        hand_over(loop, tell, result, error)

    engine.do(job)
    try:
        async with asyncio.timeout(within_s):
            return await answer
    except TimeoutError:
        raise Unavailable("the embedded broker did not answer in time") from None


def hand_over(loop: asyncio.AbstractEventLoop, call_: Callable[..., None], *arguments: Any) -> None:
    """Have ``call_`` called in the event loop; when that has ended there is nobody to be told."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call_, *arguments)
