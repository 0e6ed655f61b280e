"""Secrets of an application: fetched from the node before it is started, each in a private file.

Rule: a value is in its file (mode 0600, the sliver's user) and nowhere else: not in an event, a log, an
environment or an argument. What a start before has fetched is used again, also without the planner.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from agents.deployment_agent import private_file
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Sliver
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.errors import Invalid, Unavailable
from dsmt_core.names import Application
from dsmt_core.secrets import BYTES, referred_by

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
                await asyncio.to_thread(private_file.write, self._paths.run / file, content, "a secret")
        await asyncio.to_thread(self._remove_others, name, wanted)

    async def remove(self, name: Application) -> None:
        """Remove the files of an application that is gone."""
        await self.write(name, NONE)

    def texts(
        self, name: Application, configuration: Configuration, names: Collection[str]
    ) -> dict[str, str]:
        """What is in the files of these secrets; blocks.

        Raises:
            Unavailable: a file cannot be read.
            Invalid: one is no text.
        """
        return {
            secret: _text(secret, self._paths.run / _file(name, secret, id_))
            for secret, id_ in referred_by(configuration).items()
            if secret in names
        }

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


def _text(name: str, path: Path) -> str:
    try:
        return private_file.read(path, BYTES, f"the secret {name}").decode()
    except UnicodeDecodeError:
        # Without its cause, which has the bytes.
        raise Invalid(f"the secret {name} is no text, so no template can have it") from None


def _file(name: Application, secret: str, id_: str) -> str:
    return f"secret.{name}.{secret}.{id_[:_ID_SHOWN]}"
