"""Programs and files of a directory that tell facts of this machine, such as `facts.d`.

They are run beside everything else: each in a group of processes of its own, with a limit of time and of
output and at a low priority, so that none can hold up a heartbeat. What one said holds for some looks more
when it fails, and is unknown afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agents.told_facts import BYTES, Told, read_facts

TROUBLE: Final = "facts_trouble"
"""The fact that tells what is wrong with them."""
LIMIT_S: Final = 10.0
PROGRAMS: Final = 32
AT_ONCE: Final = 4
MOST: Final = 128
"""Facts of all programs together; they go into one event."""
VALID_LOOKS: Final = 5
_NICE: Final = 10
_FILES: Final = frozenset({".txt", ".json"})
# Nothing of this program's own environment: there may be a token in it.
_ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
}


class FactPrograms:
    """What a directory tells.

    Args:
        directory: need not be there.
        limit_s: how long a program may take.
    """

    def __init__(self, directory: Path, *, limit_s: float = LIMIT_S) -> None:
        self._directory = directory
        self._limit_s = limit_s
        self._said: dict[str, dict[str, str]] = {}
        self._failures: dict[str, int] = {}

    async def look(self) -> Mapping[str, str]:
        """What they tell now, `MOST` facts at most, and `TROUBLE` if something is wrong; never raises."""
        found, trouble = await asyncio.to_thread(self._found)
        one_of = asyncio.Semaphore(AT_ONCE)
        told = await asyncio.gather(*(self._ask(path, one_of) for path in found))
        facts = self._together(found, told, trouble)
        if len(facts) > MOST:
            trouble.append(f"only {MOST} of {len(facts)} facts are taken")
            facts = dict(list(facts.items())[:MOST])
        return facts | ({TROUBLE: "; ".join(trouble)[:256]} if trouble else {})

    def _together(self, found: list[Path], told: list[Told], trouble: list[str]) -> dict[str, str]:
        facts: dict[str, str] = {}
        for path, one in zip(found, told, strict=True):
            said = self._held(path.name, one)
            if one.trouble:
                trouble.append(f"{path.name}: {one.trouble}")
            if twice := sorted(said.keys() & facts.keys()):
                trouble.append(f"{path.name}: {twice[0]} is told by another one before")
            facts = {**facts, **{fact: value for fact, value in said.items() if fact not in facts}}
        names = {path.name for path in found}
        for gone in self._said.keys() - names:
            self._forget(gone)
        return facts

    def _held(self, name: str, told: Told) -> dict[str, str]:
        """What holds of a program: what it says now, or said before it failed."""
        if told.facts or not told.trouble:
            self._said[name], self._failures[name] = told.facts, 0
            return told.facts
        self._failures[name] = self._failures.get(name, 0) + 1
        if self._failures[name] > VALID_LOOKS:
            self._said.pop(name, None)
        return self._said.get(name, {})

    def _forget(self, name: str) -> None:
        self._said.pop(name, None)
        self._failures.pop(name, None)

    def _found(self) -> tuple[list[Path], list[str]]:
        """The programs and files in the order of their names, and what is wrong with others."""
        trouble = list[str]()
        try:
            every = sorted(
                path for path in self._directory.iterdir() if not path.name.startswith((".", "#"))
            )
        except FileNotFoundError:
            return [], trouble
        except OSError as error:
            return [], [f"{self._directory}: {error.strerror}"]
        found = [path for path in every if path.suffix in _FILES or _is_program(path)]
        if len(found) > PROGRAMS:
            trouble.append(f"only the first {PROGRAMS} of {len(found)} are asked")
        return found[:PROGRAMS], trouble

    async def _ask(self, path: Path, one_of: asyncio.Semaphore) -> Told:
        async with one_of:
            try:
                if problem := _mistrusted(path):
                    return Told({}, problem)
                if not _is_program(path):
                    return read_facts(await asyncio.to_thread(_content, path))
                return await self._run(path)
            except OSError as error:
                return Told({}, error.strerror or type(error).__name__)

    async def _run(self, path: Path) -> Told:
        transport, talk = await asyncio.get_running_loop().subprocess_exec(
            _Talk,
            path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
        )
        pid = transport.get_pid()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PGRP, pid, _NICE)
        try:
            async with asyncio.timeout(self._limit_s):
                await talk.enough.wait()
        except TimeoutError:
            return Told({}, f"no answer within {self._limit_s:g} s")
        finally:
            # Whatever it has started goes with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            try:
                await talk.exited.wait()
            finally:
                transport.close()
        code = 0 if len(talk.output) > BYTES else transport.get_returncode()
        return Told({}, f"it ended with {code}") if code else read_facts(bytes(talk.output))


class _Talk(asyncio.SubprocessProtocol):
    """What a program says until it ends, or has said too much.

    `asyncio.subprocess.Process.wait` waits for the end of the output, too: for ever where nobody reads the
    rest of it, or where something that the program has started keeps the pipe.
    """

    def __init__(self) -> None:
        self.output = bytearray()
        self.enough = asyncio.Event()
        self.exited = asyncio.Event()
        self._has_said = False

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        """It says more."""
        self.output += data[: BYTES + 1 - len(self.output)]
        if len(self.output) > BYTES:
            self.enough.set()

    def pipe_connection_lost(self, _fd: int, _exc: Exception | None) -> None:
        """It has said all."""
        self._has_said = True
        self._look()

    def process_exited(self) -> None:
        """It has ended."""
        self.exited.set()
        self._look()

    def _look(self) -> None:
        if self._has_said and self.exited.is_set():
            self.enough.set()


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _mistrusted(path: Path) -> str:
    """Why a file is not used: it would run with the rights of this program."""
    status = path.stat()
    if status.st_uid not in {0, os.geteuid()}:
        return "it belongs to somebody else"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others may write it; chmod go-w"
    return ""


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BYTES + 1)
