"""Debian packages, each version below a directory of its own, which stands for the root of a system.

The host's dpkg and its database are never asked. Maintainer scripts run inside the sliver when nothing of
the application runs: ``preinst install``, then ``postinst configure``, with ``DPKG_ROOT`` naming the
directory, as dpkg does it for installations below another root.
"""

from __future__ import annotations

import logging
from typing import Final

from agents.deployment_agent.application import last_line
from agents.deployment_agent.installers.beside import BesideInstaller
from agents.deployment_agent.installers.extraction import unpack
from agents.deployment_agent.installers.port import Job, Receipt
from agents.deployment_agent.sliver import Call
from dsmt_core.errors import DeadlinePassed, DsmtError

MAGIC: Final = b"!<arch>\n"
SCRIPT_S: Final = 120.0
# Where the maintainer scripts of what was unpacked lie: PACKAGE.postinst and so on.
SCRIPTS: Final = ".dsmt"
_PATH: Final = ("usr/local/bin", "usr/bin", "bin", "usr/sbin", "sbin")
_SYSTEM: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOG = logging.getLogger(__name__)


class DebInstaller(BesideInstaller):
    """Unpacks Debian packages and calls their maintainer scripts."""

    kind = "deb"

    def recognise(self, head: bytes) -> bool:
        """Whether it begins as an ar archive does."""
        return head.startswith(MAGIC)

    async def install(self, job: Job) -> Receipt:
        """What was prepared is configured, once."""
        receipt = await super().install(job)
        if receipt.get("configured"):
            return receipt
        for package in receipt["names"].split():
            await self._call(job.application, receipt, package, "preinst", "install")
            await self._call(job.application, receipt, package, "postinst", "configure", "")
        return {**receipt, "configured": "yes"}

    async def discard(self, application: str, receipt: Receipt, keep: tuple[Receipt, ...]) -> None:
        """Its scripts are told, and its directory goes, whatever they say."""
        if receipt.get("configured"):
            for package in reversed(receipt.get("names", "").split()):
                for script in ("prerm", "postrm"):
                    try:
                        await self._call(application, receipt, package, script, "remove")
                    except DsmtError as error:
                        _LOG.warning("%s of %s: %s", script, package, error)
        await super().discard(application, receipt, keep)

    async def remove(self, application: str, receipt: Receipt) -> None:
        """The scripts of what is installed are told, and all versions go."""
        await self.discard(application, receipt, ())
        await super().remove(application, receipt)

    async def _unpack(self, job: Job, directory: str) -> Receipt:
        answer = await unpack(self._sliver, job.application, ["deb", "--into", directory, *job.packages])
        return {"names": " ".join(answer["names"]), **places(directory, job.application)}

    async def _call(
        self, application: str, receipt: Receipt, package: str, script: str, *arguments: str
    ) -> None:
        directory = receipt["directory"]
        path = f"{directory}/{SCRIPTS}/{package}.{script}"
        if not self._paths.here(path).is_file():
            return
        env = {
            "PATH": f"{receipt['path']}:{_SYSTEM}",
            "DPKG_ROOT": directory,
            "DPKG_MAINTSCRIPT_PACKAGE": package,
            "DPKG_MAINTSCRIPT_NAME": script,
            "DEBIAN_FRONTEND": "noninteractive",
        }
        call = Call([path, *arguments], application, env, directory)
        ran = await self._sliver.run(call, timeout_s=SCRIPT_S)
        if ran.timed_out:
            raise DeadlinePassed(f"{script} of {package} took longer than {SCRIPT_S:g} s")
        if ran.code != 0:
            raise DsmtError(
                f"{script} of {package} ended with exit code {ran.code}: {last_line(ran.output)}"
            )


def places(directory: str, application: str) -> dict[str, str]:
    """What a receipt says of an application's scripts and programs below ``directory``."""
    top = f"{directory}/opt/dsmt/{application}"
    scripts = {name: f"{top}/{name}" for name in ("start", "stop", "status")}
    return {**scripts, "path": ":".join(f"{directory}/{each}" for each in _PATH)}
