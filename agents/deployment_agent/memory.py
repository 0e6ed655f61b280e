"""What the agent knows, on disk before it acts; a file that cannot be trusted is as good as none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agents import state_file
from agents.deployment_agent.decide import Deployments
from dsmt_core.errors import Full, Invalid

FILE: Final = "applications.json"
_LOG = logging.getLogger(__name__)


class Memory:
    """Keeps one `Deployments` on disk.

    Args:
        directory: the agent's own directory; made when it is missing.
        deployments: whose state it is.
        boot_id: which life of the machine this is.
        used: whether the sliver holds applications, as far as can be seen; asked where no state is.
    """

    def __init__(
        self,
        directory: Path,
        deployments: Deployments,
        *,
        boot_id: str,
        used: Callable[[], bool] = lambda: False,
    ) -> None:
        self._path = directory / FILE
        self._deployments = deployments
        self._boot_id = boot_id
        self._used = used
        self._saved: dict[str, Any] | None = None
        self._turn = asyncio.Lock()

    async def load(self, now: float) -> None:
        """Take back what was known; nothing of it runs any more if the machine has started again."""
        loaded = await asyncio.to_thread(self._load)
        if loaded.value is None:
            if loaded.reason or self._used():
                self._lost(loaded.reason or f"{FILE} is missing where applications are")
            return
        try:
            rebooted = loaded.value.get("boot_id") != self._boot_id
            self._deployments.load(loaded.value, now, rebooted=rebooted)
        except Invalid as error:
            aside = await asyncio.to_thread(state_file.set_aside, self._path)
            self._lost(f"{error}; {FILE} is moved aside to {aside}")

    def _lost(self, reason: str) -> None:
        _LOG.warning("%s; the planner is asked for the orders again", reason)
        self._deployments.lost()

    async def save(self) -> None:
        """Write what is known, if it has changed; afterwards it survives a power cut.

        Raises:
            Full: it cannot be written.
        """
        async with self._turn:
            value = {"boot_id": self._boot_id, **self._deployments.written()}
            if value == self._saved:
                return
            try:
                await asyncio.to_thread(state_file.save, self._path, value)
            except OSError as error:
                raise Full(
                    f"the agent's orders cannot be written: {error.strerror or error}",
                    hint=f"make room for {self._path}",
                ) from error
            self._saved = value

    def _load(self) -> state_file.Loaded:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return state_file.load(self._path)
