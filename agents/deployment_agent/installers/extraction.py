"""RPM without rpm: the files are unpacked, no scriptlet runs, and the receipt says so.

The unpacking is a program of its own (`unpack`) that runs inside the sliver: a hostile archive meets the
sliver's walls besides the checks, and the agent's memory stays small.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import agents
from agents.deployment_agent.application import last_line
from agents.deployment_agent.installers.port import Job, Receipt
from agents.deployment_agent.installers.rpm import MAGIC
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Call, Sliver
from dsmt_core.errors import DeadlinePassed, DsmtError, Invalid

# As the container manager starts the agent itself: the packages need not be installed anywhere.
_PROGRAM: Final = (
    f"import sys; sys.path.append({str(Path(agents.__file__).parents[1])!r}); "
    "from agents.deployment_agent.unpack.main import run; run()"
)
UNPACK_S: Final = 300.0
_NOTE: Final = "installed without rpm: files only, no scriptlets"
# What the program says when the archive itself is at fault: no attempt will help.
REFUSED: Final = 65


async def unpack(sliver: Sliver, application: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Run the unpacking program inside the sliver; what it answered.

    Raises:
        Invalid: it refuses the archive.
        DsmtError: it failed this time.
    """
    argv = [sys.executable, "-I", "-c", _PROGRAM, *arguments]
    ran = await sliver.run(Call(argv, application, cwd="/"), timeout_s=UNPACK_S)
    if ran.timed_out:
        raise DeadlinePassed(f"unpacking took longer than {UNPACK_S:g} s")
    said = last_line(ran.output)
    if ran.code == REFUSED:
        raise Invalid(said)
    if ran.code != 0:
        raise DsmtError(f"unpacking failed (exit code {ran.code}): {said}")
    answer = json.loads(said)
    return answer if isinstance(answer, dict) else {}


class RpmExtraction:
    """Unpacks RPMs into the sliver.

    Args:
        sliver: where.
        paths: how its programs name its directories.
    """

    kind = "rpm-files"
    beside = False

    def __init__(self, sliver: Sliver, paths: SliverPaths) -> None:
        self._sliver = sliver
        self._paths = paths

    def recognise(self, head: bytes) -> bool:
        """Whether it begins with the lead of an RPM."""
        return head.startswith(MAGIC)

    async def prepare(self, job: Job) -> Receipt:
        """See whether all packages can be unpacked, by doing it elsewhere."""
        directory = f"{self._paths.inside_var}/lib/dsmt/{job.application}.trial"
        await unpack(self._sliver, job.application, ["try-rpm", "--into", directory, *job.packages])
        return {"kind": self.kind}

    async def discard(self, application: str, receipt: Receipt, keep: tuple[Receipt, ...]) -> None:
        """Nothing, where this kind is installed still: one version has replaced the other."""
        if all(each.get("kind") != self.kind for each in keep):
            await self.remove(application, receipt)

    async def install(self, job: Job) -> Receipt:
        """Unpack all packages; files of the version before that are gone from this one are removed."""
        arguments = ["rpm", "--into", self._paths.root or "/"]
        arguments += ["--list", self._list(job.application), *job.packages]
        answer = await unpack(self._sliver, job.application, arguments)
        return {"kind": self.kind, "version": job.version, "files": str(answer["files"]), "note": _NOTE}

    async def remove(self, application: str, receipt: Receipt) -> None:  # noqa: ARG002 - the port's
        """Remove the files that were listed when they were unpacked."""
        await unpack(self._sliver, application, ["remove", "--list", self._list(application)])

    async def installed_version(self, application: str, receipt: Receipt) -> str:  # noqa: ARG002
        """As the receipt has it; there is no database."""
        return receipt.get("version", "")

    def _list(self, application: str) -> str:
        return f"{self._paths.inside_var}/lib/dsmt/{application}.files"
