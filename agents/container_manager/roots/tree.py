"""A root file system out of a tar: unpacked once, bounded, and with nothing in it that lends rights.

Its symbolic links may be anything, as ``/etc/alternatives`` needs: they mean something in the sliver only,
and nothing here follows one. They are laid last, so nothing is stored through one either.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agents.deployment_agent.unpack.entry import Entry, bounded, entry_name
from agents.deployment_agent.unpack.placing import Placer
from agents.deployment_agent.unpack.tar import TORN, entry_of, opened
from dsmt_core.errors import Full, Invalid

SPARE_BYTES: Final = 256 << 20
"""What unpacking leaves free on the disk."""
# The kernel's are seen instead; tars of whole machines have devices there.
_NOT_TAKEN: Final = frozenset({"dev", "proc", "sys"})


def unpack(archive: Path, tree: Path) -> None:
    """Make the directory ``tree`` out of a tar (plain, gzip, xz, zstd).

    Raises:
        Invalid: it is damaged, too big, or has what no root file system may have.
        Full: the disk has no room for it.
        OSError: it cannot be read or written.
    """
    tree.mkdir(mode=0o755)
    try:
        with archive.open("rb") as file, opened(file) as members:
            _Tree(tree).place(_with_room(bounded(_entries(members)), tree))
    except TORN as error:
        raise Invalid(f"the root file system cannot be read: {error}") from error
    if not any(tree.iterdir()):
        raise Invalid("the root file system is empty")
    tree.chmod(0o755)


class _Tree(Placer):
    def _check_link(self, path: Path, target: str) -> None:
        """Any will do: see above."""


def _entries(members: tarfile.TarFile) -> Iterator[Entry]:
    for member in members:
        name = entry_name(member.name)
        if name.parts and name.parts[0] not in _NOT_TAKEN:
            linked = entry_name(member.linkname) if member.islnk() else name
            yield entry_of(members, member, name, linked)


def _with_room(entries: Iterator[Entry], where: Path) -> Iterator[Entry]:
    for entry in entries:
        if entry.size > 0:
            found = os.statvfs(where)
            if found.f_bavail * found.f_frsize < entry.size + SPARE_BYTES:
                raise Full("the disk of the node has no room for the root file system")
        yield entry
