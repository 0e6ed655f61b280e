"""Editions of an application: what is, was or may be installed, and what was given up; plain values.

Rule: an edition is told from another by its packages, never by its version's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsmt_core.commands import Order
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.packages import PackageRef

Packages = tuple[PackageRef, ...]
Receipt = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version of an application on the node.

    Attributes:
        version: as ordered.
        packages: what it was made of.
        receipt: of its installer.
        configuration: with which it was last started.
    """

    version: str
    packages: Packages
    receipt: Receipt
    configuration: Configuration = NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """A release that was ordered and did not become healthy, or cannot be installed.

    Attributes:
        packages: of it.
        configuration: the digest of its configuration.
        version: of it.
        reason: one plain line.
        times: how often in a row.
    """

    packages: Packages
    configuration: str
    version: str
    reason: str
    times: int = 1

    def is_of(self, order: Order) -> bool:
        """Whether ``order`` asks for it."""
        return (self.packages, self.configuration) == (order.packages, order.configuration.digest)

    @property
    def text(self) -> str:
        """As an event says it: the release in one word (``VERSION`` or ``VERSION#DIGEST``), the reason."""
        digest = f"#{self.configuration}" if self.configuration else ""
        return f"{self.version}{digest} {self.reason}"


def written_edition(edition: Edition | None) -> dict[str, Any] | None:
    """An edition as plain values."""
    if edition is None:
        return None
    return {
        "version": edition.version,
        "packages": [str(package) for package in edition.packages],
        "receipt": dict(edition.receipt),
        "configuration": edition.configuration.text,
    }


def read_edition(values: Mapping[str, Any] | None) -> Edition | None:
    """The inverse of `written_edition`."""
    if values is None:
        return None
    return Edition(
        version=str(values["version"]),
        packages=read_packages(values["packages"]),
        receipt=read_receipt(values["receipt"]),
        configuration=Configuration.parse(str(values["configuration"])),
    )


def written_gave_up(gave_up: GaveUp | None) -> dict[str, Any] | None:
    """What was given up as plain values."""
    if gave_up is None:
        return None
    return {
        "packages": [str(package) for package in gave_up.packages],
        "configuration": gave_up.configuration,
        "version": gave_up.version,
        "reason": gave_up.reason,
        "times": gave_up.times,
    }


def read_gave_up(values: Mapping[str, Any] | None) -> GaveUp | None:
    """The inverse of `written_gave_up`."""
    if values is None:
        return None
    return GaveUp(
        packages=read_packages(values["packages"]),
        configuration=str(values["configuration"]),
        version=str(values["version"]),
        reason=str(values["reason"]),
        times=int(values["times"]),
    )


def read_packages(texts: list[str]) -> Packages:
    """Packages from their texts."""
    return tuple(map(PackageRef.parse, texts))


def read_receipt(values: Mapping[Any, Any]) -> dict[str, str]:
    """A receipt as texts only."""
    return {str(name): str(text) for name, text in dict(values).items()}
