"""A private RabbitMQ: own data, ports, users and passwords; it ends with its owner.

Methods block for a bounded time; from asyncio use ``async with`` or a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Final, Self

from broker.access import USERS
from broker.address import with_authority
from broker.management import Management
from broker.server.ports import HeldPort
from broker.server.program import Program, speaks_amqp
from broker.server.settings import ADMIN, VHOST, Place, Ports, environment, write_files
from dsmt_core.errors import Conflict, DsmtError, Unavailable

# Six seconds of an idle machine, and twenty times as long on one that is busy.
_START_S: Final = 120.0
_TRIES: Final = 3
_HERE: Final = Place()


class PrivateBroker:
    """A RabbitMQ of one owner.

    Args:
        data_dir: its folder, made when missing; kept by `stop`, so that a later start finds its data.
        ports: fixed ports; those that are 0 (all, by default) are chosen among the free ones of this
            machine's loopback interface.
        place: where it lives; whoever starts it somewhere else has to reach its address.
    """

    def __init__(self, data_dir: Path, *, ports: Ports | None = None, place: Place = _HERE) -> None:
        self.data_dir = data_dir.absolute()
        self._place = place
        self._host = place.reached or place.address
        self._asked = ports or Ports()
        self._ports = self._asked
        self._held: list[HeldPort] = []
        self._passwords = {name: secrets.token_urlsafe(24) for name in (*USERS, ADMIN)}
        self._program = Program(self.data_dir, place.enter)

    @property
    def port(self) -> int:
        """Where it speaks AMQP."""
        return self._ports.amqp

    @property
    def pid(self) -> int:
        """The server's own process."""
        return self._program.pid

    @property
    def running(self) -> bool:
        """Whether any of its processes is there."""
        return self._program.running

    @property
    def planner_url(self) -> str:
        """For the planner."""
        return self.url("planner")

    @property
    def node_url(self) -> str:
        """For nodes and their slivers."""
        return self.url("node")

    @property
    def operator_url(self) -> str:
        """For operators' programs."""
        return self.url("operator")

    @property
    def application_url(self) -> str:
        """For the applications in the slivers."""
        return self.url("application")

    @property
    def management_url(self) -> str:
        """``http://HOST:PORT``, without user and password; see `admin`."""
        return f"http://{self._host}:{self._ports.management}"

    @property
    def managed_url(self) -> str:
        """The same with user and password."""
        user, password = self.admin
        return self.management_url.replace("://", f"://{user}:{password}@")

    @property
    def admin(self) -> tuple[str, str]:
        """User and password of the administrator."""
        return ADMIN, self._passwords[ADMIN]

    @property
    def management(self) -> Management:
        """Its management interface."""
        return Management(self.management_url, *self.admin)

    def url(self, user: str, vhost: str = VHOST) -> str:
        """The AMQP address for a user of `broker.access.USERS` (or the administrator)."""
        return f"amqp://{user}:{self._passwords[user]}@{self._host}:{self.port}/{vhost}"

    def secure_url(self, user: str, authority: bytes, vhost: str = VHOST) -> str:
        """The same over TLS, for who trusts this authority (DER); it needs a place with a certificate."""
        plain = self.url(user, vhost).replace("amqp://", "amqps://", 1)
        return with_authority(plain.replace(f":{self.port}/", f":{self._ports.amqps}/", 1), authority)

    def start(self, timeout_s: float = _START_S) -> None:
        """Start it, and return when it answers; after `stop` or `kill`, with the same data and ports.

        Raises:
            Unavailable: RabbitMQ is not installed, or it did not start.
            Conflict: a port that was asked for, or the folder, is in use.
            DeadlinePassed: it did not answer within ``timeout_s``.
        """
        self._program.take()
        try:
            self._start_on_free_ports(time.monotonic() + timeout_s)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order; what is durable is kept. May be called twice."""
        self._program.stop()

    def kill(self) -> None:
        """End it at once, as kill -9 would, with everything that it started. May be called twice."""
        self._program.kill()

    def control(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """Run ``rabbitmqctl`` for this broker; its output.

        Raises:
            DsmtError: it failed.
            DeadlinePassed: it did not end in time.
        """
        return self._program.control(*arguments, timeout_s=timeout_s)

    def evaluate(self, expression: str) -> str:
        """Have the broker evaluate an Erlang expression, without its full stop; the value's text.

        Raises:
            DsmtError: it failed.
            DeadlinePassed: it did not end in time.
        """
        return self._program.evaluate(expression)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        # What was confirmed is on disk; the six seconds of an ordered end would serve nobody.
        self.kill()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.kill)

    def _start_on_free_ports(self, deadline: float) -> None:
        for attempt in range(1, _TRIES + 1):
            if not self._place.enter and not self._held:
                self._ports, self._held = _chosen(self._ports)
            write_files(self.data_dir, self._ports, self._passwords, self._place)
            self._program.environment = environment(self.data_dir, self._ports, self._place)
            self._program.start()
            if self._answers(deadline):
                return
            # It ended. epmd listens on ::1 too, where a port of the same number may be somebody else's.
            self._program.halt()
            if attempt == _TRIES or self._ports == self._asked:
                break
            self._ports, self._held = self._asked, []
        raise Unavailable("RabbitMQ ended while it was starting", hint=f"see {self.data_dir / 'log'}")

    def _answers(self, deadline: float) -> bool:
        """Whether it answers; False when it has ended."""
        return self._program.until(self._speaks_amqp, deadline) and self._program.until(
            self._manages, deadline
        )

    def _speaks_amqp(self) -> bool:
        return speaks_amqp(self._host, self.port)

    def _manages(self) -> bool:
        with contextlib.suppress(DsmtError):
            self.management.request("GET", "/whoami")
            return True
        return False


def _chosen(ports: Ports) -> tuple[Ports, list[HeldPort]]:
    """``ports`` with those that are 0 chosen, and all of them held; those that are given must be free."""
    held: dict[str, HeldPort] = {}
    for field in fields(ports):
        asked = getattr(ports, field.name)
        try:
            held[field.name] = HeldPort(asked)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise Conflict(f"the port {asked} is in use", hint="name another, or none") from error
    return replace(ports, **{name: port.number for name, port in held.items()}), list(held.values())
