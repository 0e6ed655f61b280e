"""Tarballs: what is in them, and what is refused."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from depot import tarball, unpacking
from depot.tarball import survey
from depot.unpacking import Unpacked, unpacked_limit
from dsmt_core.errors import Invalid
from tests.unit.depot.crafted import link, member, pinger, plain_tar

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}


def read(content: bytes) -> tarball.Contents:
    return survey(io.BytesIO(content), len(content))


@pytest.mark.parametrize("packer", PACKERS)
def test_each_compression_is_recognised_by_its_content(packer: str) -> None:
    contents = read(PACKERS[packer](plain_tar(pinger())))
    assert contents.top == "pinger-1.8"
    assert contents.modes == {"start.sh": 0o755, "README": 0o644}
    assert contents.newest == 1_700_000_000
    assert not contents.machines


def test_a_leading_dot_names_the_same_files() -> None:
    entries = [member("./"), member("./pinger-1.8/"), member("./pinger-1.8/start.sh", b"x", mode=0o755)]
    assert read(plain_tar(entries)).modes == {"start.sh": 0o755}


def test_names_with_spaces_and_unicode_are_kept() -> None:
    contents = read(plain_tar(pinger(member("pinger-1.8/a dir/Größe 東京.txt", b"x"))))
    assert "a dir/Größe 東京.txt" in contents.modes


def test_links_inside_are_followed_to_their_file() -> None:
    links = [
        member("pinger-1.8/bin/"),
        link("pinger-1.8/bin/go", "../start.sh"),
        link("pinger-1.8/again", "bin/go"),
        link("pinger-1.8/hard", "pinger-1.8/start.sh", kind=tarfile.LNKTYPE),
        link("pinger-1.8/loop", "loop"),
        link("pinger-1.8/nowhere", "gone"),
    ]
    contents = read(plain_tar(pinger(*links)))
    assert contents.mode_of("again") == contents.mode_of("hard") == 0o755
    assert contents.mode_of("loop") is None
    assert contents.mode_of("nowhere") is None


def test_the_machine_of_programs_is_found() -> None:
    program = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(60)
    assert read(plain_tar(pinger(member("pinger-1.8/bin", program)))).machines == {"x86_64"}


REFUSED = {
    "an absolute path": ([member("/etc/passwd", b"x")], "outside"),
    "a path out of it": ([member("pinger-1.8/../../x", b"x")], "outside"),
    "an empty word in a path": ([member("pinger-1.8//x", b"x")], "outside"),
    "two top directories": ([member("other-1/x", b"x")], "two top directories"),
    "a file beside": ([member("readme", b"x")], "two top directories"),
    "a link to an absolute path": ([link("pinger-1.8/l", "/etc")], "outside"),
    "a link out of it": ([link("pinger-1.8/l", "../../x")], "outside"),
    "a link that climbs after it went down": ([link("pinger-1.8/l", "bin/../../..")], "outside"),
    "an empty link": ([link("pinger-1.8/l", "")], "outside"),
    "a file below a link": ([link("pinger-1.8/l", "."), member("pinger-1.8/l/x", b"x")], "below a file"),
    "a file below a file": ([member("pinger-1.8/README/x", b"x")], "below a file"),
    "a file twice": ([member("pinger-1.8/README", b"x")], "twice"),
    "a file instead of a directory": (
        [member("pinger-1.8/d/x", b"x"), member("pinger-1.8/d", b"x")],
        "twice",
    ),
    "a hard link to elsewhere": ([link("pinger-1.8/h", "etc/passwd", kind=tarfile.LNKTYPE)], "not in it"),
    "a hard link to a later file": (
        [link("pinger-1.8/h", "pinger-1.8/z", kind=tarfile.LNKTYPE), member("pinger-1.8/z", b"")],
        "not in it",
    ),
    "a device": ([member("pinger-1.8/null", kind=tarfile.CHRTYPE)], "device"),
    "a pipe": ([member("pinger-1.8/pipe", kind=tarfile.FIFOTYPE)], "device"),
    "a newline in a name": ([member("pinger-1.8/a\nb", b"x")], "control character"),
    "a name of two kilobytes": ([member("pinger-1.8/" + "x" * 2000, b"x")], "above 1024"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_is(case: str) -> None:
    entries, words = REFUSED[case]
    with pytest.raises(Invalid, match=words):
        read(plain_tar(pinger(*entries)))


def test_a_name_that_is_not_utf8_is_refused_as_what_it_is() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        archive.addfile(tarfile.TarInfo("pinger-1.8/Größe"))
    with pytest.raises(Invalid, match="not UTF-8"):
        read(packed.getvalue())


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, plain_tar([]), plain_tar([member("pinger-1.8/")])])
def test_an_empty_tarball_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read(content)


def test_a_file_without_a_top_directory_is_refused() -> None:
    with pytest.raises(Invalid, match="beside a top directory"):
        read(plain_tar([member("start.sh", b"x")]))


@pytest.mark.parametrize("packer", PACKERS)
def test_a_tarball_that_is_cut_off_anywhere_is_refused(packer: str) -> None:
    whole = PACKERS[packer](plain_tar(pinger(member("pinger-1.8/data", bytes(range(256)) * 40))))
    contents = len(plain_tar(pinger(member("pinger-1.8/data", bytes(10_240)))).rstrip(b"\0"))
    end = contents if packer == "tar" else len(whole) - 8
    for size in range(0, end, max(1, end // 60)):
        with pytest.raises(Invalid):
            read(whole[:size])


@pytest.mark.parametrize("packer", ["gzip", "xz"])
def test_an_altered_byte_is_noticed(packer: str) -> None:
    whole = bytearray(PACKERS[packer](plain_tar(pinger(member("pinger-1.8/data", bytes(range(256)) * 40)))))
    whole[len(whole) // 2] ^= 0x55
    with pytest.raises(Invalid):
        read(bytes(whole))


def test_more_data_after_the_end_of_xz_is_refused() -> None:
    with pytest.raises(Invalid):
        read(lzma.compress(plain_tar(pinger())) + b"more")


def test_a_bomb_is_refused_before_it_has_unpacked() -> None:
    bomb = gzip.compress(plain_tar(pinger(member("pinger-1.8/zeros", bytes(70 << 20)))), 9)
    assert len(bomb) < 1 << 20
    with pytest.raises(Invalid, match="unpacks to more than"):
        read(bomb)


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarball, "MEMBERS", 2)
    with pytest.raises(Invalid, match="members"):
        read(plain_tar(pinger()))


def test_a_header_that_asks_for_gigabytes_is_refused() -> None:
    info = tarfile.TarInfo("pinger-1.8/x")
    info.type, info.size = tarfile.XHDTYPE, 3 << 30
    with pytest.raises(Invalid):
        read(info.tobuf() + bytes(10_240))


def test_a_sparse_file_is_refused() -> None:
    info = tarfile.TarInfo("pinger-1.8/sparse")
    info.type = tarfile.GNUTYPE_SPARSE
    with pytest.raises(Invalid):
        read(info.tobuf(tarfile.GNU_FORMAT) + plain_tar(pinger()))


def test_the_limit_grows_with_the_file_up_to_a_bound() -> None:
    assert unpacked_limit(0) == unpacking.SMALL_BYTES
    assert unpacked_limit(1 << 20) == 200 << 20
    assert unpacked_limit(1 << 40) == unpacking.UNPACKED_BYTES


def test_reading_backwards_is_refused_but_for_one_byte() -> None:
    stream = Unpacked(io.BytesIO(b"0123456789" * 100), 10_000)
    assert stream.read(10) == b"0123456789"
    assert stream.seek(9) == stream.tell() == 9
    assert stream.read(3) == b"901"
    with pytest.raises(Invalid):
        stream.seek(3)
    with pytest.raises(Invalid):
        stream.read(unpacking.READ_BYTES + 1)
    assert stream.seek(2_000) == 1_000


@given(st.binary(max_size=2_000), st.sampled_from(["tar", *PACKERS]))
def test_any_bytes_are_read_or_refused_and_nothing_else(content: bytes, packer: str) -> None:
    with pytest.raises(Invalid):
        read(PACKERS[packer](content))


@given(st.integers(0, 4_000), st.integers(0, 255))
def test_a_tarball_with_any_one_byte_altered_is_read_or_refused(place: int, byte: int) -> None:
    content = bytearray(plain_tar(pinger(link("pinger-1.8/l", "start.sh"))))
    content[place] = byte
    try:
        contents = read(bytes(content))
    except Invalid:
        return
    assert not any(".." in path.split("/") or path.startswith("/") for path in contents.modes)


def test_a_file_is_surveyed_from_the_disk(file_of: Callable[[bytes], Path]) -> None:
    path = file_of(plain_tar(pinger()))
    with path.open("rb") as file:
        assert survey(file, path.stat().st_size).top == "pinger-1.8"
