"""RPM, installed by the real `rpm` inside the sliver: its scriptlets are confined with everything else.

All packages of an order go in one transaction. Dependencies on the host system are not rpm's to judge
there (its database begins empty), so `--nodeps`; what the wrapper requires is checked here against what
the order brings. A file is handed to rpm only when it begins with an RPM's magic bytes: given a text
file, rpm takes it for a manifest and opens every word of it as a path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.deployment_agent.application import last_line
from agents.deployment_agent.installers.port import Job, Receipt
from agents.deployment_agent.sliver import Call, Ran, Sliver
from dsmt_core.errors import Conflict, DeadlinePassed, DsmtError, Invalid
from dsmt_core.names import Application, wrapper_of
from dsmt_core.packages import Version

MAGIC: Final = b"\xed\xab\xee\xdb"
INSTALL_S: Final = 120.0
QUERY_S: Final = 30.0
DATABASE: Final = "/var/lib/rpm"
_RPM: Final = ("rpm", "--dbpath", DATABASE)
_UPGRADE: Final = ("-U", "--nodeps", "--oldpackage", "--replacepkgs")
_QUERY_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")
_FORMAT: Final = (
    "N\t%{NAME}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n"
    "[R\t%{REQUIRENAME}\t%{REQUIREFLAGS:depflags}\t%{REQUIREVERSION}\n]"
    "[P\t%{PROVIDENAME}\t%{PROVIDEFLAGS:depflags}\t%{PROVIDEVERSION}\n]"
)


@dataclass(frozen=True, slots=True)
class Capability:
    """Something required or provided: a name, and perhaps a comparison with a version."""

    name: str
    relation: str
    version: str


@dataclass(slots=True)
class Header:
    """What a package says of itself."""

    name: str
    version: str
    requires: list[Capability] = field(default_factory=list)
    provides: list[Capability] = field(default_factory=list)


class RpmInstaller:
    """Installs by rpm inside the sliver.

    Args:
        sliver: where.
    """

    kind = "rpm"
    beside = False

    def __init__(self, sliver: Sliver) -> None:
        self._sliver = sliver

    def recognise(self, head: bytes) -> bool:
        """Whether it begins with the lead of an RPM."""
        return head.startswith(MAGIC)

    async def available(self) -> bool:
        """Whether there is an `rpm` in the sliver."""
        try:
            ran = await self._sliver.run(Call(["rpm", "--version"], cwd="/"), timeout_s=QUERY_S)
        except Conflict:
            return False
        return ran.code == 0

    async def prepare(self, job: Job) -> Receipt:
        """A transaction that is only tried: files that are in the way, room, architecture, digests."""
        check_requires(await self._headers(job.packages))
        await self._rpm([*_UPGRADE, "--test", *job.packages], job.application)
        return {"kind": self.kind}

    async def discard(self, application: str, receipt: Receipt, keep: tuple[Receipt, ...]) -> None:
        """Nothing, where this kind is installed still: one version has replaced the other."""
        if all(each.get("kind") != self.kind for each in keep):
            await self.remove(application, receipt)

    async def install(self, job: Job) -> Receipt:
        """All packages in one transaction.

        Where that fails and the version before is to be back, it is done once more without scriptlets:
        those of what did not become healthy may be just what fails.
        """
        headers = await self._headers(job.packages)
        check_requires(headers)
        names = [header.name for header in headers]
        try:
            await self._rpm([*_UPGRADE, *job.packages], job.application)
        except DsmtError:
            if "names" not in job.prepared:
                raise
            await self._rpm([*_UPGRADE, "--noscripts", *job.packages], job.application)
        stale = set(job.before.get("names", "").split()) - set(names)
        if stale:
            await self._erase(job.application, sorted(stale))
        return {"kind": self.kind, "names": " ".join(names)}

    async def remove(self, application: str, receipt: Receipt) -> None:
        """Both packages; those of the usual names where no receipt tells."""
        names = receipt.get("names", usual_names(application)).split()
        present = [name for name in names if await self._version(name)]
        if present:
            await self._erase(application, present)

    async def installed_version(self, application: str, receipt: Receipt) -> str:
        """The wrapper's version, as rpm's database in the sliver has it."""
        names = receipt.get("names", usual_names(application)).split()
        return await self._version(names[-1]) if names else ""

    async def _version(self, name: str) -> str:
        shape = "%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n"
        ran = await self._sliver.run(
            Call([*_RPM, "-q", "--qf", shape, "--", name], cwd="/"), timeout_s=QUERY_S
        )
        return ran.output.split("\n", 1)[0] if ran.code == 0 else ""

    async def _headers(self, packages: Sequence[str]) -> list[Header]:
        argv = [*_RPM, "-qp", "--nosignature", "--qf", _FORMAT, *packages]
        ran = await self._sliver.run(Call(argv, cwd="/"), timeout_s=QUERY_S, limit=_QUERY_BYTES)
        _check(ran, "rpm cannot read the packages")
        headers = read_headers(ran.output)
        if len(headers) != len(packages):
            raise Invalid("rpm reads another number of packages than the order names")
        return headers

    async def _erase(self, application: str, names: Sequence[str]) -> None:
        try:
            await self._rpm(["-e", "--nodeps", "--", *names], application)
        except DsmtError:
            # A scriptlet that fails must not keep the package for ever.
            await self._rpm(["-e", "--nodeps", "--noscripts", "--", *names], application)

    async def _rpm(self, arguments: Sequence[str], application: str) -> None:
        ran = await self._sliver.run(Call([*_RPM, *arguments], application, cwd="/"), timeout_s=INSTALL_S)
        _check(ran, f"rpm {arguments[0]} failed")


def usual_names(application: str) -> str:
    """The names of an application's two packages, the wrapper last, where no receipt tells them."""
    return f"{application} {wrapper_of(Application(application))}"


