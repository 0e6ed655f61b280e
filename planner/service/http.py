"""Serves an ASGI application on a socket, inside an event loop that belongs to somebody else.

The socket is bound here, so that a port in use is told before anything is begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Generator
from typing import Any, Final

import uvicorn

from broker.http_connection import HttpConnection
from dsmt_core.errors import Conflict, Invalid, Unavailable
from planner.tls.deciding import is_everywhere

# A request line and its headers; no request of ours needs a tenth of it.
_HEAD_BYTES: Final = 32 << 10

_END_S: Final = 2
_AT_ONCE: Final = 500
_HANDSHAKE_S: Final = 10.0
_BACKLOG: Final = 1024


def listening(host: str, port: int) -> socket.socket:
    """A socket that is bound, so that the port is known (0 takes a free one).

    Raises:
        Conflict: the port is in use.
        Invalid: there is no such address here, or the port may not be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise Invalid(f"{host}:{port} is no address to listen on: {error.strerror}") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"the port {port} of {host} is in use",
                hint="end what listens there, or choose another with --listen (port 0 takes a free one)",
            ) from error
        raise Invalid(f"{host}:{port} cannot be listened on: {error.strerror}") from error
    return bound


def url_at(scheme: str, host: str, port: int) -> str:
    """The URL of a server."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class _Embedded(uvicorn.Server):
    """uvicorn without its grip on the signals of the process, and with a sign that it is up."""

    def __init__(self, config: uvicorn.Config, context: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self._context = context
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Give the sign."""
        # With TLS it listens itself: uvicorn lets a stranger take a minute for a handshake.
        await super().startup([] if self._context else sockets)
        for bound in (sockets or []) if self._context else []:
            self.servers.append(
                await asyncio.get_running_loop().create_server(
                    self._protocol,
                    sock=bound,
                    ssl=self._context,
                    ssl_handshake_timeout=_HANDSHAKE_S,
                    backlog=_BACKLOG,
                )
            )
        self.up.set()

    def _protocol(self) -> HttpConnection:
        return HttpConnection(config=self.config, server_state=self.server_state, app_state={})

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to the owner of the event loop."""
        yield


class HttpServer:
    """Serves ``app`` from `start` to `close`.

    Args:
        app: an ASGI application.
        bound: of `listening`; closed at the end.
        context: of TLS; None for plain text.
        name: of this machine, where the socket listens on all its addresses.
    """

    def __init__(
        self, app: Any, bound: socket.socket, context: ssl.SSLContext | None = None, name: str = ""
    ) -> None:
        self._socket = bound
        self._scheme = "https" if context else "http"
        self._name = name
        self._server = _Embedded(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                http=HttpConnection,
                h11_max_incomplete_event_size=_HEAD_BYTES,
                # An address that anybody may write into a header is none.
                proxy_headers=False,
                limit_concurrency=_AT_ONCE,
                timeout_graceful_shutdown=_END_S,
                server_header=False,
                ws="none",
            ),
            context,
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self._socket.getsockname()[:2]
        return url_at(self._scheme, self._name if is_everywhere(host) and self._name else host, port)

    async def start(self, *, within: float = 10.0) -> None:
        """Return when it answers.

        Raises:
            Unavailable: it did not come up.
        """
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="http")
        up = asyncio.ensure_future(self._server.up.wait())
        await asyncio.wait({up, self._task}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if not self._server.started:
            await self.close()
            raise Unavailable("the HTTP server did not come up", hint="see the log")

    async def ended(self) -> None:
        """Wait until it serves no more, which it does only by `close` or by an error."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """Finish what is under way, for at most two seconds, then end; may be called twice."""
        self._server.should_exit = True
        if self._task is not None:
            task, self._task = self._task, None
            await asyncio.wait({task}, timeout=_END_S + 3)
            task.cancel()
        self._socket.close()
