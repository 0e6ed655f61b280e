"""Tar archives: one top directory with `start.sh`, `stop.sh`, `status.sh`, unpacked at `/app/X/VERSION`."""

from __future__ import annotations

from typing import Final

from agents.deployment_agent.installers.beside import BesideInstaller
from agents.deployment_agent.installers.extraction import unpack
from agents.deployment_agent.installers.port import Job, Receipt
from dsmt_core.errors import Invalid

_GZIP: Final = b"\x1f\x8b"
_BZIP2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\x00"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_USTAR_AT: Final = 257


class TarInstaller(BesideInstaller):
    """Unpacks tar archives."""

    kind = "tar"

    def recognise(self, head: bytes) -> bool:
        """Whether it begins as a tar archive or a compressed file does."""
        return head.startswith((_GZIP, _BZIP2, _XZ, _ZSTD)) or head[_USTAR_AT:].startswith(b"ustar")

    async def _unpack(self, job: Job, directory: str) -> Receipt:
        if len(job.packages) != 1:
            raise Invalid("an order with tar archives brings exactly one")
        await unpack(self._sliver, job.application, ["tar", "--into", directory, *job.packages])
        return {}
