"""A tarball, member by member: every path, link and type is checked before anybody acts on it.

Rule of this file: a member that survives the checks can be written below one directory in the order
of the archive, and nothing can come to lie, or point, outside. Links are relative and have ``..``
only at their beginning, and nothing is stored through a link: so a chain of links stays inside too.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, BinaryIO, Final, Literal, cast

from depot.elf import elf_machine
from depot.unpacking import ERRORS, Unpacked, unpacked_limit
from dsmt_core.errors import Invalid

MEMBERS: Final = 100_000
PATH_BYTES: Final = 1024
_HEAD_BYTES: Final = 64
UNREADABLE: Final = (tarfile.TarError, ValueError, OverflowError, RecursionError, *ERRORS)
_HINT: Final = "make it with: tar -czf pinger-1.8.tgz pinger-1.8"

MemberKind = Literal["directory", "file", "symlink", "hardlink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a tarball.

    Attributes:
        path: below the top directory, as ``bin/pinger``; empty for the top directory itself.
        mode: permission bits, without set-uid, set-gid and sticky.
        mtime: seconds since 1970.
        target: of a link; of a hard link below the top directory as ``path`` is.
    """

    path: str
    kind: MemberKind
    mode: int
    mtime: int
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a tarball holds.

    Attributes:
        top: its one top directory.
        modes: path below the top directory → permission bits, of files and hard links.
        links: the symbolic links: path → target.
        machines: of its programs and libraries (ELF), as rpm calls them.
        newest: the latest modification time of a member, seconds since 1970.
    """

    top: str
    modes: dict[str, int]
    links: dict[str, str]
    machines: frozenset[str]
    newest: int

    def mode_of(self, path: str) -> int | None:
        """The permission bits of the file that ``path`` is or links to; None when there is none."""
        for _ in range(16):
            if path not in self.links:
                return self.modes.get(path)
            path = _joined(path, self.links[path])
        return None


# What is done with a member that passed: its first bytes, and a stream of the others (None: no file).
Keep = Callable[[Member, bytes, IO[bytes] | None], None]


def nothing_kept(member: Member, head: bytes, rest: IO[bytes] | None) -> None:
    """Look at a tarball without storing it."""


def survey(packed: BinaryIO, size: int, *, keep: Keep = nothing_kept) -> Contents:
    """Read a tarball (plain, gzip, xz, zstd) to its end and check all of it.

    Args:
        packed: at its beginning, seekable.
        size: of the packed file, in bytes.
        keep: called for each member in order.

    Raises:
        Invalid: it is not a tarball, damaged, hostile, or has not exactly one top directory.
    """
    stream = Unpacked(packed, unpacked_limit(size))
    gathered = _Survey()
    try:
        for info, content in infos(stream):
            gathered.add(info, content, keep)
        if not stream.at_empty_block:
            raise Invalid("it is cut off or damaged: its end is missing", hint="copy or make it again")
        stream.drain()
    except UnicodeError as error:
        raise Invalid("the name of one of its members is not UTF-8", hint="rename that file") from error
    except UNREADABLE as error:
        raise Invalid("it is not a tarball, or damaged", hint=_HINT) from error
    return gathered.contents()


def infos(stream: Unpacked) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """The members of a tarball, a bounded number; of files also their content.

    Raises:
        Invalid: they are too many.
        tarfile.TarError and others of `UNREADABLE`: it is damaged.
    """
    # tarfile needs read, seek and tell of its file and nothing else in this mode.
    with tarfile.TarFile(mode="r", fileobj=cast("IO[bytes]", stream), errors="strict") as archive:
        for count, info in enumerate(archive):
            if count >= MEMBERS:
                raise Invalid(f"it has more than {MEMBERS:,} members")
            yield info, archive.extractfile(info) if info.isreg() and not info.issparse() else None


@dataclass(slots=True)
class _Survey:
    """What was seen so far of one tarball."""

    top: str = ""
    directories: set[str] = field(default_factory=lambda: {""})
    modes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    machines: set[str] = field(default_factory=set)
    newest: int = 0

    def add(self, info: tarfile.TarInfo, content: IO[bytes] | None, keep: Keep) -> None:
        inside = self._inside(clean_name(info.name))
        if inside is None:
            return
        member = self._member(info, inside)
        head = content.read(_HEAD_BYTES) if content else b""
        keep(member, head, content)
        self._remember(member, head)

    def contents(self) -> Contents:
        if not self.top or not (self.modes or self.links):
            raise Invalid("it is empty", hint=_HINT)
        machines = frozenset(self.machines)
        return Contents(
            top=self.top, modes=self.modes, links=self.links, machines=machines, newest=self.newest
        )

    def _inside(self, path: str) -> str | None:
        top, _, inside = path.partition("/")
        if not top:
            return None
        self.top = self.top or top
        if top != self.top:
            raise Invalid(
                f"it has two top directories, {self.top!r} and {top!r}",
                hint="an application lies in one directory named application-version, as pinger-1.8/",
            )
        return inside

    def _member(self, info: tarfile.TarInfo, path: str) -> Member:
        kind = kind_of(info)
        if not path and kind != "directory":
            raise Invalid(f"{info.name!r} lies beside a top directory instead of in one", hint=_HINT)
        self._check_place(path, kind)
        return Member(
            path=path,
            kind=kind,
            mode=info.mode & 0o777,
            mtime=max(0, int(info.mtime)),
            target=self._target(info, path, kind),
        )

    def _check_place(self, path: str, kind: MemberKind) -> None:
        if path in self.modes or path in self.links or (path in self.directories and kind != "directory"):
            raise Invalid(f"it holds {path!r} twice")
        for parent in _parents(path):
            if parent in self.modes or parent in self.links:
                raise Invalid(f"its member {path!r} lies below a file or a link")

    def _target(self, info: tarfile.TarInfo, path: str, kind: MemberKind) -> str:
        if kind == "symlink":
            return _link_target(path, info.linkname)
        if kind != "hardlink":
            return ""
        top, _, target = clean_name(info.linkname).partition("/")
        if top != self.top or target not in self.modes:
            raise Invalid(f"its member {path!r} is a link to {info.linkname!r}, which is not in it")
        return target

    def _remember(self, member: Member, head: bytes) -> None:
        self.newest = max(self.newest, member.mtime)
        self.directories.update(_parents(member.path))
        if member.kind == "directory":
            self.directories.add(member.path)
        elif member.kind == "symlink":
            self.links[member.path] = member.target
        else:
            self.modes[member.path] = self.modes.get(member.target, member.mode)
        if machine := elf_machine(head):
            self.machines.add(machine)


def kind_of(info: tarfile.TarInfo) -> MemberKind:
    """What a member is.

    Raises:
        Invalid: nothing that may be packaged.
    """
    if info.isdir():
        return "directory"
    if info.issym():
        return "symlink"
    if info.islnk():
        return "hardlink"
    if info.isreg() and not info.issparse():
        return "file"
    raise Invalid(
        f"its member {info.name!r} is a device, a pipe, a sparse file or something else unusual",
        hint="only files, directories and links can be packaged",
    )


def clean_name(name: str) -> str:
    """A member's path without ``./`` and a final slash; empty for the archive's own root.

    Raises:
        Invalid: it lies outside, or is not a name.
    """
    words = [word for word in name.split("/") if word != "."]
    path = "/".join(words).rstrip("/")
    if name.startswith("/") or ".." in words or "" in path.split("/")[1:]:
        raise Invalid(
            f"its member {name[:80]!r} lies outside of it", hint="paths are relative, without '..'"
        )
    if not name.isprintable():
        raise Invalid(f"its member {name[:80]!r} has a control character, or is not UTF-8")
    if len(name.encode()) > PATH_BYTES:
        raise Invalid(f"its member {name[:80]!r}… has a path above {PATH_BYTES} bytes")
    return path


def _link_target(path: str, target: str) -> str:
    words = target.split("/")
    ups = next((index for index, word in enumerate(words) if word != ".."), len(words))
    outside = ups > path.count("/") or ".." in words[ups:]
    if not target or target.startswith("/") or outside or not target.isprintable():
        raise Invalid(
            f"its member {path!r} is a link to {target[:80]!r}, outside of it",
            hint="links are relative, with '..' only at their beginning",
        )
    return target


def _joined(path: str, target: str) -> str:
    words = path.split("/")[:-1]
    for word in target.split("/"):
        if word == "..":
            words = words[:-1]
        elif word not in {"", "."}:
            words.append(word)
    return "/".join(words)


def _parents(path: str) -> Iterator[str]:
    words = path.split("/")[:-1]
    return ("/".join(words[:count]) for count in range(1, len(words) + 1))
