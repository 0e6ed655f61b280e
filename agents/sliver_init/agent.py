"""Keeping the deployment agent alive: started on demand, restarted when it ends, slower each time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time

from agents.sliver_init import inside
from agents.sliver_init.forking import Forking
from agents.sliver_init.programs import CannotStart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from agents.sliver_init.children import Children
    from agents.sliver_init.logs import Logs
    from agents.sliver_init.loop import Loop
    from agents.sliver_init.server import Client

FIRST_S = 0.1
MOST_S = 5.0
# An agent that lived this long was well; its next end is a new affair.
HEALTHY_S = 10.0


class Agent:
    """The one program that the init restarts by itself.

    Args:
        argv: empty when the agent runs elsewhere (the embedded world).
        env: its whole environment.
        log: where its output goes.
        inside: how it is forked (`inside.start`) once there is a configuration; empty: never.
    """

    def __init__(
        self, argv: Sequence[str], *, env: Mapping[str, str], log: str, inside: Mapping[str, Any]
    ) -> None:
        self._argv = argv
        self._inside = inside
        self._config: dict[str, Any] = {}
        self._env = env
        self._log = log
        self._wanted = False
        self._wait = FIRST_S
        self._since = 0.0
        self.pid = 0
        self.starts = 0
        self.error = ""

    def bind(self, loop: Loop, children: Children, logs: Logs) -> None:
        """Give it what it acts through."""
        self._loop, self._children, self._logs = loop, children, logs
        self._forking = Forking(loop, self._content, self._forked)

    def want(self) -> None:
        """Start it and keep it running; doing it again changes nothing."""
        if self._argv and not self._wanted:
            self._wanted = True
            self._start()

    @property
    def takes_config(self) -> bool:
        """Whether it is given its configuration in memory; otherwise it reads a file."""
        return bool(self._inside)

    def forks_offered(self, client: Client, inside_: object) -> bool:
        """Have agents forked by who is behind ``client``; whether they would be the same as one's own.

        Only a first process takes that: without walls nobody knows who offers.
        """
        if os.getpid() != 1 or not self._inside or inside_ != self._inside:
            return False
        self._forking.offered(client)
        return True

    def fork_answered(self, answer: dict[str, Any]) -> None:
        """See `Forking.answered`."""
        self._forking.answered(answer)

    def configure(self, config: dict[str, Any]) -> None:
        """What it is given from its next start on; nobody is ever told it but the agent."""
        self._config = config

    def restart(self) -> None:
        """End it politely; it is started again as after any end."""
        self._wait = FIRST_S
        if self.pid:
            _signal_group(self.pid, signal.SIGTERM)

    def give_up(self) -> None:
        """Start it no more."""
        self._wanted = False

    def _start(self) -> None:
        if self._wanted and not self.pid and not self._forking.waits:
            self._open(lambda output: self._forking.ask(output) or self._begin_here(output))

    def _begin_here(self, output: int) -> bool:
        self.pid = self._begin(output)
        self._began()
        return True

    def _open(self, begin: Callable[[int], object]) -> None:
        try:
            output = self._logs.open(self._log)
            try:
                begin(output)
            finally:
                os.close(output)
        except (CannotStart, OSError) as error:
            self.error = str(error)
            self._again()

    def _content(self) -> bytes:
        """What an agent from elsewhere is given; nothing while there is none to be."""
        if not self._wanted or not self._config:
            return b""
        return json.dumps({"env": dict(self._env), "config": self._config}).encode()

    def _forked(self, pid: int) -> None:
        if pid:
            self.pid = pid
            self._began()
        elif self._wanted:
            self._open(self._begin_here)

    def _began(self) -> None:
        self.error = ""
        self.starts += 1
        self._since = time.monotonic()
        self._children.when_ended(self.pid, self._ended)

    def _begin(self, output: int) -> int:
        if self._inside and self._config:
            return inside.start(self._inside, self._config, self._env, output)
        return self._children.start(self._argv, env=self._env, cwd="/", output=output, application=None)

    def _ended(self, pid: int, code: int) -> None:
        # What it has started for itself has no work without it, and would be there twice.
        _signal_group(pid, signal.SIGKILL)
        self.pid = 0
        self.error = f"ended with {code}"
        if time.monotonic() - self._since >= HEALTHY_S:
            self._wait = FIRST_S
        self._again()

    def _again(self) -> None:
        self._loop.later(self._wait, self._start)
        self._wait = min(self._wait * 2, MOST_S)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(pid, number)
