"""rpmgen with the real rpmbuild, its packages asked by the real rpm."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import zstandard

from depot.reading import inspect
from tests.integration.depot.conftest import REPOSITORY, SCRIPTS, Program, run

pytestmark = pytest.mark.skipif(not shutil.which("rpmbuild"), reason="rpmbuild is not installed")

FORMAT = "%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{BUILDHOST} %{BUILDTIME}"


def asked(package: Path, what: str = FORMAT) -> str:
    """What rpm says about a package."""
    said = run("rpm", "-qp", "--nosignature", "--qf", what, package)
    assert said.code == 0, said.err
    return said.out


def lines(package: Path, *options: str) -> set[str]:
    """What rpm lists of a package, without what rpm itself must be able to do."""
    listed = run("rpm", "-qp", "--nosignature", *options, package).out.splitlines()
    return {line for line in listed if not line.startswith("rpmlib(")}


def pack(path: Path, files: dict[str, bytes], compress: Callable[[bytes], bytes] = gzip.compress) -> Path:
    """A tarball; what ends in .sh is executable."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_700_000_000
            info.mode = 0o755 if name.endswith(".sh") else 0o644
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(compress(raw.getvalue()))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_command_of_the_guide_makes_the_two_packages(
    pinger_tgz: Path, rpmgen: Program, tmp_path: Path
) -> None:
    shutil.copy(pinger_tgz, tmp_path)
    made = rpmgen("--installdir", "/usr/local", "--file", "pinger-1.8.tgz", *SCRIPTS)
    assert made.code == 0, made.err
    assert made.out.split() == ["pinger-1.8.noarch.rpm", "dsmtw_pinger-1.8.noarch.rpm"]
    application, wrapper = (tmp_path / name for name in made.out.split())
    assert asked(application) == "pinger 1.8 1 noarch localhost 1767225600"
    assert asked(wrapper) == "dsmtw_pinger 1.8 1 noarch localhost 1767225600"
    assert lines(application, "--requires") == set()
    assert lines(wrapper, "--requires") == {"pinger = 1.8-1"}
    assert "/usr/local/pinger/start.sh" in lines(application, "--list")
    assert lines(wrapper, "--list") == {
        f"/opt/dsmt/pinger{name}" for name in ("", "/start", "/stop", "/status")
    }
    for package in (application, wrapper):
        assert run("rpm", "-K", "--nosignature", package).code == 0


def test_the_same_tarball_gives_the_same_bytes(
    pinger_tgz: Path, pinger_rpms: tuple[Path, Path], rpmgen: Program, tmp_path: Path
) -> None:
    other = tmp_path / "other name.tgz"
    shutil.copy(pinger_tgz, other)
    os.utime(other, (1, 1))
    environment = {"SOURCE_DATE_EPOCH": "7", "TZ": "Asia/Tokyo"}
    made = rpmgen("--installdir", "/usr/local", "--file", other, *SCRIPTS, **environment)
    again = [tmp_path / name for name in made.out.split()]
    assert list(map(sha256, again)) == list(map(sha256, pinger_rpms))


def test_the_depot_reads_what_rpmgen_makes(pinger_rpms: tuple[Path, Path]) -> None:
    application, wrapper = map(inspect, pinger_rpms)
    assert (application.name, application.version, application.application) == ("pinger", "1.8-1", "")
    assert application.provides == ("pinger = 1.8-1",)
    assert (wrapper.name, wrapper.version, wrapper.application) == ("dsmtw_pinger", "1.8-1", "pinger")
    assert wrapper.requires == ("pinger = 1.8-1",)


def test_all_options_arrive_in_the_packages(pinger_tgz: Path, rpmgen: Program, tmp_path: Path) -> None:
    made = rpmgen(
        *("--installdir", "/opt/apps/", "--file", pinger_tgz, "--start", "start.sh"),
        *("--dependencies", "a >= 1.0,b", "--version", "2.0-rc1", "--release", "3", "--target", "i386"),
        *("--output", tmp_path / "deep" / "er", "--json"),
    )
    assert made.code == 0, made.err
    application, wrapper = json.loads(made.out)["packages"]
    assert application["path"].endswith("deep/er/pinger-2.0~rc1.i386.rpm")
    assert (wrapper["name"], wrapper["version"], wrapper["arch"]) == ("dsmtw_pinger", "2.0~rc1-3", "i386")
    assert application["digest"] == sha256(Path(application["path"]))
    assert application["size"] == Path(application["path"]).stat().st_size
    assert lines(Path(application["path"]), "--requires") == {"a >= 1.0", "b"}
    assert lines(Path(wrapper["path"]), "--requires") == {"pinger = 2.0~rc1-3", "a >= 1.0", "b"}
    assert lines(Path(wrapper["path"]), "--list") == {"/opt/dsmt/pinger", "/opt/dsmt/pinger/start"}
    assert "/opt/apps/pinger/start.sh" in lines(Path(application["path"]), "--list")


