"""The agent's hands in its sliver: the init's socket for processes, the node's for packages.

Nothing is started by the agent itself, so everything outlives it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agents.deployment_agent import lines
from dsmt_core.errors import Conflict, Unavailable, from_code
from dsmt_core.packages import PackageRef

OUTPUT_BYTES: Final = 64 << 10
# The init kills what takes too long and then answers; this much later it is not going to.
_ANSWER_S: Final = 10.0
FETCH_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Call:
    """A program to start in the sliver: paths are the sliver's own."""

    argv: Sequence[str]
    application: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/app"

    @property
    def fields(self) -> dict[str, Any]:
        """As a request carries it."""
        return {
            "argv": list(self.argv),
            "env": dict(self.env),
            "cwd": self.cwd,
            "application": self.application,
        }


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended: exit code (minus the signal), what it printed, and whether it took too long."""

    code: int
    output: str
    timed_out: bool


@dataclass(frozen=True, slots=True)
class Processes:
    """What lives of an application, and how what was started for it has ended.

    Attributes:
        pids: of the living.
        exited: pid → exit code of what has ended.
        killed_for_memory: how many of its processes the kernel killed since it was started.
        memory_limit: bytes, with that; 0 when there is no limit, and the whole machine was short.
        runs: of what is run as the application and waited for; not among ``pids``.
    """

    pids: frozenset[int]
    exited: Mapping[int, int]
    killed_for_memory: int = 0
    memory_limit: int = 0
    runs: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reaped:
    """A process of the sliver has ended; ``application`` is empty for an orphan."""

    pid: int
    code: int
    application: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How reaching a port went: the first line of what it answered, or what is in the way."""

    connected: bool
    line: str = ""
    trouble: str = ""
    timed_out: bool = False


