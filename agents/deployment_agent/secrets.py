"""Secrets of an application: fetched from the node before it is started, each in a private file.

Rule: a value is in its file (mode 0600, the sliver's user) and nowhere else: not in an event, a log, an
environment or an argument. What a start before has fetched is used again, also without the planner.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Sliver
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.errors import Full, Unavailable
from dsmt_core.names import Application
from dsmt_core.secrets import referred_by

VARIABLE: Final = "DSMT_SECRET"
_ID_SHOWN: Final = 12


class SecretFiles:
    """Fetches, writes and removes the files of one sliver's applications.

    Args:
        paths: where the sliver is.
        sliver: whose node is asked.
    """

    def __init__(self, paths: SliverPaths, sliver: Sliver) -> None:
        self._paths = paths
        self._sliver = sliver

    def variables(self, name: Application, configuration: Configuration) -> dict[str, str]:
        """The variables that name the files: ``password`` is in the one of ``DSMT_SECRET_PASSWORD``."""
        return {
            f"{VARIABLE}_{secret.upper()}": f"{self._paths.inside_run}/{_file(name, secret, id_)}"
            for secret, id_ in referred_by(configuration).items()
        }

    async def write(self, name: Application, configuration: Configuration) -> None:
        """Have the files that ``configuration`` names, and no others of this application.

        Raises:
            Unavailable, Denied, NotFound: one cannot be had; without it nothing is started.
            Full: it cannot be written.
        """
        wanted = {_file(name, secret, id_): id_ for secret, id_ in referred_by(configuration).items()}
        for file, id_ in wanted.items():
            if not await asyncio.to_thread(_is_there, self._paths.run / file):
                content = _content(await self._sliver.secret(id_))
                await asyncio.to_thread(self._write, self._paths.run / file, content)
        await asyncio.to_thread(self._remove_others, name, wanted)

    async def remove(self, name: Application) -> None:
        """Remove the files of an application that is gone."""
        await self.write(name, NONE)

    def _write(self, path: Path, content: bytes) -> None:
        beside = path.with_name(f"{path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            beside.unlink(missing_ok=True)
            owner = self._paths.run.stat()
            with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
                file.write(content)
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise Full(f"a secret cannot be written: {error.strerror or error}") from error

    def _remove_others(self, name: Application, wanted: Mapping[str, str]) -> None:
        for path in self._paths.run.glob(f"secret.{name}.*"):
            # `secret.a.b.…` is of the application `a.b` perhaps: only what has the form of ours.
            words = path.name.removeprefix(f"secret.{name}.").removesuffix(".new").split(".")
            if path.name not in wanted and len(words) == 2 and len(words[1]) == _ID_SHOWN:
                with contextlib.suppress(OSError):
                    path.unlink()


def _is_there(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _content(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError as error:
        raise Unavailable("the node's answer holds no secret") from error


def _file(name: Application, secret: str, id_: str) -> str:
    return f"secret.{name}.{secret}.{id_[:_ID_SHOWN]}"
