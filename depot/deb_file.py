"""Reading a Debian package: an ar archive with a control tarball and a data tarball (deb(5)).

Rule of this file: nothing is believed before it is bounded and checked; every path of the data stays below
the directory that the package is unpacked into, and links are taken as if that were the root.
"""

from __future__ import annotations

import email.parser
import email.policy
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, Final, cast

from depot.elf import elf_machine
from depot.tarball import UNREADABLE, clean_name, infos, kind_of
from depot.unpacking import Unpacked, unpacked_limit
from dsmt_core.errors import Invalid

MAGIC: Final = b"!<arch>\n"
MAINTAINER_SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")
_HEADER: Final = 60
_CONTROL_BYTES: Final = 256 << 10
_HEAD_BYTES: Final = 64
_DEPENDENCY: Final = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*"
    r"(?:\(\s*(?P<relation><<|<=|=|>=|>>)\s*(?P<version>[^\s()]+)\s*\))?\Z"
)
_RELATIONS: Final = {"<<": "<", ">>": ">"}
_ARCHITECTURES: Final = {"all": "noarch", "amd64": "x86_64", "arm64": "aarch64", "armhf": "armv7hl"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DebFile:
    """What a Debian package says.

    Attributes:
        version: ``[epoch:]upstream[-revision]``.
        arch: as rpm calls it; noarch for all.
        requires, provides: each ``name`` or ``name RELATION version``; alternatives are left out.
        modes: path → permission bits of its files, without a slash at the beginning.
        scripts: which maintainer scripts it has.
    """

    name: str
    version: str
    arch: str
    requires: tuple[str, ...]
    provides: tuple[str, ...]
    modes: dict[str, int]
    scripts: tuple[str, ...]


class _Window:
    """A part of a file, as a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def read(self, size: int = -1, /) -> bytes:
        left = self._size - self._at
        wanted = left if size < 0 else min(size, left)
        self._file.seek(self._start + self._at)
        data = self._file.read(wanted)
        self._at += len(data)
        return data

    def seek(self, offset: int, /) -> int:
        self._at = min(offset, self._size)
        return self._at


def read_deb(file: BinaryIO, size: int) -> DebFile:
    """Read a Debian package to its end and check all of it.

    Args:
        file: seekable.
        size: its bytes.

    Raises:
        Invalid: it is damaged, hostile, or not of version 2.
    """
    members = dict(_members(file, size))
    if members.get("debian-binary", _Window(file, 0, 0)).read(2) != b"2.":
        raise Invalid("it is not a Debian package of version 2", hint="make it with dpkg-deb --build")
    control = next((one for name, one in members.items() if name.startswith("control.tar")), None)
    data = next((one for name, one in members.items() if name.startswith("data.tar")), None)
    if control is None or data is None:
        raise Invalid("it has no control.tar or no data.tar")
    try:
        fields, scripts = _control(control)
        modes, machines = _data(data, size)
    except UnicodeError as error:
        raise Invalid("a name in it is not UTF-8") from error
    except UNREADABLE as error:
        raise Invalid("one of its tarballs is damaged, or compressed by something unknown") from error
    return _said(fields, modes, scripts, machines)


def _members(file: BinaryIO, size: int) -> Iterator[tuple[str, _Window]]:
    at = len(MAGIC)
    while at + _HEADER <= size:
        file.seek(at)
        header = file.read(_HEADER)
        digits = header[48:58].strip()
        if header[58:] != b"`\n" or not digits.isdigit():
            raise Invalid("its ar archive is damaged")
        length = int(digits)
        at += _HEADER
        if at + length > size:
            raise Invalid("it is cut off", hint="copy or make it again")
        yield header[:16].decode("ascii", "replace").strip().rstrip("/"), _Window(file, at, length)
        at += length + length % 2


def _control(member: _Window) -> tuple[dict[str, str], tuple[str, ...]]:
    fields: dict[str, str] = {}
    scripts = []
    for info, content in infos(Unpacked(cast("BinaryIO", member), _CONTROL_BYTES << 4)):
        name = clean_name(info.name)
        if name in MAINTAINER_SCRIPTS and content is not None:
            scripts.append(name)
        elif name == "control" and content is not None:
            fields = _fields(content)
    if not fields:
        raise Invalid("it has no control file")
    return fields, tuple(each for each in MAINTAINER_SCRIPTS if each in scripts)


def _fields(content: IO[bytes]) -> dict[str, str]:
    text = content.read(_CONTROL_BYTES).decode()
    message = email.parser.Parser(policy=email.policy.compat32).parse(io.StringIO(text), headersonly=True)
    return {name.lower(): " ".join(str(value).split()) for name, value in message.items()}


def _data(member: _Window, size: int) -> tuple[dict[str, int], set[str]]:
    modes: dict[str, int] = {}
    machines: set[str] = set()
    stream = Unpacked(cast("BinaryIO", member), unpacked_limit(size))
    for info, content in infos(stream):
        name, kind = clean_name(info.name), kind_of(info)
        if kind == "symlink":
            _check_link(name, info.linkname)
        if kind == "hardlink" and clean_name(info.linkname) not in modes:
            raise Invalid(f"its file {name[:80]!r} is a link to {info.linkname[:80]!r}, which is not in it")
        if kind in {"file", "hardlink"}:
            modes[name] = info.mode & 0o777
        head = content.read(_HEAD_BYTES) if content else b""
        if machine := elf_machine(head):
            machines.add(machine)
    if not stream.at_empty_block:
        raise tarfile.ReadError("its end is missing")
    stream.drain()
    return modes, machines


def _check_link(path: str, target: str) -> None:
    depth = 0 if target.startswith("/") else path.count("/")
    for word in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(word, 1)
        if depth < 0:
            raise Invalid(f"its link {path[:80]!r} to {target[:80]!r} leads out of it")
    if not target or not target.isprintable():
        raise Invalid(f"its link {path[:80]!r} has no legal target")


def _said(
    fields: dict[str, str], modes: dict[str, int], scripts: tuple[str, ...], machines: set[str]
) -> DebFile:
    missing = [name for name in ("package", "version", "architecture") if not fields.get(name)]
    if missing:
        raise Invalid(f"its control file has no {missing[0].capitalize()}")
    arch = fields["architecture"]
    known = _ARCHITECTURES.get(arch, arch)
    if known == "noarch" and len(machines) == 1:
        known = machines.copy().pop()
    depends = f"{fields.get('pre-depends', '')},{fields.get('depends', '')}"
    return DebFile(
        name=fields["package"],
        version=fields["version"],
        arch=known,
        requires=tuple(_relations(depends)),
        provides=tuple(_relations(fields.get("provides", ""))),
        modes=modes,
        scripts=scripts,
    )


def _relations(text: str) -> Iterator[str]:
    for part in filter(None, (part.strip() for part in text.split(","))):
        # Of alternatives no single package is the answer: that is the node's system's business.
        if "|" in part:
            continue
        found = _DEPENDENCY.match(part)
        if found is None:
            raise Invalid(f"its dependency {part[:80]!r} is not legal")
        relation = found["relation"]
        yield (
            f"{found['name']} {_RELATIONS.get(relation, relation)} {found['version']}"
            if relation
            else found["name"]
        )
