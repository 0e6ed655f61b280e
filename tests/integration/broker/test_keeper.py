"""The keeper leaves nothing behind, whoever dies first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.server.kept import Kept
from dsmt_core.errors import NotFound
from tests.descriptors import many_descriptors

# A daemon: a second fork, a session of its own, and deaf to every signal that can be ignored.
DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (1, 2, 15):
            signal.signal(number, signal.SIG_IGN)
        open(sys.argv[1] + ".new", "w").write(str(os.getpid()))
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        time.sleep(1000)
    os._exit(0)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
time.sleep(float(sys.argv[2]))
sys.exit(7)
"""
OWNER = """
import os, sys, time
from pathlib import Path
from broker.server.kept import Kept
kept = Kept()
kept.start([sys.executable, "-c", sys.argv[1], sys.argv[2], "1000"], dict(os.environ), Path(os.devnull))
print(kept.pid, flush=True)
time.sleep(1000)
"""


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def daemon(told: Path, seconds: float = 1000) -> list[str]:
    return [sys.executable, "-c", DAEMON, str(told), str(seconds)]


def pid_in(told: Path) -> int:
    until(lambda: told.exists() and told.read_text().strip() != "")
    return int(told.read_text())


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "pid"


def test_a_kill_ends_daemons_too(told: Path, tmp_path: Path) -> None:
    kept = Kept()
    main = kept.start(daemon(told), dict(os.environ), tmp_path / "log")
    deaf = pid_in(told)
    assert lives(main)
    assert lives(deaf)
    kept.kill()
    assert not lives(main)
    assert not lives(deaf)
    assert not kept.running
    kept.kill()


def test_an_owner_with_many_descriptors_starts_one(tmp_path: Path) -> None:
    kept = Kept()
    with many_descriptors():
        main = kept.start(["sleep", "1000"], dict(os.environ), tmp_path / "log")
        assert lives(main)
        kept.kill()
    assert not lives(main)


def test_the_end_of_the_command_ends_what_it_left_behind(told: Path, tmp_path: Path) -> None:
    kept = Kept()
    kept.start(daemon(told, 0.3), dict(os.environ), tmp_path / "log")
    deaf = pid_in(told)
    assert kept.wait(60) == 7
    assert not lives(deaf)


def test_all_ends_when_the_owner_is_killed(told: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, DAEMON, str(told)], stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout is not None
        main = int(owner.stdout.readline())
        deaf = pid_in(told)
        owner.kill()
        until(lambda: not lives(main) and not lives(deaf))


def test_the_command_dies_with_a_keeper_that_is_killed(tmp_path: Path) -> None:
    kept = Kept()
    main = kept.start(["sleep", "1000"], dict(os.environ), tmp_path / "log")
    keeper = int(Path(f"/proc/{main}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not lives(main))
    kept.kill()


def test_an_end_in_order_leaves_time_for_it(tmp_path: Path) -> None:
    script = "trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    kept = Kept(grace_s=60)
    log = tmp_path / "log"
    kept.start(["sh", "-c", script], dict(os.environ), log)
    until(lambda: "ready" in log.read_text())
    assert kept.end() == 3
    assert "ended" in log.read_text()


def test_an_end_that_takes_too_long_is_a_kill(tmp_path: Path) -> None:
    log = tmp_path / "log"
    kept = Kept(grace_s=0.2)
    kept.start(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"], dict(os.environ), log
    )
    until(lambda: "ready" in log.read_text())
    assert kept.end() == 128 + signal.SIGKILL


def test_it_can_be_started_again(tmp_path: Path) -> None:
    kept = Kept()
    for _ in range(3):
        pid = kept.start(["sleep", "1000"], dict(os.environ), tmp_path / "log")
        assert lives(pid)
        kept.end()
        assert not lives(pid)


def test_a_program_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Kept().start(["no-such-program"], dict(os.environ), tmp_path / "log")


def test_the_environment_is_exactly_what_was_given(tmp_path: Path) -> None:
    log = tmp_path / "log"
    kept = Kept()
    kept.start(["env"], {"PATH": os.environ["PATH"], "ONLY": "this"}, log)
    assert kept.wait(60) == 0
    lines = set(log.read_text().split("\n")) - {""}
    assert lines == {f"PATH={os.environ['PATH']}", "ONLY=this"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_it_needs_no_root(told: Path, tmp_path: Path) -> None:
    keeper = Path(sys.modules["broker.server.kept"].__file__ or "").with_name("keeper.py")
    copy = tmp_path / "keeper.py"
    copy.write_text(keeper.read_text())
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)
    script = f"setsid sleep 1000 & echo $! > {told}; sleep 1000"
    command = ["/usr/bin/python3", str(copy), "--", "sh", "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, user=65534, group=65534) as run:
        deaf = pid_in(told)
        assert run.stdin is not None
        run.stdin.close()
        assert run.wait(60) == 128 + signal.SIGKILL
        assert not lives(deaf)
