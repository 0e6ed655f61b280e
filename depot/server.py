"""Runs the ASGI application: a socket of our own, a ready file, an end on request.

Rule of this file: the program answers before the ready file appears, and ends in order within seconds:
at SIGTERM or SIGINT, or when its owner goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import json
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from broker.showing import Shown
from depot.connections import Connection
from dsmt_core.errors import Conflict, DsmtError, Invalid

_BACKLOG: Final = 128
_CONNECTIONS: Final = 512
_KEEP_ALIVE_S: Final = 15
# Transfers that go on are broken off then; a successor waits longer than that for the directory.
_END_S: Final = 3
_HANDSHAKE_S: Final = 10.0
_LOOK_S: Final = 10.0
_log = structlog.get_logger("depot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How to serve.

    Attributes:
        host: an address or a name of this machine.
        port: 0 for a free one.
        ready_file: gets ``{"url": …, "pid": …}`` when the program answers; None for none.
        owner_pipe: end when standard input does: its owner holds the other end.
        certificate: of TLS, with its key; taken over anew when it changes. None: plain text.
        insecure_plain: somebody meant that, also where others hear it.
    """

    host: str
    port: int
    ready_file: Path | None = None
    owner_pipe: bool = False
    certificate: Path | None = None
    insecure_plain: bool = False


def parse_listen(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``; an IPv6 address stands in brackets.

    Raises:
        Invalid: it is not that.
    """
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise Invalid(f"--listen {text!r} is not HOST:PORT", hint="such as 127.0.0.1:0 for a free port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        Conflict: the port is in use.
        Invalid: the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(_BACKLOG)
        opened.setblocking(False)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"the port {port} of {host} is in use", hint="end what uses it, or take another: HOST:0"
            ) from error
        raise Invalid(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return opened


def serve(app: ASGIApp, serving: Serving) -> None:
    """Serve until the end is asked for.

    Raises:
        Conflict: the port is in use.
        Invalid: the address is not one of this machine, or the certificate is none.
    """
    shown = Shown(serving.certificate) if serving.certificate else None
    opened = listening(serving.host, serving.port)
    is_loopback = serving.host.startswith("127.") or serving.host in {"::1", "localhost"}
    if not (shown or serving.insecure_plain or is_loopback):
        _log.warning(
            "tokens can be read on the way: this is plain HTTP",
            host=serving.host,
            do="--certificate, or --insecure-plain if that is meant",
        )
    with contextlib.closing(opened):
        asyncio.run(_Server(app, serving, opened, shown).run())


class _Server(uvicorn.Server):
    """uvicorn with our ends: it would pass a signal on after its shutdown and so end as if killed."""

    def __init__(self, app: ASGIApp, serving: Serving, opened: socket.socket, shown: Shown | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=_CONNECTIONS,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_END_S,
            )
        )
        self._serving = serving
        self._opened = opened
        self._shown = shown

    async def run(self) -> None:  # type: ignore[override]  # ours is a coroutine: the loop is the caller's
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        if self._serving.owner_pipe:
            _watch_owner(lambda: loop.call_soon_threadsafe(self.end))
        watch = asyncio.create_task(self._watch(self._shown)) if self._shown else None
        try:
            await self.serve(sockets=[self._opened])
        finally:
            if watch:
                watch.cancel()

    def end(self) -> None:
        """End in order, soon. May be called again."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the loop."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        # With TLS it listens itself: uvicorn lets a stranger take a minute for a handshake.
        await super().startup([] if self._shown else sockets)
        if self._shown:
            self.servers.append(await self._listening(self._opened, self._shown.context))
        if self.started and self._serving.ready_file:
            await asyncio.to_thread(
                functools.partial(
                    _write_ready, self._serving.ready_file, self._opened, secure=self._shown is not None
                )
            )

    async def _listening(self, opened: socket.socket, context: ssl.SSLContext) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: Connection(config=self.config, server_state=self.server_state, app_state={}),
            sock=opened,
            ssl=context,
            ssl_handshake_timeout=_HANDSHAKE_S,
            backlog=_BACKLOG,
        )

    async def _watch(self, shown: Shown) -> None:
        """Take a new certificate over, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                if shown.look():
                    _log.info("another certificate is shown")
            except DsmtError as error:
                _log.error("the certificate is left as it is", reason=str(error))


def _write_ready(path: Path, opened: socket.socket, *, secure: bool) -> None:
    host, port = opened.getsockname()[:2]
    named = f"[{host}]" if ":" in host else host
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    scheme = "https" if secure else "http"
    unfinished.write_text(json.dumps({"url": f"{scheme}://{named}:{port}", "pid": os.getpid()}))
    unfinished.replace(path)


def _watch_owner(gone: Callable[[], object]) -> None:
    """Call ``gone`` when standard input ends; in a thread, since no loop can watch a plain file."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):
            gone()

    threading.Thread(target=watch, name="owner", daemon=True).start()