def test_an_rpm_gives_its_wrapper_only(
    pinger_rpms: tuple[Path, Path], rpmgen: Program, tmp_path: Path
) -> None:
    made = rpmgen("--file", pinger_rpms[0], *SCRIPTS)
    assert made.out.split() == ["dsmtw_pinger-1.8.noarch.rpm"]
    wrapper = tmp_path / "dsmtw_pinger-1.8.noarch.rpm"
    assert lines(wrapper, "--requires") == {"pinger = 1.8-1"}
    assert "/opt/dsmt/pinger/status" in lines(wrapper, "--list")
    assert rpmgen("--file", wrapper, *SCRIPTS).code == 3


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstandard.compress, bytes])
def test_each_kind_of_tarball_is_taken(
    compress: Callable[[bytes], bytes], rpmgen: Program, tmp_path: Path
) -> None:
    path = pack(tmp_path / "x", {"org.x.y-tool-1.0/start.sh": b"#!/bin/sh\n"}, compress)
    made = rpmgen(
        "--installdir", "/usr/local", "--file", path, "--start", "/usr/local/org.x.y-tool/start.sh"
    )
    assert made.out.split() == ["org.x.y-tool-1.0.noarch.rpm", "dsmtw_org.x.y-tool-1.0.noarch.rpm"], (
        made.err
    )


def test_names_that_spec_files_choke_on_are_installed_as_they_are(rpmgen: Program, tmp_path: Path) -> None:
    odd = [
        "a b.txt",
        "Größe 東京",
        "%{name}",
        "100%",
        'quo"te',
        "back\\slash",
        "*?[x]{y}",
        "$(id)",
        "-rf",
        "#x",
    ]
    path = pack(tmp_path / "x.tgz", {f"odd-1/{name}": b"content" for name in odd})
    made = rpmgen("--installdir", "/usr/local", "--file", path)
    assert made.code == 0, made.err
    root = tmp_path / "root"
    installed = run(
        "rpm",
        "-i",
        "--root",
        root,
        "--dbpath",
        "/db",
        "--nodeps",
        "--noscripts",
        tmp_path / "odd-1.noarch.rpm",
    )
    assert installed.code == 0, installed.err
    assert {path.name for path in (root / "usr/local/odd").iterdir()} == set(odd)


def test_programs_make_the_package_one_for_their_machine(rpmgen: Program, tmp_path: Path) -> None:
    program = Path(sys.executable).resolve().read_bytes()
    path = pack(tmp_path / "x.tgz", {"tool-1/tool.sh": program})
    made = rpmgen("--installdir", "/usr/local", "--file", path, "--start", "tool.sh")
    application, wrapper = made.out.split()
    machine = application.split(".")[-2]
    assert machine == os.uname().machine
    assert wrapper == f"dsmtw_tool-1.{machine}.rpm"
    assert lines(tmp_path / application, "--requires") == set()
    refused = rpmgen("--installdir", "/usr/local", "--file", path, "--target", "noarch")
    assert (refused.code, "cannot be noarch" in refused.err) == (3, True)


