"""How far the audit log went, remembered outside of the database: in a file, and as an event for everybody.

Without it a log whose end was cut off, or that was computed anew, would look whole.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from dsmt_core.audit import BEGINNING, Head
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.names import PLANNER
from planner.catalogue.parts import AUDIT_HEAD, PLANNER_STATUS
from planner.service.voice import Voice

EVERY_S: Final = 60.0
KEPT: Final = 5_000
_FILE_BYTES: Final = 4 << 20
_log = structlog.get_logger(__name__)


class Heads:
    """Remembers heads.

    Args:
        path: of the file: one head a line, the latest last.
        voice: says them.
    """

    def __init__(self, path: Path, voice: Voice) -> None:
        self._path = path
        self._voice = voice
        self._last = BEGINNING

    def known(self) -> dict[int, str]:
        """Digests by number, as the file has them; a line that cannot be read is none."""
        return {head.number: head.digest for head in self._read()}

    async def run(self, look: Callable[[], Awaitable[Head]]) -> None:
        """Remember what ``look`` finds, for ever."""
        while True:
            try:
                await self.remember(await look())
            except DsmtError as error:
                _log.info("the head of the audit log was not remembered", reason=str(error))
            await asyncio.sleep(EVERY_S)

    async def remember(self, head: Head) -> None:
        """Remember a head, unless it is the one of last time; that it cannot be is told in the log."""
        if head in {self._last, BEGINNING}:
            return
        self._last = head
        try:
            await asyncio.to_thread(self._append, head)
        except OSError as error:
            _log.warning("the head of the audit log was not written", reason=str(error))
        try:
            pairs = {"number": str(head.number), "digest": head.digest}
            await self._voice.say(PLANNER_STATUS, AUDIT_HEAD, pairs, service=PLANNER)
        except DsmtError as error:
            _log.warning("the head of the audit log was not said", reason=str(error))

    def _append(self, head: Head) -> None:
        heads = self._read()
        if heads[-1:] == [head]:
            return
        if len(heads) >= 2 * KEPT:
            draft = self._path.with_name(f".{self._path.name}")
            self._write(draft, heads[-KEPT:], os.O_TRUNC)
            draft.replace(self._path)
        self._write(self._path, [head], os.O_APPEND)

    def _write(self, path: Path, heads: list[Head], how: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{head}\n" for head in heads)

    def _read(self) -> list[Head]:
        try:
            with self._path.open(errors="replace") as file:
                lines = file.read(_FILE_BYTES).splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(Head.of(line))
            except Invalid:
                continue
        return found
