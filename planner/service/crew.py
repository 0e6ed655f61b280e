"""The tasks of the planner: each has a name and an owner that notices its death.

A task that ends by an error ends the planner (`failure`), in order: half a planner would look healthy.
Shutdown ends the tasks in the reverse order of their start, and may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final

import structlog

_END_S: Final = 5.0
_log = structlog.get_logger(__name__)


class Crew:
    """Owns tasks."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: asyncio.Future[BaseException] | None = None
        self._ending = False

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Have ``work`` done until `close`."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def failure(self) -> BaseException:
        """Wait until a task has ended by an error; that error."""
        return await asyncio.shield(self._first_failure())

    async def close(self) -> None:
        """End every task, the last one first."""
        self._ending = True
        while self._tasks:
            task = self._tasks.pop()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await asyncio.wait({task}, timeout=_END_S)

    def _first_failure(self) -> asyncio.Future[BaseException]:
        if self._failure is None:
            self._failure = asyncio.get_running_loop().create_future()
        return self._failure

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._ending or task.cancelled():
            return
        error = task.exception() or RuntimeError(f"the task {task.get_name()} ended by itself")
        _log.error("a task of the planner ended", task=task.get_name(), error=str(error), exc_info=error)
        if not self._first_failure().done():
            self._first_failure().set_result(error)
