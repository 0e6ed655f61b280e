"""The three scripts of an application: where they are, how they are called, what they said.

An RPM's wrapper installs `/opt/dsmt/X/start`, `stop` and `status`; a tar package brings `start.sh`,
`stop.sh` and `status.sh` in `/app/X/VERSION`. Which of them exist is looked up at each call.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agents.deployment_agent import ports
from agents.deployment_agent.decide import Checked, CheckStatus, Periods, Said, said
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.probe import probe
from agents.deployment_agent.sliver import Call, Processes, Ran, Sliver
from agents.sliver_init.stamps import LENGTH, is_stamped
from dsmt_core.errors import Conflict, DeadlinePassed, Invalid
from dsmt_core.events import legal_text
from dsmt_core.limits import shown_size

TEXT_CHARACTERS: Final = 256
STOP_S: Final = 30.0
TERM_S: Final = 5.0
KILL_S: Final = 5.0
_LOOK_S: Final = 0.05
_LOG_TAIL: Final = 4096
_LOG_S: Final = 5.0
_LAST_LINES: Final = 20
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an application's entry points are, inside the sliver.

    Attributes:
        start, stop, status: the scripts; those that it has not are empty, or do not exist.
        cwd: where they are called.
        path: directories of its own that come first on the ``PATH``.
    """

    start: str
    stop: str
    status: str
    cwd: str
    path: str = ""


def place(application: str, receipt: Mapping[str, str], paths: SliverPaths) -> Place:
    """The entry points of ``application`` as its installer's receipt tells."""
    directory = receipt.get("directory", "")
    if directory and "start" in receipt:
        start, stop, status = (receipt.get(name, "") for name in ("start", "stop", "status"))
        return Place(start, stop, status, cwd=directory, path=receipt.get("path", ""))
    if directory:
        start, stop, status = (f"{directory}/{name}.sh" for name in ("start", "stop", "status"))
        return Place(start, stop, status, cwd=directory)
    top = f"{paths.inside_opt}/dsmt/{application}"
    return Place(f"{top}/start", f"{top}/stop", f"{top}/status", cwd=paths.inside_app)


