"""The image that a sliver is made of, as its agent sees it: what the node tells, and its own program.

In such a sliver the application is the image's own program, with the image's environment and directory; its
scripts there are none, so it is well while it lives, unless a check is chosen (`dsmtc check`).
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents.deployment_agent.application import KILL_S, TERM_S, Scripts
from agents.deployment_agent.sliver import Call
from dsmt_core.errors import DeadlinePassed, Invalid

FILE: Final = "image.json"
"""In the sliver's run directory, where the sliver is made of an image."""
_NAMES: Final = ("package", "application", "version", "reference", "id")
_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """What the node tells of the image.

    Attributes:
        package: digest of the package that names it.
        reference: as that package names it.
        id: of the image itself.
        command: what it runs.
        environment: with which.
        directory: where.
        stop_signal: that ends it.
    """

    package: str
    application: str
    version: str
    reference: str
    id: str
    command: tuple[str, ...]
    environment: dict[str, str]
    directory: str
    stop_signal: int


def seen(run: Path) -> ImageSeen | None:
    """The image that this sliver is made of; None when it is made of none."""
    try:
        with (run / FILE).open("rb") as file:
            values = json.loads(file.read(_BYTES))
    except (OSError, ValueError):
        return None
    config = values.get("config") or {}
    texts = {name: str(values.get(name) or "") for name in _NAMES}
    return ImageSeen(
        **texts,
        command=(*_texts(config.get("Entrypoint")), *_texts(config.get("Cmd"))),
        environment=dict(text.split("=", 1) for text in _texts(config.get("Env")) if "=" in text),
        directory=str(config.get("WorkingDir") or "/"),
        stop_signal=_signal(str(config.get("StopSignal") or "")),
    )


class ImageProgram(Scripts):
    """The image's own program, instead of the three scripts."""

    def of(self, image: ImageSeen) -> ImageProgram:
        """Begin with what the image says."""
        self._image = image
        # What the image says goes before what a sliver usually has, and what DSMT says before both.
        own = {name: text for name, text in self._env.items() if name.startswith("DSMT_")}
        path = image.environment.get("PATH") or self._env["PATH"]
        home = image.environment.get("HOME") or "/"
        usual = {**self._env, "HOME": home}
        programs = self._paths.inside_programs
        self._env = {**usual, **image.environment, **own, "PATH": f"{path}:{programs}"}
        return self

    async def start(self) -> int:
        """Start it; its pid.

        Raises:
            Invalid: the image names no program.
            Conflict, Unavailable, DeadlinePassed: as for scripts.
        """
        if not self._image.command:
            raise Invalid(
                f"the image {self._image.reference} names no program", hint="give it an ENTRYPOINT or a CMD"
            )
        call = Call(list(self._image.command), self._application, self._env, self._image.directory)
        return await self._sliver.spawn(call, log=self._log)

    async def stop(self) -> None:
        """End it by the image's own signal, and after some seconds for certain.

        Raises:
            DeadlinePassed: something survives even SIGKILL.
            Conflict, Unavailable: the init could not be asked.
        """
        for number, wait_s in ((self._image.stop_signal, 2 * TERM_S), (signal.SIGKILL, KILL_S)):
            if not await self._sliver.signal(self._application, number):
                return
            if await self._empty_within(wait_s):
                return
        raise DeadlinePassed(f"processes of {self._application} survive SIGKILL")

    def _exists(self, script: str) -> bool:  # noqa: ARG002 - an image has none
        return False


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _signal(text: str) -> int:
    try:
        return int(signal.Signals(int(text)) if text.isdecimal() else signal.Signals[text])
    except (ValueError, KeyError):
        return int(signal.SIGTERM)
