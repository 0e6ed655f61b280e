"""RabbitMQ's programs for one folder: the server, under the keeper, rabbitmqctl, and Erlang's erl_call.

A folder belongs to one owner at a time, by a lock. Methods block for a bounded time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from broker.server.kept import Kept
from broker.server.modules import loading_at_once
from broker.server.settings import PROGRAM
from dsmt_core.errors import Conflict, DeadlinePassed, DsmtError, Unavailable

_GRACE_S: Final = 10.0
_POLL_S: Final = 0.05
_AGAIN_S: Final = 0.5
_TOLD: Final = 500
# What rabbitmqctl says of a server that it did not reach: this, advice, what it has tried, its own details.
_NOT_REACHED: Final = "unable to perform an operation on node"
_TRIED: Final = "\nattempted to contact:"
_OWN: Final = "\nCurrent node details:"
# AMQP 0-9-1, 4.2.2: what a client says first; a server that is ready answers with Connection.Start.
_HELLO: Final = b"AMQP\x00\x00\x09\x01"


class Program:
    """One server of one folder.

    Args:
        folder: its own, made when missing.
        enter: a command that runs another one somewhere else, as ``nsenter --net=…`` does; empty: here.

    Attributes:
        environment: the whole one of server and rabbitmqctl; to be set before `start`.
    """

    def __init__(self, folder: Path, enter: Sequence[str] = ()) -> None:
        self.folder = folder
        self.environment: Mapping[str, str] = {}
        self._enter = tuple(enter)
        self._kept = Kept(grace_s=_GRACE_S)
        self._lock: int | None = None

    @property
    def pid(self) -> int:
        """The server's own process."""
        return self._kept.pid

    @property
    def running(self) -> bool:
        """Whether any of its processes is there."""
        return self._kept.running

    def take(self) -> None:
        """Take the folder.

        Raises:
            Unavailable: RabbitMQ is not installed.
            Conflict: another owner has the folder.
        """
        if not PROGRAM.exists():
            raise Unavailable(
                "RabbitMQ is not installed", hint="apt-get install rabbitmq-server, or BROKER=embedded"
            )
        if self._lock is not None:
            raise Conflict(f"the broker in {self.folder} is running already")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise Conflict(f"another broker runs in {self.folder}") from error
        self._lock = lock

    def start(self) -> None:
        """Start the server; its output goes to ``log/console.log``."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Inherited by the server: near 1,000 clients it would refuse more.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            log = self.folder / "log" / "console.log"
            environment = {**self.environment, "ERL_AFLAGS": loading_at_once()}
            self._kept.start([*self._enter, str(PROGRAM)], environment, log)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def until(self, answers: Callable[[], bool], deadline: float) -> bool:
        """Wait for an answer; False when the server has ended.

        Raises:
            DeadlinePassed: the monotonic clock has passed ``deadline``.
        """
        while not answers():
            if not self.running:
                return False
            if time.monotonic() > deadline:
                raise DeadlinePassed("RabbitMQ did not answer in time", hint="is the machine overloaded?")
            time.sleep(_POLL_S)
        return True

    def halt(self) -> None:
        """End every process at once, and keep the folder."""
        self._kept.kill()

    def stop(self) -> None:
        """End it in order. May be called twice."""
        self._kept.end()
        self._release()

    def kill(self) -> None:
        """End it at once, with everything that it started. May be called twice."""
        self._kept.kill()
        self._release()

    def control(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """Run ``rabbitmqctl`` for this server; its output.

        It is an Erlang of its own, and Erlang gives a connection 7 s, of which it needs some to load its
        TLS: on a machine that many others want, one that misses them is asked again while the server runs.

        Raises:
            Unavailable: it did not reach the server within ``timeout_s``, or the server has ended.
            DsmtError: it failed.
            DeadlinePassed: it did not end in time.
        """
        command = [str(PROGRAM.with_name("rabbitmqctl")), "--quiet", *arguments]
        trying = Retrying(
            stop=stop_after_delay(timeout_s),
            wait=wait_fixed(_AGAIN_S),
            retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and self.running),
            reraise=True,
        )
        return trying(self._run, command, f"rabbitmqctl {arguments[0]}", timeout_s)

    def evaluate(self, expression: str, timeout_s: float = 60.0) -> str:
        """Have this server evaluate an Erlang expression; its value as text (of a binary, make a list).

        ``rabbitmqctl eval`` does the same, but starts an Erlang of its own for it: seconds, on a machine
        that many others want half a minute. This takes hundredths of a second.

        Raises:
            DsmtError: it failed.
            DeadlinePassed: it did not end in time.
        """
        # The cookie is read from HOME: it is in no command line.
        command = ["erl_call", "-r", "-sname", self.environment["RABBITMQ_NODENAME"], "-e"]
        told = self._run(command, "erl_call", timeout_s, f"{expression}.\n").strip()
        if not told.startswith("{ok, "):
            raise DsmtError(f"the broker did not evaluate {expression}: {told[-300:]}")
        return told.removeprefix("{ok, ").removesuffix("}")

    def _run(self, command: Sequence[str], name: str, timeout_s: float, typed: str = "") -> str:
        try:
            done = subprocess.run(
                [*self._enter, *command],
                env=dict(self.environment),
                input=typed,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DeadlinePassed(f"{name} took longer than {timeout_s:g} s") from error
        if done.returncode:
            told = done.stderr or done.stdout
            failed = Unavailable if _NOT_REACHED in told else DsmtError
            raise failed(f"{name} failed: {_reason(told)}")
        return done.stdout

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _reason(told: str) -> str:
    """What a program says is wrong, in one line; of what rabbitmqctl says, not its advice."""
    first, _, rest = told[max(told.find("Error"), 0) :].strip().partition("\n")
    tried = rest.partition(_TRIED)[2].partition(_OWN)[0]
    return " ".join(f"{first} {tried or rest}".split())[:_TOLD]


def speaks_amqp(host: str, port: int, trusting: ssl.SSLContext | None = None) -> bool:
    """Whether a server there is ready for AMQP; over TLS with ``trusting``."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection((host, port), timeout=1.0) as plain,
        trusting.wrap_socket(plain, server_hostname=host) if trusting else plain as connection,
    ):
        connection.sendall(_HELLO)
        # The method frame of Connection.Start begins with its type, 1.
        return connection.recv(1) == b"\x01"
    return False
