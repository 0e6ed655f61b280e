"""What installers have in common whose versions lie beside each other, each in `/app/X/VERSION`."""

from __future__ import annotations

import re
from typing import Final

from agents.deployment_agent.installers.port import Job, Receipt
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Call, Sliver
from dsmt_core.errors import DsmtError, Invalid

REMOVE_S: Final = 60.0
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^:-]*\Z")
_DIGEST: Final = 12


class BesideInstaller:
    """Unpacks each version into a directory that no other one has.

    Args:
        sliver: where.
        paths: how its programs name its directories.
    """

    kind = ""
    beside = True

    def __init__(self, sliver: Sliver, paths: SliverPaths) -> None:
        self._sliver = sliver
        self._paths = paths

    async def prepare(self, job: Job) -> Receipt:
        """Unpack while the version before runs."""
        directory = free_directory(f"{self._paths.inside_app}/{job.application}", job)
        more = await self._unpack(job, directory)
        return {"kind": self.kind, "directory": directory, "version": job.version, **more}

    async def install(self, job: Job) -> Receipt:
        """What was prepared is used as it is; the version before stays until it is discarded."""
        directory = job.prepared.get("directory", "")
        if directory and self._paths.here(directory).is_dir():
            return job.prepared
        return await self.prepare(job)

    async def discard(self, application: str, receipt: Receipt, keep: tuple[Receipt, ...]) -> None:
        """Its directory, unless another version has it."""
        directory = receipt.get("directory", "")
        inside = directory.startswith(f"{self._paths.inside_app}/{application}/")
        if inside and all(each.get("directory") != directory for each in keep):
            await self._delete(directory)

    async def remove(self, application: str, receipt: Receipt) -> None:  # noqa: ARG002 - the port's
        """All versions of it."""
        await self._delete(f"{self._paths.inside_app}/{application}")

    async def installed_version(self, application: str, receipt: Receipt) -> str:  # noqa: ARG002
        """As the receipt has it."""
        return receipt.get("version", "")

    async def _unpack(self, job: Job, directory: str) -> Receipt:
        """Unpack into ``directory``; what is to stand in the receipt besides."""
        raise NotImplementedError

    async def _delete(self, directory: str) -> None:
        ran = await self._sliver.run(Call(["rm", "-rf", "--", directory], cwd="/"), timeout_s=REMOVE_S)
        if ran.code != 0:
            raise DsmtError(f"{directory} cannot be removed: {ran.output[:200]}")


def free_directory(top: str, job: Job) -> str:
    """The directory below ``top`` for the version of ``job``; never one that another version has.

    Raises:
        Invalid: the version cannot be the name of a directory.
    """
    if not _VERSION.match(job.version):
        raise Invalid(f"{job.version[:60]!r} cannot be the name of a directory")
    taken = {receipt.get("directory") for receipt in job.taken}
    wanted = f"{top}/{directory_name(job.version)}"
    if wanted not in taken:
        return wanted
    # Another content of the same version: the digest of the package tells them apart.
    told = f"{wanted}+{job.packages[-1].rpartition('/')[2][:_DIGEST]}"
    numbers = (told, *(f"{told}.{number}" for number in range(2, len(taken) + 3)))
    return next(directory for directory in numbers if directory not in taken)


def directory_name(version: str) -> str:
    """A version as the name of a directory; a colon would end an entry of a ``PATH``."""
    return version.replace(":", "_")