def read_headers(output: str) -> list[Header]:
    """What `rpm -qp` wrote in this file's format.

    Raises:
        Invalid: a package's name is not one.
    """
    headers: list[Header] = []
    for line in output.split("\n"):
        mark, *fields = line.split("\t")
        if mark == "N" and len(fields) == 2:
            if not _NAME.match(fields[0]):
                raise Invalid(f"{fields[0][:60]!r} is not a name for a package")
            headers.append(Header(fields[0], fields[1]))
        elif mark in {"R", "P"} and len(fields) == 3 and headers:
            name, relation, version = fields
            kind = headers[-1].requires if mark == "R" else headers[-1].provides
            kind.append(Capability(name, relation.strip(), version))
    return headers


def check_requires(headers: Sequence[Header]) -> None:
    """Whether the packages of an order bring what its last one, the wrapper, requires.

    Files (``/bin/sh``) and rpm's own features are the sliver's to bring.

    Raises:
        Invalid: something is missing, or has another version.
    """
    if not headers:
        raise Invalid("the order names no packages")
    wrapper = headers[-1]
    for required in wrapper.requires:
        if required.name.startswith(("/", "rpmlib(")):
            continue
        if not any(_brings(header, required) for header in headers):
            wanted = " ".join(filter(None, (required.name, required.relation, required.version)))
            raise Invalid(
                f"{wrapper.name} requires {wanted}, which no package of the order provides",
                hint="put that package into the slice's depot",
            )


def _brings(header: Header, required: Capability) -> bool:
    own = Capability(header.name, "=", header.version)
    return any(
        offered.name == required.name and _meets(offered.version, required)
        for offered in (own, *header.provides)
    )


def _meets(version: str, required: Capability) -> bool:
    if not required.relation or not required.version:
        return True
    if not version:
        return False
    order = Version.parse(version).compare(Version.parse(required.version))
    return {-1: "<", 0: "=", 1: ">"}[order] in required.relation


def _check(ran: Ran, what: str) -> None:
    if ran.timed_out:
        raise DeadlinePassed(f"{what}: it did not end in time")
    if ran.code != 0:
        raise DsmtError(f"{what} (exit code {ran.code}): {last_line(ran.output)}")
