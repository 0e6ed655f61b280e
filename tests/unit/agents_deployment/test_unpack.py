"""Archives that mean harm: nothing of them ends up outside, and they are refused."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from agents.deployment_agent.unpack import entry as entries_module
from agents.deployment_agent.unpack.entry import Entry, bounded, entry_name
from agents.deployment_agent.unpack.entry_points import relocate, relocated
from agents.deployment_agent.unpack.placing import Placer
from agents.deployment_agent.unpack.rpm import rpm_entries
from agents.deployment_agent.unpack.tar import tar_entries
from dsmt_core.errors import Invalid

Member = tuple[str, bytes | None, dict[str, object]]


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    def made(*members: Member, mode: str = "w:gz") -> Path:
        path = tmp_path / "it.tar"
        with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
            for name, content, more in members:
                info = tarfile.TarInfo(name)
                info.mode = 0o755
                for key, value in more.items():
                    setattr(info, key, value)
                info.size = len(content or b"")
                tar.addfile(info, io.BytesIO(content or b""))
        return path

    return made


def _unpack(path: Path, into: Path) -> Placer:
    into.mkdir(exist_ok=True)
    placer = Placer(into)
    placer.place(bounded(tar_entries(path)))
    return placer


def test_a_good_archive_is_unpacked_without_its_top(tmp_path: Path, archive: Callable[..., Path]) -> None:
    path = archive(
        ("app-1/", None, {"type": tarfile.DIRTYPE}),
        ("app-1/bin/run", b"hi", {"mode": 0o6755}),
        ("app-1/bin/again", None, {"type": tarfile.LNKTYPE, "linkname": "app-1/bin/run"}),
        ("app-1/lib", None, {"type": tarfile.SYMTYPE, "linkname": "bin"}),
        ("app-1/closed/", None, {"type": tarfile.DIRTYPE, "mode": 0o500}),
        ("app-1/closed/file", b"x", {}),
    )
    into = tmp_path / "into"
    _unpack(path, into)
    assert (into / "lib" / "run").read_bytes() == (into / "bin" / "again").read_bytes() == b"hi"
    assert stat.S_IMODE((into / "bin" / "run").stat().st_mode) == 0o755
    assert (into / "closed" / "file").read_bytes() == b"x"


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_every_usual_compression_is_read(tmp_path: Path, archive: Callable[..., Path], mode: str) -> None:
    _unpack(archive(("a-1/f", b"x", {}), mode=mode), tmp_path / "into")
    assert (tmp_path / "into" / "f").read_bytes() == b"x"


def test_zstandard_is_read(tmp_path: Path, archive: Callable[..., Path]) -> None:
    import zstandard

    path = archive(("a-1/f", b"x", {}), mode="w:")
    path.write_bytes(zstandard.ZstdCompressor().compress(path.read_bytes()))
    _unpack(path, tmp_path / "into")
    assert (tmp_path / "into" / "f").read_bytes() == b"x"


LINK = {"type": tarfile.SYMTYPE}


@pytest.mark.parametrize(
    "members",
    [
        [("a-1/../../evil", b"x", {})],
        [("/etc/evil", b"x", {})],
        [("a-1/l", None, {**LINK, "linkname": "/etc"})],
        [("a-1/l", None, {**LINK, "linkname": "../../.."})],
        [("a-1/l", None, {**LINK, "linkname": "/etc"}), ("a-1/l/evil", b"x", {})],
        [
            ("a-1/d/e/f", None, {**LINK, "linkname": "../.."}),
            ("a-1/g", None, {**LINK, "linkname": "d/e/f/../.."}),
        ],
        [("a-1/h", None, {"type": tarfile.LNKTYPE, "linkname": "a-1/../../../etc/passwd"})],
        [("a-1/h", None, {"type": tarfile.LNKTYPE, "linkname": "a-1/missing"})],
        [("a-1/dev", None, {"type": tarfile.CHRTYPE})],
        [("a-1/pipe", None, {"type": tarfile.FIFOTYPE})],
        [("a-1/f", b"x", {}), ("b-1/f", b"x", {})],
        [("a-1", b"x", {})],
        [("a-1/f", b"x", {}), ("a-1/f/g", b"x", {})],
        [],
    ],
)
def test_what_would_leave_its_place_is_refused(
    tmp_path: Path, archive: Callable[..., Path], members: list[Member]
) -> None:
    (tmp_path / "deep").mkdir()
    with pytest.raises(Invalid):
        _unpack(archive(*members), tmp_path / "deep" / "into")
    for path in (tmp_path / "deep").rglob("*"):
        assert path.resolve().is_relative_to(tmp_path / "deep" / "into")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"hello\n" * 1000, b"\x1f\x8b" + b"x" * 100):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(Invalid):
            _unpack(tmp_path / "f", tmp_path / "into")
        with pytest.raises(Invalid):
            list(rpm_entries(tmp_path / "f"))


def test_too_many_entries_or_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries_module, "ENTRIES", 3)
    many = [Entry(PurePosixPath(str(number)), stat.S_IFREG) for number in range(4)]
    with pytest.raises(Invalid, match="more than"):
        list(bounded(iter(many)))
    with pytest.raises(Invalid, match="more than"):
        list(bounded(iter([Entry(PurePosixPath("f"), stat.S_IFREG, 9 << 30)])))


@pytest.mark.parametrize("name", ["", "a\0b", "../a", "a/../../b", "/a", "x" * 5000])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        entry_name(name)


def test_only_the_slivers_own_directories_take_files(tmp_path: Path) -> None:
    placer = Placer(tmp_path, ["opt", "usr/local"])
    placer.place(iter([Entry(PurePosixPath("opt/x"), stat.S_IFREG | 0o644, 1, content=io.BytesIO(b"x"))]))
    assert (tmp_path / "opt" / "x").read_bytes() == b"x"
    with pytest.raises(Invalid, match="is not in a directory of the sliver: /opt, /usr/local"):
        placer.place(iter([Entry(PurePosixPath("usr/bin/x"), stat.S_IFREG, 0)]))


def test_a_link_that_lies_there_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "opt").symlink_to(outside)
    (root / "app").mkdir()
    (root / "app" / "f").symlink_to(outside / "f")
    with pytest.raises(Invalid, match="in the way"):
        Placer(root).place(iter([Entry(PurePosixPath("opt/x"), stat.S_IFREG)]))
    Placer(root).place(iter([Entry(PurePosixPath("app/f"), stat.S_IFREG)]))
    assert list(outside.iterdir()) == []


def test_entry_points_are_moved_below_the_root_of_a_sliver_without_walls(tmp_path: Path) -> None:
    script = '#!/bin/sh\nexec /usr/local/x/start.sh "$@"\n'
    program = tmp_path / "usr/local/x/start.sh"
    entry_point = tmp_path / "opt/dsmt/x/start"
    for path in (program, entry_point):
        path.parent.mkdir(parents=True)
    program.write_text("")
    entry_point.write_text(script)
    relocate(tmp_path, [program, entry_point])
    assert entry_point.read_text() == f'#!/bin/sh\nexec {program} "$@"\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#!/bin/sh\nexec 'unclosed\n",
        '#!/bin/bash\nexec /usr/local/x "$@"\n',
        '#!/bin/sh\nexec relative "$@"\n',
        '#!/bin/sh\nexec /missing "$@"\n',
        "#!/bin/sh\ntrue\nexec /x\n",
    ],
)
def test_other_scripts_are_left_as_they_are(tmp_path: Path, text: str) -> None:
    assert relocated(text, tmp_path) == text
