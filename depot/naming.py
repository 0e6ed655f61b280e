"""Names, versions, paths and dependencies as rpm takes them. Decides; touches nothing.

Rule of this file: whatever leaves it can stand in a spec file, a shell script and a file name without
quoting. What cannot is refused here, with the reason.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.names import WRAPPER_PREFIX, Application, application

_SPLIT: Final = re.compile(r"(?P<name>.+?)-v?(?P<version>\d.*)\Z")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]*\Z")
_EARLIER: Final = re.compile(r"-(?=(?:rc|alpha|beta|pre|preview|dev|[ab])[.-]?\d*(?:\b|_))", re.IGNORECASE)
# Those of rpm for Linux. rpmbuild itself would take any word.
_TARGETS: Final = re.compile(
    r"noarch|i[3-6]86|x86_64|aarch64|armv5tel|armv[67]hl|armv[78]l|ia64|loongarch64|riscv64|alpha"
    r"|mips(?:64)?(?:el)?|ppc(?:64(?:le)?)?|s390x?|sparc(?:64)?"
)
_DIRECTORY: Final = re.compile(r"(?:/[A-Za-z0-9_.+-]+)+\Z")
_DEPENDENCY: Final = re.compile(
    r"(?P<name>[A-Za-z0-9_/][A-Za-z0-9_.+/:()-]*)"
    r"(?:\s*(?P<relation><=|>=|=|<|>)\s*(?P<version>(?:\d+:)?[A-Za-z0-9][A-Za-z0-9._+~^]*(?:-[A-Za-z0-9._+~^]+)?))?\Z"
)
_WORD_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Names:
    """An application and its version as rpm writes it (no hyphen in it)."""

    application: Application
    version: str


def names_of(top: str, version: str = "") -> Names:
    """Split a top directory ``application-version``.

    Args:
        top: such as ``pinger-1.8`` or ``my-tool-2.0-rc1``; the version begins at the first hyphen
            before a digit.
        version: instead of the one in ``top``, which need then not have one.

    Raises:
        Invalid: there is no version, or one of the two is not legal.
    """
    found = _SPLIT.match(top)
    if version and top.endswith(f"-{version}"):
        name, text = top.removesuffix(f"-{version}"), version
    elif found:
        name, text = found["name"], version or found["version"]
    elif version:
        name, text = top, version
    else:
        raise Invalid(
            f"the top directory {top!r} names no version",
            hint="call it application-version, as pinger-1.8, or add --version",
        )
    if name.startswith(WRAPPER_PREFIX):
        raise Invalid(f"{name!r} is the name of a wrapper; an application must not begin with dsmtw_")
    return Names(application(name), rpm_version(text))


def rpm_version(text: str) -> str:
    """A version without a hyphen, which rpm keeps for the release.

    ``1.8-rc1`` becomes ``1.8~rc1``, which is older than 1.8; any other hyphen becomes an underscore.

    Raises:
        Invalid: it has characters that rpm does not allow.
    """
    written = _EARLIER.sub("~", text).replace("-", "_")
    return _word(written, "version", "use letters, digits, dot, underscore, plus, tilde; as 1.8")


def rpm_release(text: str) -> str:
    """A release, such as ``1``.

    Raises:
        Invalid: it has characters that rpm does not allow.
    """
    return _word(text, "release", "use letters, digits, dot, underscore, plus, tilde; as 1")


def target_arch(text: str) -> str:
    """An architecture as ``--target`` names it, such as i386, x86_64, noarch.

    Raises:
        Invalid: it is not one.
    """
    if not _TARGETS.fullmatch(text):
        raise Invalid(f"{text!r} is not an architecture", hint="such as i386, x86_64 or noarch")
    return text


def install_directory(text: str) -> str:
    """An absolute directory without ``..``, as ``/usr/local``.

    Raises:
        Invalid: it is not one.
    """
    cleaned = str(PurePosixPath(text))
    if not _DIRECTORY.match(cleaned) or ".." in cleaned.split("/"):
        raise Invalid(f"--installdir {text!r} is not a plain absolute directory", hint="such as /usr/local")
    return cleaned


def dependencies(text: str) -> tuple[str, ...]:
    """Split ``a >= 1.0,b`` into requirements as a spec file has them.

    Raises:
        Invalid: a part is not ``name`` or ``name RELATION version``.
    """
    return tuple(_dependency(part.strip()) for part in text.split(",") if part.strip())


def inside(path: str, directory: str) -> str:
    """A script's path below ``directory``, where the application is installed.

    Args:
        path: absolute, or relative to ``directory``.
        directory: absolute.

    Raises:
        Invalid: it lies elsewhere.
    """
    whole = PurePosixPath(directory) / path
    if not whole.is_relative_to(directory) or ".." in whole.parts or whole == PurePosixPath(directory):
        raise Invalid(
            f"the script {path!r} is not below {directory}, where the application is installed",
            hint=f"such as {directory}/start.sh",
        )
    return str(whole.relative_to(directory))


def script(path: str) -> str:
    """The wrapper's script that runs the application's script at ``path``."""
    return f'#!/bin/sh\nexec {shlex.quote(path)} "$@"\n'


def _dependency(text: str) -> str:
    found = _DEPENDENCY.match(text)
    if not found:
        raise Invalid(f"{text!r} is not a dependency", hint='such as --dependencies "a >= 1.0,b"')
    return f"{found['name']} {found['relation']} {found['version']}" if found["relation"] else found["name"]


def _word(text: str, what: str, hint: str) -> str:
    if not _VERSION.match(text) or len(text) > _WORD_BYTES:
        raise Invalid(f"{text[:80]!r} is not a {what} for rpm", hint=hint)
    return text
