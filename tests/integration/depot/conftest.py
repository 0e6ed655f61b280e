"""The example application packed and built once, for all tests of this directory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from depot.rpmgen.tarball import make_tarball
from tests.integration.depot.depot_process import Depot, running

REPOSITORY = Path(__file__).parents[3]
RUN_S = 120
SCRIPTS = (
    "--start",
    "/usr/local/pinger/start.sh",
    "--stop",
    "/usr/local/pinger/stop.sh",
    "--status",
    "/usr/local/pinger/status.sh",
)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str


Program = Callable[..., Ran]


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> Ran:
    """Run a program to its end."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def rpmgen(tmp_path: Path) -> Program:
    """Runs rpmgen in an empty directory."""

    def call(*arguments: str | Path, **environment: str) -> Ran:
        command = (sys.executable, "-m", "depot.rpmgen.main", *arguments)
        return run(*command, cwd=tmp_path, **{"PYTHONPATH": str(REPOSITORY), **environment})

    return call


@pytest.fixture(scope="session")
def pinger_tgz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``pinger-1.8.tgz`` of the example."""
    directory = REPOSITORY / "examples" / "pinger"
    return make_tarball(directory, "pinger-1.8", tmp_path_factory.mktemp("pinger") / "pinger-1.8.tgz")


@pytest.fixture(scope="session")
def pinger_rpms(pinger_tgz: Path) -> tuple[Path, Path]:
    """The two packages of the example: application and wrapper."""
    made = run(
        *(sys.executable, "-m", "depot.rpmgen.main", "--installdir", "/usr/local"),
        *("--file", pinger_tgz, *SCRIPTS, "--output", pinger_tgz.parent / "rpms"),
        PYTHONPATH=str(REPOSITORY),
    )
    assert made.code == 0, made.err
    application, wrapper = map(Path, made.out.split())
    return application, wrapper


@pytest.fixture(scope="session")
def lasting_depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """One depot for all whom it has to outlast: whatever they ask, it is there for the next one."""
    with running(tmp_path_factory.mktemp("lasting")) as started:
        yield started


@pytest.fixture(scope="session")
def bounded_depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """The same for 2 MB at most; each leaves it empty."""
    with running(tmp_path_factory.mktemp("bounded"), "--max-bytes", "2000000") as started:
        yield started
