"""The example application: it starts, measures, says so, stops, and knows itself from others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from depot.rpmgen.tarball import make_tarball
from depot.rpmgen.tarball import run as make_by_command
from tests.integration.depot.conftest import REPOSITORY, Ran, run

WAIT_S = 60.0


class Pinger:
    """An unpacked pinger."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def script(self, name: str, **environment: str) -> Ran:
        return run(self.directory / f"{name}.sh", cwd=Path("/"), **environment)

    def pid(self) -> int:
        return int((self.directory / "var" / "pid").read_text())


@pytest.fixture
def pinger(pinger_tgz: Path, tmp_path: Path) -> Iterator[Pinger]:
    # The real tar: the extraction filters of tarfile came after Debian 12's Python 3.11.2.
    subprocess.run(["tar", "-xzf", pinger_tgz, "-C", tmp_path], check=True)
    unpacked = Pinger(tmp_path / "pinger-1.8")
    yield unpacked
    unpacked.script("stop")


def test_it_runs_from_start_to_stop(pinger: Pinger) -> None:
    assert (pinger.script("status").code, pinger.script("status").out) == (3, "stopped\n")
    assert pinger.script("start").code == 0
    status = pinger.script("status")
    assert (status.code, status.out.split()[0]) == (0, "ok")
    assert "rtt_ms=" in status.out.splitlines()[0]
    assert pinger.script("stop").code == 0
    assert pinger.script("status").code == 3
    assert pinger.script("stop").code == 0


def test_a_second_start_changes_nothing(pinger: Pinger) -> None:
    pinger.script("start")
    before = pinger.pid()
    assert "runs already" in pinger.script("start").out
    assert pinger.pid() == before


def test_it_counts_what_it_sends(pinger: Pinger) -> None:
    pinger.script("start", PINGER_PERIOD="0.05")
    deadline = time.monotonic() + WAIT_S
    sent, status = 0, ""
    while sent < 5:
        assert time.monotonic() < deadline
        status = pinger.script("status").out
        sent = int(status.split("sent=")[1].split()[0])
    assert "lost=0" in status


def test_one_that_was_killed_has_failed(pinger: Pinger) -> None:
    pinger.script("start")
    os.kill(pinger.pid(), signal.SIGKILL)
    deadline = time.monotonic() + WAIT_S
    while (status := pinger.script("status")).code == 0:
        assert time.monotonic() < deadline
    assert (status.code, status.out.split(":")[0]) == (1, "failed")
    assert pinger.script("start").code == 0
    assert pinger.script("status").code == 0


def test_the_process_id_of_somebody_else_is_not_taken_for_its_own(pinger: Pinger) -> None:
    (pinger.directory / "var").mkdir()
    (pinger.directory / "var" / "pid").write_text(f"{os.getpid()}\n")
    assert pinger.script("status").code == 1
    assert pinger.script("stop").code == 0


def test_two_measure_one_another(pinger: Pinger, tmp_path: Path) -> None:
    other = Pinger(tmp_path / "other")
    shutil.copytree(pinger.directory, other.directory)
    try:
        other.script("start")
        address = other.script("status").out.split("listen=")[1].strip()
        pinger.script("start", PINGER_TARGETS=f"{address} 127.0.0.1:1")
        status = pinger.script("status").out
        assert "targets=2" in status
        assert "rtt_ms=none" not in status
        assert "lost=0" not in status
    finally:
        other.script("stop")


def test_one_that_cannot_start_says_why(pinger: Pinger) -> None:
    failed = pinger.script("start", PINGER_LISTEN="192.0.2.1:1")
    assert failed.code == 1
    assert "did not start" in failed.err


def test_the_tarball_is_the_same_wherever_it_is_made(pinger_tgz: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(REPOSITORY / "examples" / "pinger", copy)
    (copy / ".hidden").touch()
    (copy / "start.sh").touch()
    made = make_tarball(copy, "pinger-1.8", tmp_path / "deep" / "pinger.tgz")
    assert made.read_bytes() == pinger_tgz.read_bytes()


def test_the_command_for_the_tarball_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_by_command([]) == 3
    assert make_by_command([str(tmp_path / "gone"), "x-1", str(tmp_path / "x.tgz")]) == 3
    assert "there is no directory" in capsys.readouterr().err