def test_what_is_installed_is_what_was_packed(
    pinger_tgz: Path, pinger_rpms: tuple[Path, Path], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    installed = run("rpm", "-i", "--root", root, "--dbpath", "/db", "--noscripts", *pinger_rpms)
    assert installed.code == 0, installed.err
    with tarfile.open(pinger_tgz) as archive:
        for info in archive:
            path = root / "usr/local/pinger" / "/".join(info.name.split("/")[1:])
            content = archive.extractfile(info)
            if content:
                assert path.read_bytes() == content.read()
                assert (path.stat().st_mode & 0o777, int(path.stat().st_mtime)) == (info.mode, info.mtime)
    start = root / "opt/dsmt/pinger/start"
    assert start.read_text() == '#!/bin/sh\nexec /usr/local/pinger/start.sh "$@"\n'
    assert start.stat().st_mode & 0o777 == 0o755
    verified = run("rpm", "-V", "--root", root, "--dbpath", "/db", "--nodeps", "pinger", "dsmtw_pinger")
    assert verified.code == 0, verified.out


LOCAL = ("--installdir", "/usr/local")
REFUSED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "a missing file": (
        ("--file", "gone.tgz", "--installdir", "/usr/local"),
        3,
        "there is no file gone.tgz",
    ),
    "a directory": (("--file", ".", *LOCAL), 3, "there is no file"),
    "a text": (("--file", "text", *LOCAL), 3, "text: it is not a tarball"),
    "an empty file": (("--file", "empty", *LOCAL), 3, "empty: it is not a tarball"),
    "a cut-off RPM": (("--file", "cut.rpm"), 3, "cut.rpm: it"),
    "no directory": (("--file", "good.tgz"), 3, "--installdir is needed"),
    "a relative directory": (("--file", "good.tgz", "--installdir", "usr"), 3, "--installdir 'usr'"),
    "two tops": (("--file", "two.tgz", *LOCAL), 3, "two top directories"),
    "no version": (("--file", "plain.tgz", *LOCAL), 3, "names no version"),
    "a script that is not there": (
        ("--file", "good.tgz", *LOCAL, "--start", "/usr/local/good/go.sh"),
        3,
        "there is no good-1/go.sh",
    ),
    "a script elsewhere": (
        ("--file", "good.tgz", *LOCAL, "--start", "/bin/sh"),
        3,
        "not below /usr/local/good",
    ),
    "a script that nobody may run": (
        ("--file", "good.tgz", *LOCAL, "--start", "note"),
        3,
        "not executable",
    ),
    "a bad dependency": (
        ("--file", "good.tgz", *LOCAL, "--dependencies", "a >"),
        3,
        "not a dependency",
    ),
    "a bad architecture": (
        ("--file", "good.tgz", *LOCAL, "--target", "nosuch_arch"),
        3,
        "not an architecture",
    ),
    "a bad release": (
        ("--file", "good.tgz", *LOCAL, "--release", "1-2"),
        3,
        "release",
    ),
    "a file as output": (
        ("--file", "good.tgz", *LOCAL, "--output", "text"),
        3,
        "not a directory",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line_and_a_hint_is(case: str, rpmgen: Program, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n")
    (tmp_path / "empty").touch()
    (tmp_path / "cut.rpm").write_bytes(b"\xed\xab\xee\xdb" + bytes(50))
    pack(tmp_path / "good.tgz", {"good-1/start.sh": b"#!/bin/sh\n", "good-1/note": b"x"})
    pack(tmp_path / "two.tgz", {"a-1/x": b"", "b-1/x": b""})
    pack(tmp_path / "plain.tgz", {"plain/x": b""})
    arguments, code, words = REFUSED[case]
    before = set(tmp_path.iterdir())
    refused = rpmgen(*arguments, TMPDIR=str(tmp_path))
    assert (refused.code, refused.out) == (code, "")
    told = [line for line in refused.err.splitlines() if "without --start" not in line]
    assert words in told[0]
    assert len(told) <= 2
    assert set(tmp_path.iterdir()) == before


def test_a_missing_rpmbuild_says_what_to_install(pinger_tgz: Path, rpmgen: Program, tmp_path: Path) -> None:
    refused = rpmgen("--installdir", "/usr/local", "--file", pinger_tgz, PATH=str(tmp_path))
    assert refused.code == 5
    assert "apt-get install rpm" in refused.err


def test_the_macros_of_a_user_change_nothing(
    pinger_tgz: Path, pinger_rpms: tuple[Path, Path], rpmgen: Program, tmp_path: Path
) -> None:
    (tmp_path / ".rpmmacros").write_text("%_topdir /nonexistent\n%packager me\n%_binary_payload w1.xzdio\n")
    made = rpmgen("--installdir", "/usr/local", "--file", pinger_tgz, *SCRIPTS, HOME=str(tmp_path))
    assert sha256(tmp_path / made.out.split()[0]) == sha256(pinger_rpms[0])


def test_an_interrupted_rpmgen_leaves_nothing(pinger_tgz: Path, tmp_path: Path) -> None:
    programs, temporary = tmp_path / "bin", tmp_path / "tmp"
    programs.mkdir()
    temporary.mkdir()
    rpmbuild = programs / "rpmbuild"
    rpmbuild.write_text("#!/bin/sh\necho $$ >pid.new; mv pid.new pid; exec sleep 60\n")
    rpmbuild.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [sys.executable, "-m", "depot.rpmgen.main", "--installdir", "/opt", "--file", str(pinger_tgz)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(temporary), "PATH": path},
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    ) as process:
        deadline = time.monotonic() + 60
        while not (found := list(temporary.glob("*/*/pid"))):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        child = int(found[0].read_text())
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    assert not list(temporary.iterdir())
    # Whoever inherits it takes it away a moment later.
    with suppress(psutil.NoSuchProcess):
        psutil.Process(child).wait(20)
