"""Root file systems in the depot: known by their content, and refused where a node would refuse them."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from depot.reading import inspect
from dsmt_core.errors import Invalid

WriteFile = Callable[[bytes], Path]
RELEASE = b'PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\nVERSION_ID="13"\nbroken "\n'
Entry = tuple[str, bytes, bytes]
SHELL: Entry = ("bin/sh", tarfile.REGTYPE, b"#!")
RELEASED: Entry = ("./etc/os-release", tarfile.REGTYPE, RELEASE)


def tar(*entries: Entry) -> bytes:
    """A tar of entries, each name, type, and content or the target of a link."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, kind, content in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content.decode()
                archive.addfile(info)
    return made.getvalue()


def test_it_says_which_distribution_it_is(file_of: WriteFile) -> None:
    links: tuple[Entry, ...] = (
        ("usr/bin/sh", tarfile.SYMTYPE, b"dash"),
        ("lib", tarfile.SYMTYPE, b"usr/lib"),
        ("etc/alternatives/awk", tarfile.SYMTYPE, b"/usr/bin/mawk"),
        ("dev/sda", tarfile.BLKTYPE, b""),
    )
    for content in (tar(RELEASED, *links), gzip.compress(tar(RELEASED, *links))):
        said = inspect(file_of(content))
        assert (said.kind, said.name, said.version, said.application) == ("rootfs", "debian", "13", "")


@pytest.mark.parametrize("release", [b'ID=\nVERSION_ID="1 2"\n', b"ID=../x\nVERSION_ID=%(id)\n", b"\xff'"])
def test_one_that_says_nothing_usable_is_called_root(file_of: WriteFile, release: bytes) -> None:
    said = inspect(file_of(tar(SHELL, ("etc/os-release", tarfile.REGTYPE, release), RELEASED)))
    assert (said.name, said.version) == ("root", "0")
    assert inspect(file_of(tar(SHELL, ("etc/x", tarfile.REGTYPE, b"")))).version == "0"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (("/etc/x", tarfile.REGTYPE, b""), "leads out"),
        (("../x", tarfile.REGTYPE, b""), "leads out"),
        (("lib/x", tarfile.REGTYPE, b""), "through a link"),
        (("disk", tarfile.BLKTYPE, b""), "device"),
        (("pipe", tarfile.FIFOTYPE, b""), "device"),
    ],
)
def test_what_no_node_takes_is_refused_with_the_reason(file_of: WriteFile, entry: Entry, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        inspect(file_of(tar(SHELL, ("lib", tarfile.SYMTYPE, b"/usr/lib"), entry)))


def test_a_torn_one_is_refused_and_a_tarball_of_anything_is_none(file_of: WriteFile) -> None:
    whole = tar(SHELL, ("etc/big", tarfile.REGTYPE, b"x" * 100_000))
    for content in (whole[:3000], whole[: len(whole) - 12_000], gzip.compress(whole)[:60]):
        with pytest.raises(Invalid):
            inspect(file_of(content))
    with pytest.raises(Invalid, match="two top directories"):
        inspect(file_of(tar(("a/x", tarfile.REGTYPE, b""), ("b/x", tarfile.REGTYPE, b""))))
