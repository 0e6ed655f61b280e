"""Which installer takes which packages: decided by what is in the files, never by what they are called."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from agents.deployment_agent.image import seen
from agents.deployment_agent.installers import deb, wheel
from agents.deployment_agent.installers.beside import directory_name
from agents.deployment_agent.installers.deb import DebInstaller
from agents.deployment_agent.installers.extraction import RpmExtraction
from agents.deployment_agent.installers.image import ImageInstaller
from agents.deployment_agent.installers.port import Installer, Job, Receipt
from agents.deployment_agent.installers.rpm import RpmInstaller, usual_names
from agents.deployment_agent.installers.tar import TarInstaller
from agents.deployment_agent.installers.wheel import WheelInstaller
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Sliver
from dsmt_core.errors import Invalid, Unavailable
from dsmt_core.images import KIND

HEAD_BYTES: Final = 512


class Installers:
    """All installers of one sliver, behind one door.

    Args:
        sliver: where they act.
        paths: where its files are for this process.
    """

    def __init__(self, sliver: Sliver, paths: SliverPaths) -> None:
        # One at a time: two rpms that meet while the database is made fail, one of them for good.
        self._turn = asyncio.Lock()
        self._paths = paths
        self._rpm = RpmInstaller(sliver)
        self._extraction = RpmExtraction(sliver, paths)
        self._tar = TarInstaller(sliver, paths)
        self._deb = DebInstaller(sliver, paths)
        self._wheel = WheelInstaller(sliver, paths)
        self._image = ImageInstaller(sliver, paths)

    async def prepare(self, job: Job) -> Receipt:
        """Prepare by the installer that knows the packages; see `Installer.prepare`.

        Raises:
            Invalid: nobody knows them, or they are of different kinds, or cannot be installed.
            DsmtError: it did not work this time.
        """
        return await (await self._for(job.packages)).prepare(job)

    async def install(self, job: Job) -> Receipt:
        """Install by the installer that knows the packages; what another kind left in its way is removed.

        Raises:
            Invalid: nobody knows them, or they are of different kinds.
            DsmtError: it did not work this time.
        """
        installer = await self._for(job.packages)
        before = job.before
        async with self._turn:
            if before and before.get("kind") != installer.kind:
                if not (installer.beside or self._of(before["kind"]).beside):
                    await self._remove(job.application, before)
                job = replace(job, before={})
            return await installer.install(job)

    async def discard(
        self, application: str, receipts: Sequence[Receipt], keep: tuple[Receipt, ...]
    ) -> None:
        """Remove versions that nobody needs; what ``keep`` names stays.

        Raises:
            DsmtError: it did not work this time.
        """
        for receipt in receipts:
            if "kind" in receipt:
                await self._of(receipt["kind"]).discard(application, receipt, keep)

    async def remove(self, application: str, receipt: Receipt) -> None:
        """Remove what the receipt names; without one, whatever an install cut short may have left.

        Raises:
            DsmtError: it did not work this time.
        """
        async with self._turn:
            await self._remove(application, receipt)

    async def _remove(self, application: str, receipt: Receipt) -> None:
        kinds = [receipt["kind"]] if "kind" in receipt else [self._tar.kind, self._extraction.kind]
        if "kind" not in receipt and await self._rpm_works():
            kinds.append(self._rpm.kind)
        for kind in kinds:
            await self._of(kind).remove(application, receipt)

    async def found(self, application: str, version: str) -> tuple[str, Receipt]:
        """What is installed of an application of which no receipt is left: its version and a new receipt.

        Args:
            application: its name.
            version: what is expected; a tar archive's version is only known by its directory.
        """
        if (image := seen(self._paths.run)) is not None:
            mine = image.application == application
            receipt = {
                "kind": KIND,
                "version": image.version,
                "package": image.package,
                "image": image.id,
            }
            return (image.version, receipt) if mine else ("", {})
        if await self._rpm_works():
            installed = await self._rpm.installed_version(application, {})
            if installed:
                return installed, {"kind": self._rpm.kind, "names": usual_names(application)}
        directory = f"{self._paths.inside_app}/{application}/{directory_name(version)}"
        if version and self._paths.here(directory).is_dir():
            known = {"directory": directory, "version": version}
            return version, {**known, **self._seen(directory, application)}
        return "", {}

    def _seen(self, directory: str, application: str) -> Receipt:
        """What a receipt says of the kind of what lies in a directory."""
        if self._paths.here(f"{directory}/pyvenv.cfg").is_file():
            return {"kind": self._wheel.kind, **wheel.places(directory, application, self._paths)}
        if self._paths.here(f"{directory}/{deb.SCRIPTS}").is_dir():
            return {"kind": self._deb.kind, "names": "", **deb.places(directory, application)}
        return {"kind": self._tar.kind}

    async def _rpm_works(self) -> bool:
        # Without walls rpm would install into the host, and its scriptlets would act there.
        return not self._paths.root and await self._rpm.available()

    async def _for(self, packages: Sequence[str]) -> Installer:
        heads = [self._head(package) for package in packages]
        # Before it the archive may stand that has the image: the node's business.
        if heads and self._image.recognise(heads[-1]):
            return self._image
        if seen(self._paths.run) is not None:
            raise Invalid(
                "this sliver is made of an image, which is one application by itself",
                hint="a slice of its own for the other application",
            )
        if heads and all(map(self._rpm.recognise, heads)):
            return self._rpm if await self._rpm_works() else self._extraction
        for installer in (self._tar, self._deb, self._wheel):
            if heads and all(map(installer.recognise, heads)):
                return installer
        raise Invalid(
            "no installer knows these packages",
            hint="packages are RPMs, Debian packages, wheels or tar archives, all of one kind in one order",
        )

    def _of(self, kind: str) -> Installer:
        installers: tuple[Installer, ...] = (
            self._rpm,
            self._extraction,
            self._tar,
            self._deb,
            self._wheel,
            self._image,
        )
        for installer in installers:
            if installer.kind == kind:
                return installer
        raise Invalid(f"no installer is called {kind[:20]!r}")

    def _head(self, package: str) -> bytes:
        path = self._paths.here(package)
        try:
            return _read_head(path)
        except OSError as error:
            # It may have been cleared away; it is fetched again then.
            raise Unavailable(f"the package {path.name} cannot be read: {error.strerror}") from error


def _read_head(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(HEAD_BYTES)