class Sliver:
    """Client of init.sock and node.sock.

    Args:
        run: the directory of the two sockets.
    """

    def __init__(self, run: Path) -> None:
        self._init = run / "init.sock"
        self._node = run / "node.sock"

    async def run(self, call: Call, *, timeout_s: float, limit: int = OUTPUT_BYTES) -> Ran:
        """Run a program to its end.

        Args:
            call: what to run.
            timeout_s: seconds after which it is killed.
            limit: bytes of its output that are kept.

        Raises:
            Conflict: it cannot be started; the message says why.
            Unavailable, DeadlinePassed: the init does not answer.
        """
        request = {"op": "run", **call.fields, "timeout": timeout_s, "limit": limit}
        answer = await self._asked(request, timeout_s + _ANSWER_S)
        return Ran(_number(answer, "exit"), str(answer.get("output", "")), bool(answer.get("timed_out")))

    async def spawn(self, call: Call, *, log: str) -> int:
        """Start a program and leave it to the init; its pid.

        Raises:
            Conflict, Unavailable, DeadlinePassed: as for `run`.
        """
        answer = await self._asked({"op": "spawn", **call.fields, "log": log}, _ANSWER_S)
        return _number(answer, "pid")

    async def processes(self, application: str) -> Processes:
        """What lives of ``application``.

        Raises:
            Conflict, Unavailable, DeadlinePassed: as for `run`.
        """
        answer = await self._asked({"op": "processes", "application": application}, _ANSWER_S)
        exited = dict(answer.get("exited") or {})
        return Processes(
            frozenset(int(pid) for pid in answer.get("pids") or ()),
            {int(pid): int(code) for pid, code in exited.items()},
            int(answer.get("killed_for_memory") or 0),
            int(answer.get("memory_limit") or 0),
            frozenset(int(pid) for pid in answer.get("runs") or ()),
        )

    async def signal(self, application: str, number: int) -> int:
        """Signal everything that ``application`` started; how many processes were reached.

        Raises:
            Conflict, Unavailable, DeadlinePassed: as for `run`.
        """
        request = {"op": "signal", "application": application, "signal": number}
        return _number(await self._asked(request, _ANSWER_S), "signalled")

    async def reach(self, host: str, port: int, say: str, *, timeout_s: float) -> Reached:
        """Connect to a port of the sliver, say something there, and take the first line of the answer.

        Args:
            host: one of `dsmt_core.watch.LOCAL`.
            port: there.
            say: empty: it is enough to be connected.
            timeout_s: seconds for all of it.

        Raises:
            Conflict: the init does not do that, because it is of an older DSMT or has too much to do.
            Unavailable, DeadlinePassed: as for `run`.
        """
        request = {"op": "reach", "host": host, "port": port, "say": say, "timeout": timeout_s}
        answer = await self._asked(request, timeout_s + _ANSWER_S)
        return Reached(
            bool(answer.get("connected")),
            str(answer.get("line", "")),
            str(answer.get("trouble", "")),
            bool(answer.get("timed_out")),
        )

    async def life(self) -> str:
        """Which life of the sliver this is: another one each time that its init is started.

        When it changes, everything that ran in the sliver has ended, whether the machine has started
        again or only the sliver.

        Raises:
            Unavailable: the init does not answer.
        """
        try:
            return str(_started_at(await lines.peer(self._init)))
        except (OSError, ValueError, IndexError) as error:
            raise Unavailable(f"init.sock does not answer: {error}") from error

    async def reaped(self) -> AsyncIterator[Reaped]:
        """Each process of the sliver that ends, from now on.

        Raises:
            Unavailable: the init has gone.
        """
        try:
            async with lines.connected(self._init, {"op": "watch"}) as reader:
                while True:
                    value = await lines.read(reader)
                    if "reaped" in value:
                        yield Reaped(
                            _number(value, "reaped"),
                            _number(value, "exit"),
                            str(value.get("application", "")),
                        )
        except OSError as error:
            raise Unavailable(f"init.sock does not answer: {error}") from error

    async def fetch(self, package: PackageRef) -> str:
        """Have a package on the node, verified; its path in the sliver.

        Raises:
            Invalid: what the depot has is not this package.
            Unavailable, DeadlinePassed: it cannot be had now.
        """
        request = {"op": "fetch", "digest": package.digest, "size": package.size}
        answer = await self._told(request, FETCH_S)
        return str(answer.get("path", ""))

    async def secret(self, id_: str) -> str:
        """A content of a secret of this slice, in base64.

        Raises:
            Denied, NotFound, Unavailable, DeadlinePassed: it cannot be had (now).
        """
        answer = await self._told({"op": "secret", "id": id_}, _ANSWER_S)
        return str(answer.get("value", ""))

    async def facts(self) -> dict[str, str]:
        """What the node knows of its host, as text.

        Raises:
            Invalid: the node's DSMT is older.
            Unavailable, DeadlinePassed: it cannot be had now.
        """
        facts = (await self._told({"op": "facts"}, _ANSWER_S)).get("facts")
        return {str(name): str(value) for name, value in facts.items()} if isinstance(facts, dict) else {}

    async def port_holder(self, ports: Sequence[int]) -> tuple[int, str]:
        """Which of these ports somebody on the node has, and who; 0 and an empty text for none.

        Raises:
            Invalid: the node's DSMT is older.
            Unavailable, DeadlinePassed: it does not answer.
        """
        answer = await self._told({"op": "port", "ports": list(ports)}, _ANSWER_S)
        port = answer.get("port")
        return (port if isinstance(port, int) else 0), str(answer.get("holder") or "")

    async def image(self, package: str, *, archive: str = "", prepare: bool = False) -> bool:
        """Have this sliver made out of an image; whether it is. Where it is not yet, all in it ends soon.

        Args:
            package: digest of the package that names the image; empty: as slivers usually are.
            archive: digest of the package that has the image itself; empty: its registry has it.
            prepare: only have the image on the node.

        Raises:
            Invalid: the node cannot do that.
            Unavailable, DeadlinePassed: it cannot now.
        """
        request = {"op": "image", "digest": package, "prepare": prepare}
        if archive:
            request["archive"] = archive
        answer = await self._told(request, FETCH_S)
        return answer.get("ready") == "yes"

    async def _told(self, request: Mapping[str, Any], wait_s: float) -> dict[str, Any]:
        """What the node answers."""
        answer = await lines.ask(self._node, request, wait_s=wait_s)
        if "error" in answer:
            code = str(answer.get("code", Unavailable.code))
            raise from_code(code, str(answer["error"]), str(answer.get("hint", "")))
        return answer

    async def _asked(self, request: Mapping[str, Any], wait_s: float) -> dict[str, Any]:
        answer = await lines.ask(self._init, request, wait_s=wait_s)
        if "error" in answer:
            raise Conflict(str(answer["error"]), hint=str(answer.get("hint", "")))
        return answer


def _started_at(pid: int) -> int:
    """When a process was started, in clock ticks since the machine was (field 22 of its stat, proc(5))."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    # The name may hold spaces and brackets: count from the last one.
    return int(stat[stat.rindex(")") + 2 :].split()[19])


def _number(answer: Mapping[str, Any], name: str) -> int:
    value = answer.get(name)
    if not isinstance(value, int):
        raise Unavailable(f"an answer of the sliver's init has no {name}")
    return value
