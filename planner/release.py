"""Releases: what an application is made of, a version of its packages and a configuration.

Rule: a release has one name, and whoever compares what a host has with what it should have compares names.
A release without a configuration is named as its version is; so nothing changes where nobody configures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NewType

from dsmt_core.configuration import NONE, Configuration, differences
from dsmt_core.packages import PackageRef
from dsmt_core.templates import check

ReleaseName = NewType("ReleaseName", str)
"""``VERSION`` or ``VERSION#DIGEST``, with the digest of a configuration; no version has a ``#``."""

_MARK: Final = "#"
_TOLD: Final = 20


def release_name(version: str, configuration: str = "") -> ReleaseName:
    """The name of a release.

    Args:
        version: of the wrapper.
        configuration: its digest; empty for none.
    """
    return ReleaseName(f"{version}{_MARK}{configuration}" if configuration else version)


def version_of(name: ReleaseName) -> str:
    """The version in the name of a release."""
    return name.partition(_MARK)[0]


def configuration_of(name: ReleaseName) -> str:
    """The digest of the configuration in the name of a release; empty for none."""
    return name.partition(_MARK)[2]


def said(name: ReleaseName) -> str:
    """A release for people."""
    configuration = configuration_of(name)
    return f"{version_of(name)} with configuration {configuration}" if configuration else version_of(name)


@dataclass(frozen=True, slots=True)
class Release:
    """One release.

    Attributes:
        version: of the wrapper.
        packages: what to install for it, in order.
        configuration: with which it is started.
    """

    version: str
    packages: tuple[PackageRef, ...] = ()
    configuration: Configuration = NONE

    @property
    def name(self) -> ReleaseName:
        """Its name."""
        return release_name(self.version, self.configuration.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconfiguration:
    """What people want of a configuration.

    Attributes:
        values: these are set.
        unset: these are taken away.
        whole: nothing that is not set is left.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    whole: bool = False

    def of(self, before: Configuration) -> Configuration:
        """The configuration that it makes.

        Raises:
            NotFound, Invalid, Full: as `Configuration.changed`.
            Invalid: a template of it cannot be rendered (`dsmt_core.templates.check`).
        """
        made = before.changed(self.values, unset=self.unset, whole=self.whole)
        check(made)
        return made


def changes(before: Release, after: Release) -> tuple[str, ...]:
    """What changes from one release to another, for people; at most so many lines."""
    told = [] if before.version == after.version else [f"version {before.version} becomes {after.version}"]
    told += differences(before.configuration, after.configuration)
    more = len(told) - _TOLD
    return tuple(told) if more <= 0 else (*told[:_TOLD], f"and {more} more")
