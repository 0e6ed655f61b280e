"""One connection to RabbitMQ, from its opening to its end; it never reconnects (`bus` does)."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pika
from pika.exceptions import AMQPConnectionError

from broker.address import Address, Endpoint
from broker.bus import Limits
from broker.rabbit.gathering import GatheringConnection
from broker.rabbit.refusals import ours
from broker.trust import trusting
from dsmt_core.errors import DsmtError, Invalid, Unavailable

# pika logs every failed attempt several times, with traces; the bus tells it once, in its health.
logging.getLogger("pika").setLevel(logging.CRITICAL)


def parameters(address: Address, endpoint: Endpoint, limits: Limits, name: str) -> Any:
    """How to connect to one of a broker's places: its URL with every time limit set.

    Args:
        address: of the broker.
        endpoint: one of its places.
        limits: times in seconds.
        name: shown in the broker's list of connections.

    Raises:
        Invalid: the URL has options that pika does not know, or an authority that is no certificate.
    """
    # pika would load the machine's list of authorities, which does not count where one is named.
    own = address.authority or address.certificate
    plain = replace(address, scheme="amqp") if own else address
    try:
        made = pika.URLParameters(plain.url(endpoint))
    except ValueError as error:
        raise Invalid(f"the broker's URL is not legal: {error}", hint="leave out what follows ?") from error
    if own:
        context = trusting(address.authority, address.certificate)
        made.ssl_options = pika.SSLOptions(context, endpoint.host)
    made.heartbeat = max(1, round(limits.heartbeat_s))
    made.blocked_connection_timeout = limits.blocked_s
    made.connection_attempts = 1
    made.socket_timeout = limits.connect_s if len(address.endpoints) == 1 else limits.reach_s
    # `Connection.open` ends an attempt before; this is for those that it could not end at once.
    made.stack_timeout = max(limits.connect_s, limits.connect_most_s)
    made.tcp_options = _tcp_options(limits)
    made.client_properties = {"connection_name": name}
    return made


def _tcp_options(limits: Limits) -> dict[str, int]:
    """How the kernel is to notice a peer that is gone, as far as this platform can."""
    wanted = {
        "TCP_KEEPIDLE": max(1, round(limits.keepalive_idle_s)),
        "TCP_KEEPINTVL": max(1, round(limits.keepalive_interval_s)),
        "TCP_KEEPCNT": limits.keepalive_probes,
        "TCP_USER_TIMEOUT": max(1, round(limits.unacknowledged_s * 1000)),
    }
    return {name: value for name, value in wanted.items() if hasattr(socket, name)}


class Slow(Unavailable):
    """The broker has accepted the connection, and did not open it in time."""


class Connection:
    """An open connection.

    Attributes:
        closed: done when it has ended, with the reason.
        on_blocked: called with True when the broker blocks publishers, with False afterwards.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[DsmtError] = loop.create_future()
        self.on_blocked: Callable[[bool], None] = lambda _blocked: None
        self._place = "the broker"
        self._opened: asyncio.Future[DsmtError | None] = loop.create_future()
        self._raw: Any = None
        self._unwanted = False

    @classmethod
    async def open(cls, parameters_: Any, within_s: float) -> Connection:
        """Connect.

        Args:
            parameters_: see `parameters`.
            within_s: how long it may take, seconds.

        Raises:
            Slow: it was accepted, and not opened in time.
            Unavailable: nothing answered in time.
            Denied: user, password or virtual host were refused.
        """
        connection = cls()
        connection._connect(parameters_)
        try:
            async with asyncio.timeout(within_s):
                error = await connection._opened
        except TimeoutError:
            accepted = connection._raw._transport is not None  # noqa: SLF001 - pika does not tell
            await connection.close(0.0)
            kind = Slow if accepted else Unavailable
            raise kind(f"the broker did not answer within {within_s:g} s") from None
        except BaseException:
            await connection.close(0.0)
            raise
        if error is not None:
            raise error
        return connection

    @property
    def raw(self) -> Any:
        """Pika's connection."""
        return self._raw

    @property
    def is_open(self) -> bool:
        """Whether it can be used."""
        return not self.closed.done() and bool(self._raw.is_open)

    @property
    def backlog(self) -> int:
        """Bytes handed over that the socket has not taken yet."""
        return int(self._raw.backlog)

    async def close(self, within_s: float) -> None:
        """End it: in order within ``within_s``, else at once; may be called twice."""
        if self._raw is None or self._raw.is_closed:
            return
        if not self._raw.is_closing:
            self._say_goodbye()
        if within_s > 0:
            await asyncio.wait({self.closed}, timeout=within_s)
        if not self._raw.is_closed:
            transport = self._raw._transport  # noqa: SLF001 - the only way to let go of a dead socket
            if transport is not None:
                transport.abort()
            await asyncio.wait({self.closed}, timeout=0.1)

    def _say_goodbye(self) -> None:
        raw = self._raw
        if self._looks_up:
            # The name is being looked up. Aborted now, pika would connect all the same once it is found,
            # and fail with a trace, or keep the socket: so it ends by its own time limit, or when it opens.
            self._unwanted = True
        elif raw.is_open or raw._transport is None:  # noqa: SLF001 - see below
            raw.close()
        else:
            # In the middle of the greetings. pika's own way to close then fails one of its assertions and
            # prints a trace; a connection that has ended by itself is what it can take.
            raw._terminate_stream(AMQPConnectionError("closed while it was opening"))  # noqa: SLF001

    @property
    def _looks_up(self) -> bool:
        """Whether the address is not known yet, so that there is no attempt that could be ended."""
        opening = self._raw._connection_workflow  # noqa: SLF001 - pika does not tell
        return opening is not None and opening._connector is None  # noqa: SLF001

    def _connect(self, parameters_: Any) -> None:
        self._place = f"{parameters_.host}:{parameters_.port}"
        self._raw = GatheringConnection(
            parameters_,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_open_error,
            on_close_callback=self._on_close,
        )
        self._raw.add_on_connection_blocked_callback(lambda *_: self.on_blocked(True))
        self._raw.add_on_connection_unblocked_callback(lambda *_: self.on_blocked(False))

    def _on_open(self, raw: Any) -> None:
        if self._unwanted:
            raw.close()
        if not self._opened.done():
            self._opened.set_result(None)

    def _on_open_error(self, _raw: Any, error: BaseException) -> None:
        if not self._opened.done():
            self._opened.set_result(ours(error, self._place))
        self._on_close(_raw, error)

    def _on_close(self, _raw: Any, error: BaseException) -> None:
        if not self.closed.done():
            self.closed.set_result(ours(error))
