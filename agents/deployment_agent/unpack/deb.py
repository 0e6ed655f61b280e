"""The entries and maintainer scripts of a Debian package: an ar archive of two tar archives (deb(5))."""

from __future__ import annotations

import io
import os
import platform
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from agents.deployment_agent.unpack.entry import Entry, entry_name
from agents.deployment_agent.unpack.tar import entry_of, opened
from dsmt_core.errors import Invalid

_MAGIC: Final = b"!<arch>\n"
_HEADER: Final = 60
_SCRIPT_BYTES: Final = 1 << 20
_SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")
_NAME: Final = re.compile(r"^Package: *([a-z0-9][a-z0-9+.-]+) *$", re.MULTILINE)
_ARCHITECTURE: Final = re.compile(r"^Architecture: *([a-z0-9-]+) *$", re.MULTILINE)
# What runs on which machine.
_RUNS: Final = {"x86_64": {"amd64", "i386"}, "aarch64": {"arm64"}, "i686": {"i386"}, "armv7l": {"armhf"}}


@dataclass(frozen=True, slots=True)
class Control:
    """What is used of a package's control archive: its name, and its maintainer scripts."""

    name: str
    scripts: dict[str, bytes]


class _Window(io.RawIOBase):
    """A part of a file."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at = file, start, size, 0

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._at
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset if whence == 0 else self._at
        return self._at


def control(path: Path) -> Control:
    """The control archive of the package at ``path``.

    Raises:
        Invalid: it cannot be read, or is for another machine.
    """
    text, scripts = "", {}
    with path.open("rb") as file, opened(_member(file, "control.tar")) as archive:
        for member in archive:
            name, content = str(entry_name(member.name)), archive.extractfile(member)
            if content is None:
                continue
            if name == "control":
                text = content.read(_SCRIPT_BYTES).decode(errors="replace")
            elif name in _SCRIPTS:
                scripts[name] = content.read(_SCRIPT_BYTES)
    named, machine = _NAME.search(text), _ARCHITECTURE.search(text)
    if named is None or machine is None:
        raise Invalid("the Debian package has no name or no architecture")
    here = platform.machine()
    if machine[1] != "all" and machine[1] not in _RUNS.get(here, {here}):
        raise Invalid(f"{named[1]} is for {machine[1]}, and this machine is {here}")
    return Control(named[1], scripts)


def deb_entries(path: Path) -> Iterator[Entry]:
    """The entries of the package at ``path``; their names are relative to its root."""
    with path.open("rb") as file, opened(_member(file, "data.tar")) as archive:
        for member in archive:
            name = entry_name(member.name)
            if name.parts:
                linked = entry_name(member.linkname) if member.islnk() else PurePosixPath()
                yield _rooted(entry_of(archive, member, name, linked))


def _rooted(entry: Entry) -> Entry:
    """A link to an absolute name leads to that name below the directory."""
    if not (stat.S_ISLNK(entry.mode) and entry.target.startswith("/")):
        return entry
    parent = PurePosixPath("/", entry.name).parent
    return replace(entry, target=os.path.relpath(os.path.normpath(entry.target), parent))


def _member(file: IO[bytes], wanted: str) -> IO[bytes]:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise Invalid("it is not a Debian package")
    at = len(_MAGIC)
    while len(header := file.read(_HEADER)) == _HEADER:
        digits = header[48:58].strip()
        if not digits.isdigit():
            break
        at += _HEADER
        if header[:16].decode(errors="replace").startswith(wanted):
            return cast("IO[bytes]", _Window(file, at, int(digits)))
        at += int(digits) + int(digits) % 2
        file.seek(at)
    raise Invalid(f"the Debian package has no {wanted}")
