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


class TarInstaller:
    """Unpacks tar archives, each version in a directory of its own.

    Args:
        sliver: where.
        paths: how its programs name its directories.
    """

    kind = "tar"

    def __init__(self, sliver: Sliver, paths: SliverPaths) -> None:
        self._sliver = sliver
        self._paths = paths

    def recognise(self, head: bytes) -> bool:
        """Whether it begins as a tar archive or a compressed file does."""
        return head.startswith((_GZIP, _BZIP2, _XZ, _ZSTD)) or head[_USTAR_AT:].startswith(b"ustar")

    async def install(self, job: Job) -> Receipt:
        """Unpack beside the version before, then remove that one."""
        if len(job.packages) != 1:
            raise Invalid("an order with tar archives brings exactly one")
        if not _VERSION.match(job.version):
            raise Invalid(f"{job.version[:60]!r} cannot be the name of a directory")
        directory = f"{self._paths.inside_app}/{job.application}/{job.version}"
        await unpack(self._sliver, job.application, ["tar", "--into", directory, *job.packages])
        stale = job.before.get("directory", directory)
        if stale != directory:
            await self._delete(stale)
        return {"kind": self.kind, "directory": directory, "version": job.version}

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