class Scripts:
    """Calls the scripts of one installed application.

    Args:
        application: its name.
        where: its entry points.
        env: what is added to the scripts' environment.
        sliver: who starts them.
        paths: where the sliver's files are for this process.
    """

    def __init__(
        self, application: str, where: Place, *, env: Mapping[str, str], sliver: Sliver, paths: SliverPaths
    ) -> None:
        self._application = application
        self._where = where
        home = f"{paths.root}/home"
        path = ":".join(filter(None, (where.path, _PATH, paths.inside_programs)))
        self._env = {"PATH": path, "HOME": home, "LANG": "C.UTF-8", **env}
        if paths.root:
            self._env["DSMT_ROOT"] = paths.root
        self._sliver = sliver
        self._paths = paths
        self._log = f"{paths.inside_var}/log/{application}.log"

    async def start(self) -> int:
        """Call the start script; its pid. What it prints goes to the application's log.

        Raises:
            Invalid: there is none.
            Conflict: it cannot be started now.
            Unavailable, DeadlinePassed: the init does not answer.
        """
        if not self._exists(self._where.start):
            raise Invalid(
                f"{self._application} has no start script",
                hint=f"{self._where.start} is missing or not executable: rpmgen --start, or start.sh",
            )
        return await self._sliver.spawn(self._call(self._where.start), log=self._log)

    async def check(self, step: CheckStatus, periods: Periods) -> tuple[Checked, frozenset[int]]:
        """What the check says, and the processes as they were just before.

        Raises:
            Conflict, Unavailable, DeadlinePassed: the init could not be asked.
        """
        before = await self._sliver.processes(self._application)
        start_pid, watch = step.start_pid, step.watch
        timeout_s = watch.timeout_s or periods.status_s
        scripted = bool(watch.check) or self._exists(self._where.status)
        code, told = None, Said("")
        if watch.check:
            answer = await probe(self._sliver, watch.check, timeout_s=timeout_s)
            code, told = answer.code, Said(answer.text)
        elif scripted:
            code, told = await self._ask_status(timeout_s)
        start_code = before.exited.get(start_pid) if start_pid else None
        checked = Checked(
            scripted=scripted,
            code=code,
            text=_cut(told.text),
            metrics=told.metrics,
            probe=watch.check,
            alive=bool(before.pids),
            start_code=start_code,
            start_text=await self._last_words(watch.check) if start_code or not before.pids else "",
            killed=_killed(before),
        )
        return checked, before.pids

    async def run(self, argv: Sequence[str], *, timeout_s: float, limit: int) -> Ran:
        """Run a command as the scripts are run.

        Raises:
            Conflict, Unavailable, DeadlinePassed: of `Sliver.run`.
        """
        call = Call(argv, self._application, self._env, self._where.cwd)
        return await self._sliver.run(call, timeout_s=timeout_s, limit=limit)

    async def stop(self) -> None:
        """Call the stop script, then end whatever is left, politely first.

        Raises:
            DeadlinePassed: something survives even SIGKILL.
            Conflict, Unavailable: the init could not be asked.
        """
        if await self._stopped_by_script():
            return
        for number, wait_s in ((signal.SIGTERM, TERM_S), (signal.SIGKILL, KILL_S)):
            if not await self._sliver.signal(self._application, number):
                return
            if await self._empty_within(wait_s):
                return
        raise DeadlinePassed(f"processes of {self._application} survive SIGKILL")

    async def _stopped_by_script(self) -> bool:
        """Whether nothing is left, at most `STOP_S` after the stop script was called."""
        if not self._exists(self._where.stop):
            return False
        end = asyncio.get_running_loop().time() + STOP_S
        try:
            ran = await self._sliver.run(self._call(self._where.stop), timeout_s=STOP_S)
        except Conflict:
            # A stop script that cannot be started leaves the work to the signals.
            return False
        left = end - asyncio.get_running_loop().time()
        return ran.code == 0 and await self._empty_within(left)

    async def _ask_status(self, timeout_s: float) -> tuple[int | None, Said]:
        try:
            ran = await self._sliver.run(self._call(self._where.status), timeout_s=timeout_s)
        except Conflict as error:
            # 126: found, and not to be executed (POSIX shells say it so).
            return 126, Said(error.message)
        return _code(ran), said(ran.output)

    async def _empty_within(self, wait_s: float) -> bool:
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        while (await self._sliver.processes(self._application)).pids:
            if loop.time() >= end:
                return False
            await asyncio.sleep(_LOOK_S)
        return True

    def _call(self, script: str) -> Call:
        return Call([script], self._application, self._env, self._where.cwd)

    def _exists(self, script: str) -> bool:
        if not script:
            return False
        # A start script that is a link out of the sliver's directories is judged inside, when it is called.
        here = self._paths.here(script)
        return here.is_symlink() or (here.is_file() and os.access(here, os.X_OK))

    async def _last_words(self, check: str) -> str:
        """The last line of its log; if a port was taken, before it which one, and who has it."""
        # Read inside: the way to the log is the application's to bend.
        call = Call(["tail", "-c", str(_LOG_TAIL), "--", self._log], cwd="/")
        try:
            ran = await self._sliver.run(call, timeout_s=_LOG_S)
        except Conflict:
            return ""
        if ran.code != 0:
            return ""
        why = await ports.taken(self._sliver, _end(ran.output), check)
        return _cut(": ".join(filter(None, (why, last_line(ran.output)))))

    async def forget(self) -> None:
        """Remove the log.

        Raises:
            Conflict, Unavailable, DeadlinePassed: the init could not be asked.
        """
        call = Call(["rm", "-f", "--", self._log, f"{self._log}.1"], cwd="/")
        await self._sliver.run(call, timeout_s=_LOG_S)


def _killed(processes: Processes) -> str:
    """Why the kernel ended a process of the application; empty when it did not."""
    if not processes.killed_for_memory:
        return ""
    if not processes.memory_limit:
        return "the node was short of memory, and the kernel ended a process of it"
    return f"over its memory limit of {shown_size(processes.memory_limit)}"


def last_line(output: str) -> str:
    """The last line that is not empty, as an event may carry it: legal, at most 256 characters."""
    filled = [line for line in map(_unstamped, output.split("\n")) if line.strip()]
    return _cut(filled[-1]) if filled else ""


def _end(output: str) -> str:
    """The last few lines without the times at which they were written."""
    return "\n".join(map(_unstamped, output.split("\n")[-_LAST_LINES:]))


def _unstamped(line: str) -> str:
    return line[LENGTH:] if is_stamped(line[:LENGTH].encode(errors="replace")) else line


def _cut(line: str) -> str:
    return legal_text(line[:TEXT_CHARACTERS].rstrip("\r"))


def _code(ran: Ran) -> int | None:
    return None if ran.timed_out else ran.code
