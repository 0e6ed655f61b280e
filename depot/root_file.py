"""A root file system in a tar, as mmdebstrap or ``podman export`` write it: known by its shell.

Rule of this file: what a node would refuse is refused here. Links may lead anywhere: they mean something in
a sliver only, and nobody follows them outside.
"""

from __future__ import annotations

import re
import shlex
import tarfile
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, BinaryIO, Final

from depot.tarball import UNREADABLE, infos
from depot.unpacking import Unpacked, unpacked_limit
from dsmt_core.errors import Invalid

_SHELLS: Final = frozenset({"bin/sh", "usr/bin/sh"})
_RELEASES: Final = ("etc/os-release", "usr/lib/os-release")
_RELEASE_BYTES: Final = 1 << 16
# The kernel's, which no node takes from a tar.
_LEFT_OUT: Final = frozenset({"dev", "proc", "sys"})
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class RootFile:
    """What its ``os-release`` says (os-release(5)); ``root`` and ``0`` where it says nothing."""

    name: str
    version: str


def read_root(packed: BinaryIO, size: int) -> RootFile | None:
    """Read a tar to its end; None when it is no root file system.

    Args:
        packed: at its beginning, seekable.
        size: of the packed file, in bytes.

    Raises:
        Invalid: it is one, and damaged or such as no node takes.
    """
    found = _Found()
    try:
        stream = Unpacked(packed, unpacked_limit(size))
        for info, content in infos(stream):
            found.add(info, content)
        torn = not stream.at_empty_block
        stream.drain()
    except (UnicodeError, *UNREADABLE) as error:
        if not found.shell:
            return None
        raise Invalid("the root file system is damaged") from error
    if not found.shell:
        return None
    if torn:
        raise Invalid("the root file system is cut off: its end is missing", hint="copy or make it again")
    if found.trouble:
        raise Invalid(f"the root file system cannot be used: {found.trouble}")
    return _said(found.release)


@dataclass(slots=True)
class _Found:
    shell: bool = False
    trouble: str = ""
    release: str = ""
    links: set[str] = field(default_factory=set)

    def add(self, info: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        parts = [part for part in info.name.split("/") if part not in {"", "."}]
        path = "/".join(parts)
        if parts[:1] and parts[0] in _LEFT_OUT:
            return
        self.shell = self.shell or path in _SHELLS
        self.trouble = self.trouble or self._trouble(info, parts)
        if info.issym():
            self.links.add(path)
        if content is not None and path in _RELEASES and not self.release:
            self.release = content.read(_RELEASE_BYTES).decode(errors="replace")

    def _trouble(self, info: tarfile.TarInfo, parts: list[str]) -> str:
        name = repr(info.name[:60])
        if info.name.startswith("/") or ".." in parts:
            return f"{name} leads out of it"
        if not (info.isreg() or info.isdir() or info.issym() or info.islnk()):
            return f"{name} is a device, a pipe or a socket (tar --exclude)"
        if any("/".join(parts[:count]) in self.links for count in range(1, len(parts))):
            return f"{name} would be stored through a link"
        return ""


def _said(release: str) -> RootFile:
    fields = {}
    for line in release.splitlines():
        name, equals, text = line.partition("=")
        with suppress(ValueError):
            if equals and (words := shlex.split(text)):
                fields[name.strip()] = words[0]
    name, version = fields.get("ID", ""), fields.get("VERSION_ID", "").replace("-", "_")
    return RootFile(
        name if _ID.match(name) else "root",
        version if _VERSION.match(version) else "0",
    )
