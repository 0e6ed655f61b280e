"""The planner's own depot: a process that it starts, watches and starts again.

The depot ends when its owner's pipe closes, so none is left over however the planner ends; it is started
again with the planner. It keeps its port, because nodes remember where the depot is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog

from dsmt_core.errors import Conflict, Unavailable
from planner.config import PlannerConfig
from planner.service.http import url_at
from planner.tls.deciding import is_everywhere, is_loopback

_READY_S: Final = 60.0
_END_S: Final = 5.0
_FIRST_WAIT_S: Final = 0.2
_MOST_WAIT_S: Final = 10.0
_POLL_S: Final = 0.02
_log = structlog.get_logger(__name__)


class DepotProcess:
    """Owns the process.

    Args:
        config: of the planner.
        on_url: called with the depot's URL each time it answers.
        certificate: what it shows, where it speaks TLS.
        name: of this machine, where the depot listens on all its addresses.
    """

    def __init__(
        self,
        config: PlannerConfig,
        on_url: Callable[[str], None],
        *,
        certificate: Path | None = None,
        name: str = "",
    ) -> None:
        self._certificate = certificate
        self._name = name
        self._config = config
        self._on_url = on_url
        self._directory = config.data / "depot"
        self._ready = self._directory / "ready.json"
        self._remembered = self._directory / "listen"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and return when it answers.

        Raises:
            Conflict: the port that was asked for is in use.
            Unavailable: it did not answer in time.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            await self._start(self._listen())
        except Conflict:
            if self._config.depot_listen:
                raise
            # Nodes that remember the old port find the new one when they join again.
            _log.warning("the port of the depot was taken meanwhile; another one is used")
            await self._start("127.0.0.1:0")

    async def watch(self) -> None:
        """Start it again whenever it ends, for ever; the wait grows while it does not stay."""
        wait = _FIRST_WAIT_S
        while True:
            await self._ended()
            _log.warning("the depot ended and is started again")
            await asyncio.sleep(random.uniform(0, wait))  # noqa: S311 - a pause, not a secret
            try:
                await self.start()
                wait = _FIRST_WAIT_S
            except (Conflict, Unavailable) as error:
                _log.warning("the depot does not start", reason=str(error))
                wait = min(2 * wait, _MOST_WAIT_S)

    async def close(self) -> None:
        """End it: its pipe first, then by force; may be called twice."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        for number in (0, signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await process.wait()
                return

    async def _start(self, listen: str) -> None:
        self._ready.unlink(missing_ok=True)
        arguments = ["--data", str(self._directory), "--listen", listen, "--owner-pipe"]
        arguments += ["--secret-file", str(self._config.depot_secrets), "--ready-file", str(self._ready)]
        if self._config.depot_bytes:
            arguments += ["--max-bytes", str(self._config.depot_bytes)]
        if self._config.metrics is not None:
            arguments += ["--metrics", self._config.metrics.source]
        if self._certificate is not None:
            arguments += ["--certificate", str(self._certificate)]
        elif self._config.wish.insecure or not is_loopback(listen.rpartition(":")[0].strip("[]")):
            # What it may be was decided by the planner.
            arguments += ["--insecure-plain"]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "depot.main", "run", *arguments, stdin=asyncio.subprocess.PIPE
        )
        url = await self._answering(self._process, listen)
        scheme, _, place = url.partition("://")
        self._remembered.write_text(place)
        host, _, port = place.rpartition(":")
        if is_everywhere(host.strip("[]")) and self._name:
            # Others cannot reach all addresses of this machine by that name.
            url = url_at(scheme, self._name, int(port))
        self._on_url(url)

    def _listen(self) -> str:
        if self._config.depot_listen:
            return self._config.depot_listen
        if self._remembered.exists():
            return self._remembered.read_text().strip() or "127.0.0.1:0"
        return "127.0.0.1:0"

    async def _answering(self, process: asyncio.subprocess.Process, listen: str) -> str:
        """The URL that it writes when it answers."""
        try:
            async with asyncio.timeout(_READY_S):
                while process.returncode is None:
                    if said := _read(self._ready):
                        return str(said["url"])
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            await self.close()
            raise Unavailable(f"the depot did not answer within {_READY_S:.0f} s") from None
        if process.returncode == Conflict.exit_code:
            raise Conflict(
                f"the depot cannot listen on {listen}", hint="choose another with --depot-listen"
            )
        raise Unavailable(
            f"the depot ended at once (exit code {process.returncode})", hint="see the log above"
        )

    async def _ended(self) -> None:
        """Wait until it has ended, or never was there."""
        if self._process is not None:
            await self._process.wait()


def _read(path: Path) -> dict[str, Any] | None:
    """What the ready file says; None while it is not there."""
    try:
        said: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return said
