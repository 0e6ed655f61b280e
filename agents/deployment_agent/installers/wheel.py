"""Wheels: each version in a virtual environment of its own at `/app/X/VERSION`, made without an index.

The Python is the one that runs DSMT: it is there in every sliver. What pip needs and the order does not
bring is refused, with its name.
"""

from __future__ import annotations

from typing import Final

from agents.deployment_agent.installers.beside import BesideInstaller
from agents.deployment_agent.installers.extraction import unpack
from agents.deployment_agent.installers.port import Job, Receipt
from agents.deployment_agent.paths import SliverPaths

MAGIC: Final = b"PK\x03\x04"


class WheelInstaller(BesideInstaller):
    """Installs wheels."""

    kind = "wheel"

    def recognise(self, head: bytes) -> bool:
        """Whether it begins as a zip archive does."""
        return head.startswith(MAGIC)

    async def _unpack(self, job: Job, directory: str) -> Receipt:
        await unpack(self._sliver, job.application, ["wheel", "--into", directory, *job.packages])
        return places(directory, job.application, self._paths)


def places(directory: str, application: str, paths: SliverPaths) -> dict[str, str]:
    """What a receipt says of an application: its three scripts, or the program of its own name."""
    programs = f"{directory}/bin"
    if paths.here(f"{programs}/start.sh").is_file():
        return {name: f"{programs}/{name}.sh" for name in ("start", "stop", "status")} | {"path": programs}
    return {"start": f"{programs}/{application}", "path": programs}
