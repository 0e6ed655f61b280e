"""Images: the node makes the sliver anew, out of the image, and this agent with it."""

from __future__ import annotations

import asyncio
from typing import Final

from agents.deployment_agent.image import seen
from agents.deployment_agent.installers.port import Job, Receipt
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Sliver
from dsmt_core.errors import Invalid, Unavailable
from dsmt_core.images import HEAD, KIND

# The node ends this process long before.
_REMAKING_S: Final = 60.0


class ImageInstaller:
    """Asks the node for the image.

    Args:
        sliver: by which the node is asked.
        paths: where its files are for this process.
    """

    kind = KIND
    beside = True

    def __init__(self, sliver: Sliver, paths: SliverPaths) -> None:
        self._sliver = sliver
        self._paths = paths

    def recognise(self, head: bytes) -> bool:
        """Whether it names an image."""
        return head.startswith(HEAD)

    async def prepare(self, job: Job) -> Receipt:
        """Have the image on the node, while the version before runs.

        Raises:
            Invalid: the node makes no slivers out of images.
            Unavailable: the image is not to be had now.
        """
        package, archive = _packages(job)
        await self._sliver.image(package, archive=archive, prepare=True)
        return {"kind": self.kind, "version": job.version, "package": package}

    async def install(self, job: Job) -> Receipt:
        """Have the sliver made out of the image; who comes back from that is the next agent.

        Raises:
            Invalid, Unavailable: as `prepare`.
        """
        package, archive = _packages(job)
        image = seen(self._paths.run)
        if image is None or image.package != package:
            await self._remade(package, archive)
            image = seen(self._paths.run)
        if image is None or image.package != package:
            raise Unavailable("the sliver is not made of the image yet")
        return {"kind": self.kind, "version": job.version, "package": package, "image": image.id}

    async def discard(self, application: str, receipt: Receipt, keep: tuple[Receipt, ...]) -> None:
        """Nothing: the image is the node's, and may be wanted again."""

    async def remove(self, application: str, receipt: Receipt) -> None:  # noqa: ARG002 - the port's
        """Have the sliver made as slivers usually are."""
        if seen(self._paths.run) is not None:
            await self._remade("")

    async def installed_version(self, application: str, receipt: Receipt) -> str:  # noqa: ARG002
        """That of the image which the sliver is made of."""
        image = seen(self._paths.run)
        return image.version if image is not None else ""

    async def _remade(self, package: str, archive: str = "") -> None:
        if not await self._sliver.image(package, archive=archive):
            await asyncio.sleep(_REMAKING_S)
            raise Unavailable("the sliver is not made anew")


def _packages(job: Job) -> tuple[str, str]:
    """The digests of what names the image, and of what has it (empty: a registry has it)."""
    *before, package = (path.rpartition("/")[2] for path in job.packages)
    if len(before) > 1:
        raise Invalid("an order with an image brings what names it, and at most one archive that has it")
    return package, before[0] if before else ""
