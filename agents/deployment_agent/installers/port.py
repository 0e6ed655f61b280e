"""The port of an installer, and what it is asked to do. An installer acts inside the sliver only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

Receipt = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    """One installation.

    Attributes:
        application: its name.
        version: of the wrapper, or of the only package.
        packages: their paths inside the sliver, in order; the last is the wrapper.
        before: the receipt of what is installed now; empty when nothing is, or that is uncertain.
        prepared: the receipt of these packages, when they lie on the node already.
        taken: receipts of versions that must not be touched.
    """

    application: str
    version: str
    packages: tuple[str, ...]
    before: Receipt = field(default_factory=dict)
    prepared: Receipt = field(default_factory=dict)
    taken: tuple[Receipt, ...] = ()


class Installer(Protocol):
    """Installs and removes packages of one kind.

    Attributes:
        kind: its name in receipts.
        beside: versions lie beside each other, so that installing one leaves the other as it is.
    """

    kind: str
    beside: bool

    def recognise(self, head: bytes) -> bool:
        """Whether a file that begins with ``head`` (a few hundred bytes) is one of its packages."""
        ...

    async def prepare(self, job: Job) -> Receipt:
        """Do what can be done while the version before runs, or at least see whether it can be done.

        Returns:
            what `install` gets as ``prepared``.

        Raises:
            Invalid, DsmtError: as for `install`; the version before is as it was.
        """
        ...

    async def install(self, job: Job) -> Receipt:
        """Install; doing it again changes nothing.

        Returns:
            what `remove` needs; ``kind`` is always in it, ``note`` where a person should know something.

        Raises:
            Invalid: these packages cannot be installed, however often it is tried.
            DsmtError: it did not work this time.
        """
        ...

    async def remove(self, application: str, receipt: Receipt) -> None:
        """Remove what `install` left; also after an install that was cut short, with an empty receipt.

        Raises:
            DsmtError: it did not work this time.
        """
        ...

    async def discard(self, application: str, receipt: Receipt, keep: tuple[Receipt, ...]) -> None:
        """Remove one version that is not installed any more; what ``keep`` names stays.

        Raises:
            DsmtError: it did not work this time.
        """
        ...

    async def installed_version(self, application: str, receipt: Receipt) -> str:
        """The version that is really there; empty when none is."""
        ...
