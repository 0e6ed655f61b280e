"""What rpmgen unpacks and decides before rpmbuild is asked."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from depot.rpmgen import making, rpmbuild
from depot.rpmgen.content import unpack
from depot.rpmgen.making import Wish, make
from depot.rpmgen.recipe import Recipe
from depot.rpmgen.tarball import make_tarball
from depot.tarball import Contents
from dsmt_core.errors import DeadlinePassed, DsmtError, Invalid, NotFound, Unavailable
from tests.unit.depot.crafted import link, member, pinger, plain_tar, rpm_bytes

WriteFile = Callable[[bytes], Path]


def holding(*machines: str) -> Contents:
    return Contents(top="a-1", modes={}, links={}, machines=frozenset(machines), newest=7)


def test_members_are_written_with_their_modes_and_times(file_of: WriteFile, tmp_path: Path) -> None:
    entries = [
        member("pinger-1.8/bin/deep/go.sh", b"go", mode=0o4755),
        member("pinger-1.8/shut/"),
        link("pinger-1.8/soft", "bin/deep/go.sh"),
        link("pinger-1.8/hard", "pinger-1.8/start.sh", kind=tarfile.LNKTYPE),
    ]
    entries[1][0].mode = 0
    directory = tmp_path / "unpacked"
    contents = unpack(file_of(plain_tar(pinger(*entries))), directory)
    assert contents.newest == 1_700_000_000
    assert (directory / "soft").read_bytes() == b"go"
    assert (directory / "hard").samefile(directory / "start.sh")
    assert (directory / "bin/deep/go.sh").stat().st_mode & 0o7777 == 0o755
    assert (directory / "shut").stat().st_mode & 0o7777 == 0o700
    assert {int(path.lstat().st_mtime) for path in [directory, *directory.rglob("*")]} == {1_700_000_000}


def test_a_member_is_written_whole_beyond_its_first_bytes(file_of: WriteFile, tmp_path: Path) -> None:
    content = bytes(range(256)) * 5_000
    unpack(file_of(plain_tar(pinger(member("pinger-1.8/data", content)))), tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "data").read_bytes() == content


@pytest.mark.parametrize(
    ("target", "machines", "arch"),
    [
        ("", (), "noarch"),
        ("i386", (), "i386"),
        ("", ("x86_64",), "x86_64"),
        ("x86_64", ("x86_64", "i386"), "x86_64"),
        ("aarch64", ("unknown",), "aarch64"),
    ],
)
def test_the_architecture_comes_from_the_content_or_the_wish(
    target: str, machines: tuple[str, ...], arch: str
) -> None:
    assert making._arch(target, holding(*machines)) == arch


@pytest.mark.parametrize(
    ("target", "machines"),
    [("noarch", ("x86_64",)), ("", ("x86_64", "i386")), ("", ("unknown",)), ("pdp11", ())],
)
def test_an_architecture_that_cannot_be_is_refused(target: str, machines: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        making._arch(target, holding(*machines))


@pytest.fixture
def no_rpmbuild(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def any_rpmbuild(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "find_rpmbuild", lambda: "/bin/false")
    monkeypatch.setattr(rpmbuild, "find_rpmbuild", lambda: "/bin/false")


def test_a_missing_rpmbuild_is_said_first(no_rpmbuild: None, file_of: WriteFile, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="rpmbuild"):
        make(Wish(file=file_of(b"x"), output=tmp_path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        make(Wish(file=tmp_path / "gone", output=tmp_path))


@pytest.mark.parametrize(
    ("version", "start", "words"),
    [("2", "", "an RPM has its own"), ("", "/usr/bin/gone", "has no such file")],
)
def test_what_an_rpm_cannot_give_is_refused(
    version: str, start: str, *, words: str, any_rpmbuild: None, file_of: WriteFile
) -> None:
    path = file_of(rpm_bytes())
    with pytest.raises(Invalid, match=words):
        make(Wish(file=path, output=path.parent, version=version, scripts={"start": start}))


@pytest.mark.parametrize("tag", [1000, 1001, 1002, 1022])
def test_a_command_in_a_header_reaches_no_spec_file(
    tag: int, any_rpmbuild: None, file_of: WriteFile, tmp_path: Path
) -> None:
    with pytest.raises(Invalid):
        make(Wish(file=file_of(rpm_bytes({tag: "%(id)"})), output=tmp_path))


def test_a_wrapper_gets_no_wrapper(any_rpmbuild: None, file_of: WriteFile, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="wrapper already"):
        make(Wish(file=file_of(rpm_bytes({1000: "dsmtw_pinger"})), output=tmp_path))


def test_a_build_that_fails_puts_nothing_out(
    any_rpmbuild: None, file_of: WriteFile, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    with pytest.raises(DsmtError, match="rpmbuild failed: it did not say why"):
        make(Wish(file=file_of(plain_tar(pinger())), output=output, installdir="/usr/local"))
    assert not output.exists()


def test_a_build_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "rpmbuild"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(rpmbuild, "find_rpmbuild", lambda: str(program))
    monkeypatch.setattr(rpmbuild, "BUILD_S", 0.1)
    (tmp_path / "root").mkdir()
    (tmp_path / "work").mkdir()
    recipe = Recipe(name="a", version="1", release="1", arch="noarch", summary="A", owned="/a")
    with pytest.raises(DeadlinePassed):
        rpmbuild.build(recipe, tmp_path / "root", tmp_path / "work")


def test_what_rpmbuild_says_first_about_an_error_is_told(tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.write_text("Processing\nerror: Bad exit status\nerror: more\n")
    assert rpmbuild._reason(told) == "Bad exit status"


def test_a_directory_becomes_the_same_tarball_each_time(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "bin" / "go").write_text("go")
    (source / "bin" / "go").chmod(0o700)
    (source / "__pycache__").mkdir()
    one = make_tarball(source, "a-1", tmp_path / "one.tgz").read_bytes()
    (source / "bin" / "go").touch()
    assert make_tarball(source, "a-1", tmp_path / "two.tgz").read_bytes() == one
    with tarfile.open(fileobj=io.BytesIO(one)) as archive:
        assert [(info.name, info.mode) for info in archive] == [
            ("a-1", 0o755),
            ("a-1/bin", 0o755),
            ("a-1/bin/go", 0o755),
        ]
