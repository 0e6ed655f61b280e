"""Tar archives: one top directory with `start.sh`, `stop.sh`, `status.sh`, unpacked at `/app/X/VERSION`."""

from __future__ import annotations

import re
from typing import Final

from agents.deployment_agent.installers.extraction import unpack
from agents.deployment_agent.installers.port import Job, Receipt
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Call, Sliver
from dsmt_core.errors import DsmtError, Invalid

_GZIP: Final = b"\x1f\x8b"
_BZIP2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\x00"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_USTAR_AT: Final = 257
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^:-]*\Z")
REMOVE_S: Final = 60.0
_DIGEST: Final = 12


class TarInstaller:
    """Unpacks tar archives, each version in a directory of its own.

    Args:
        sliver: where.
        paths: how its programs name its directories.
    """

    kind = "tar"
    beside = True

    def __init__(self, sliver: Sliver, paths: SliverPaths) -> None:
        self._sliver = sliver
        self._paths = paths

    def recognise(self, head: bytes) -> bool:
        """Whether it begins as a tar archive or a compressed file does."""
        return head.startswith((_GZIP, _BZIP2, _XZ, _ZSTD)) or head[_USTAR_AT:].startswith(b"ustar")

    async def prepare(self, job: Job) -> Receipt:
        """Unpack into a directory that no other version has."""
        if len(job.packages) != 1:
            raise Invalid("an order with tar archives brings exactly one")
        directory = free_directory(f"{self._paths.inside_app}/{job.application}", job)
        await unpack(self._sliver, job.application, ["tar", "--into", directory, *job.packages])
        return {"kind": self.kind, "directory": directory, "version": job.version}

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
    wanted = f"{top}/{job.version}"
    if wanted not in taken:
        return wanted
    # Another content of the same version: the digest of the package tells them apart.
    told = f"{wanted}+{job.packages[0].rpartition('/')[2][:_DIGEST]}"
    numbers = (told, *(f"{told}.{number}" for number in range(2, len(taken) + 3)))
    return next(directory for directory in numbers if directory not in taken)
