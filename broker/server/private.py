"""A private RabbitMQ: own data, ports, users and passwords; it ends with its owner.

Methods block for a bounded time; from asyncio use ``async with`` or a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import resource
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Final, Self

from broker.access import USERS
from broker.server.kept import Kept
from broker.server.management import Management
from broker.server.settings import ADMIN, LOOPBACK, PROGRAM, VHOST, Ports, environment, write_files
from dsmt_core.errors import Conflict, DeadlinePassed, DsmtError, Unavailable

_START_S: Final = 60.0
_GRACE_S: Final = 10.0
_TRIES: Final = 3
_POLL_S: Final = 0.05
# AMQP 0-9-1, 4.2.2: what a client says first; a server that is ready answers with Connection.Start.
_HELLO: Final = b"AMQP\x00\x00\x09\x01"


class PrivateBroker:
    """A RabbitMQ of one owner.

    Args:
        data_dir: its folder, made when missing; kept by `stop`, so that a later start finds its data.
        ports: fixed ports; those that are 0 (all, by default) are chosen among the free ones.
    """

    def __init__(self, data_dir: Path, *, ports: Ports | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self._asked = ports or Ports()
        self._ports = self._asked
        self._passwords = {name: secrets.token_urlsafe(24) for name in (*USERS, ADMIN)}
        self._kept = Kept(grace_s=_GRACE_S)
        self._lock: int | None = None

    @property
    def port(self) -> int:
        """Where it speaks AMQP."""
        return self._ports.amqp

    @property
    def pid(self) -> int:
        """The server's own process."""
        return self._kept.pid

    @property
    def running(self) -> bool:
        """Whether any of its processes is there."""
        return self._kept.running

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
        return f"http://{LOOPBACK}:{self._ports.management}"

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
        return f"amqp://{user}:{self._passwords[user]}@{LOOPBACK}:{self.port}/{vhost}"

    def start(self, timeout_s: float = _START_S) -> None:
        """Start it, and return when it answers; after `stop` or `kill`, with the same data and ports.

        Raises:
            Unavailable: RabbitMQ is not installed, or it did not start.
            Conflict: a port that was asked for, or the folder, is in use.
            DeadlinePassed: it did not answer within ``timeout_s``.
        """
        if not PROGRAM.exists():
            raise Unavailable(
                "RabbitMQ is not installed", hint="apt-get install rabbitmq-server, or BROKER=embedded"
            )
        self._take_folder()
        try:
            self._start_on_free_ports(time.monotonic() + timeout_s)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order; what is durable is kept. May be called twice."""
        self._kept.end()
        self._release_folder()

    def kill(self) -> None:
        """End it at once, as kill -9 would, with everything that it started. May be called twice."""
        self._kept.kill()
        self._release_folder()

    def control(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """Run ``rabbitmqctl`` for this broker; its output.

        Raises:
            DsmtError: it failed.
            DeadlinePassed: it did not end in time.
        """
        command = [str(PROGRAM.with_name("rabbitmqctl")), "--quiet", *arguments]
        try:
            done = subprocess.run(
                command,
                env=environment(self.data_dir, self._ports),
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DeadlinePassed(f"rabbitmqctl {arguments[0]} took longer than {timeout_s} s") from error
        if done.returncode:
            raise DsmtError(f"rabbitmqctl {arguments[0]} failed: {done.stderr.strip()[-300:]}")
        return done.stdout

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
            self._ports = _chosen(self._ports)
            write_files(self.data_dir, self._ports, self._passwords)
            self._start_server()
            if self._answers(deadline):
                return
            # It ended: another program may have taken a chosen port in the meantime.
            self._kept.kill()
            if attempt == _TRIES or self._ports == self._asked:
                break
            self._ports = self._asked
        raise Unavailable("RabbitMQ ended while it was starting", hint=f"see {self.data_dir / 'log'}")

    def _start_server(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Inherited by the server: near 1,000 clients it would refuse more.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            log = self.data_dir / "log" / "console.log"
            self._kept.start([str(PROGRAM)], environment(self.data_dir, self._ports), log)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def _answers(self, deadline: float) -> bool:
        """Whether it answers; False when it has ended."""
        return _until(self._speaks_amqp, self._kept, deadline) and _until(
            self._manages, self._kept, deadline
        )

    def _speaks_amqp(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((LOOPBACK, self.port), timeout=1.0) as connection,
        ):
            connection.sendall(_HELLO)
            # The method frame of Connection.Start begins with its type, 1.
            return connection.recv(1) == b"\x01"
        return False

    def _manages(self) -> bool:
        with contextlib.suppress(DsmtError):
            self.management.request("GET", "/whoami")
            return True
        return False

    def _take_folder(self) -> None:
        if self._lock is not None:
            raise Conflict(f"the broker in {self.data_dir} is running already")
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise Conflict(f"another broker runs in {self.data_dir}") from error
        self._lock = lock

    def _release_folder(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _until(answers: Callable[[], bool], kept: Kept, deadline: float) -> bool:
    while not answers():
        if not kept.running:
            return False
        if time.monotonic() > deadline:
            raise DeadlinePassed("RabbitMQ did not answer in time", hint="is the machine overloaded?")
        time.sleep(_POLL_S)
    return True


def _chosen(ports: Ports) -> Ports:
    """``ports`` with those that are 0 chosen; those that are given must be free."""
    with contextlib.ExitStack() as held:
        numbers: dict[str, int] = {}
        for field in fields(ports):
            listener = held.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            asked = getattr(ports, field.name)
            try:
                listener.bind((LOOPBACK, asked))
                listener.listen()
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                raise Conflict(f"the port {asked} is in use", hint="name another, or none") from error
            numbers[field.name] = listener.getsockname()[1]
    return replace(ports, **numbers)
