"""What goes on in slivers: which agents are there, what is printed, and commands that are run there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NotRequired, TypedDict, TypeVar, cast
from urllib.parse import urlencode

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice
from dsmtc.client.shape import fault, read_json

L = TypeVar("L")


class LogLine(TypedDict):
    """One line of an application on a host, and when it was printed; or why there is none (``trouble``)."""

    host: str
    at: NotRequired[str]
    text: NotRequired[str]
    trouble: NotRequired[str]


class PingLine(TypedDict):
    """What is told of a ping: how many are asked, or one host, that answered (``ms``) or did not.

    Attributes:
        asked: so many hosts; it comes first, alone.
        ms: how long the answer took, milliseconds, as the planner saw it.
        trouble: why there was none.
        node_state, heard_at: of the node then, and when it was last heard; 0: never.
        agent, agent_since: the last state of its agent, and since when.
    """

    asked: NotRequired[int]
    host: NotRequired[str]
    ms: NotRequired[float]
    trouble: NotRequired[str]
    node_state: NotRequired[str]
    heard_at: NotRequired[float]
    agent: NotRequired[str]
    agent_since: NotRequired[float]


class RunResult(TypedDict):
    """How a command ended on a host.

    Attributes:
        exit: its exit code; minus the signal that ended it.
        output: what it printed, the beginning of it where it is ``cut``.
        trouble: why it was not run, or that this is not known; empty when it was.
    """

    host: str
    exit: int
    output: str
    timed_out: bool
    cut: bool
    trouble: str


class Results(TypedDict):
    """The answer about a command."""

    results: list[RunResult]


class LookedIn(Caller):
    """What applications print, and commands that are run as they are."""

    def ping(self, slice_: str, *, at: str = "", within_s: float = 2.0) -> Iterator[PingLine]:
        """Ask the agents of a slice whether they are there; each answer as it comes.

        Args:
            slice_: of which slice.
            at: a node or a plan; empty: all.
            within_s: who has not answered by then is told as silent.
        """
        path = f"{of_slice(slice_, 'ping')}?{urlencode({'at': at, 'within_s': within_s})}"
        return self._told(path, PingLine)

    def logs(
        self,
        slice_: str,
        application: str,
        *,
        at: str = "",
        follow: bool = False,
        opened: Callable[[], None] = lambda: None,
        **chosen: float,
    ) -> Iterator[LogLine]:
        """Lines that an application printed.

        Args:
            slice_: of which slice.
            application: which.
            at: a node or a plan; empty: wherever it is.
            follow: and what comes, for ever.
            opened: called when the planner has begun to answer.
            **chosen: ``lines``: the last so many of each node; ``since_s``: only of so many seconds.
        """
        asked = {"at": at, "follow": "1" if follow else "0", **chosen}
        path = f"{of_slice(slice_, 'applications', application, 'logs')}?{urlencode(asked)}"
        return self._told(path, LogLine, opened)

    def execute(
        self, slice_: str, application: str, at: str, argv: Sequence[str], *, timeout_s: float
    ) -> list[RunResult]:
        """Run a command as an application; how it ended on each host.

        Args:
            slice_: of which slice.
            application: as which.
            at: a node or a plan.
            argv: the command.
            timeout_s: how long it may take; 0: as long as usual.
        """
        body = {"at": at, "argv": list(argv), "timeout_s": timeout_s}
        target = of_slice(slice_, "applications", application, "exec")
        usual = self.transport.timeout_s
        self.transport.timeout_s = usual + timeout_s
        try:
            return self.call("POST", target, body, shape=Results)["results"]
        finally:
            self.transport.timeout_s = usual

    def _told(self, path: str, form: type[L], opened: Callable[[], None] = lambda: None) -> Iterator[L]:
        for line in self.begun(path, opened):
            read = read_json(line)
            if wrong := fault(read, form):
                raise self.transport.stranger(f"GET {path}: {wrong}")
            yield cast("L", read)
