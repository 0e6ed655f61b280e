"""Limits of slivers, kept by the kernel for real, in cgroups of whichever version this machine has."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents import local_socket
from agents.container_manager.limits.confinement import of_sliver
from agents.container_manager.limits.finding import found_groups
from agents.container_manager.slivers import record
from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from dsmt_core.limits import NO_LIMITS, Limits
from tests.integration.node.conftest import DRIVERS
from tests.integration.node.test_drivers import ask, run, wait_for

ENFORCED = found_groups().enforced
SLEEPER = AgentCommand(argv=("sleep", "1000"), env={"PATH": "/usr/bin:/bin"})
PATH = {"PATH": "/usr/bin:/bin"}

needs_memory = pytest.mark.skipif(
    "memory" not in ENFORCED, reason="no cgroup of this machine limits memory"
)
needs_processes = pytest.mark.skipif("processes" not in ENFORCED, reason="no cgroup limits processes here")
needs_cpu = pytest.mark.skipif("cpu" not in ENFORCED, reason="no cgroup of this machine limits cpu")


@pytest.fixture(params=list(DRIVERS))
def make_driver(request: pytest.FixtureRequest) -> Callable[[], SliverDriver]:
    """Those whose cgroups are DSMT's own; of podman's see `test_podman`."""
    return lambda: DRIVERS[request.param](found_groups())


def booted(driver: SliverDriver, place: Place, limits: Limits, agent: AgentCommand = SLEEPER) -> int:
    driver.create(place)
    init = driver.boot(place, agent, limits)
    ask(place, op="agent", start=True)
    return init.pid


def spawn(place: Place, script: str, application: str) -> int:
    request: dict[str, Any] = {"argv": ["sh", "-c", script], "cwd": "/", "application": application}
    return int(ask(place, op="spawn", **request, log=f"{application}.log")["pid"])


def eats(megabytes: int) -> str:
    return f"exec python3 -c 'x = b\"a\" * ({megabytes} << 20); import time; time.sleep(1000)'"


@needs_memory
def test_an_application_over_the_limit_is_killed_alone_and_the_reason_is_told(
    driver: SliverDriver, place: Place
) -> None:
    booted(driver, place, Limits(memory=64 << 20))
    agent = ask(place, op="agent")
    small = spawn(place, "exec sleep 1000", "small")
    greedy = spawn(place, eats(200), "greedy")
    wait_for(lambda: ask(place, op="processes", application="greedy")["exited"])
    found = ask(place, op="processes", application="greedy")
    assert found["exited"] == {str(greedy): -signal.SIGKILL}
    assert (found["killed_for_memory"], found["memory_limit"]) == (1, 64 << 20)
    # Neither the agent, which was not started anew, nor the other application; and nobody is told of that.
    assert ask(place, op="agent") == agent
    assert ask(place, op="processes", application="small") == {"pids": [small], "exited": {}}
    # The next start begins with a clean sheet.
    spawn(place, "exec sleep 1000", "greedy")
    assert "killed_for_memory" not in ask(place, op="processes", application="greedy")


@needs_memory
def test_limits_change_while_an_application_runs(driver: SliverDriver, place: Place) -> None:
    booted(driver, place, NO_LIMITS)
    pid = spawn(place, eats(8), "app")
    driver.limit(place, Limits(memory=100 << 20, processes=50, cpu=0.5))
    assert ask(place, op="processes", application="app")["pids"] == [pid]
    spawn(place, eats(200), "greedy")
    wait_for(lambda: "killed_for_memory" in ask(place, op="processes", application="greedy"))
    driver.limit(place, NO_LIMITS)
    assert run(place, "exec python3 -c 'x = b\"a\" * (200 << 20)'", application="greedy")["exit"] == 0
    assert ask(place, op="processes", application="app")["pids"] == [pid]


@needs_memory
def test_what_is_used_is_told_and_what_is_kept(driver: SliverDriver, place: Place) -> None:
    limits = Limits(memory=256 << 20, disk=1 << 30, files=256)
    booted(driver, place, limits)
    spawn(place, eats(40), "app")
    wait_for(lambda: (driver.use(place).memory or 0) > 40 << 20)
    assert (driver.use(place).memory or 0) < 200 << 20
    assert (driver.use(place).cpu_s or 0.0) > 0.0
    memory = ENFORCED["memory"]
    assert driver.enforced(place, limits) == f"disk=watched files=rlimit memory={memory}"


@needs_processes
def test_a_fork_bomb_is_bounded_and_its_sliver_can_be_ended(driver: SliverDriver, place: Place) -> None:
    booted(driver, place, Limits(processes=30))
    spawn(place, "while :; do sleep 1000 & done", "bomb")
    wait_for(lambda: len(ask(place, op="processes", application="bomb")["pids"]) >= 29)
    assert len(ask(place, op="processes", application="bomb")["pids"]) <= 30
    # The init answers, and the agent that ends comes back: neither is among the thirty.
    agent = ask(place, op="agent")["pid"]
    ask(place, op="agent", restart=True)
    wait_for(lambda: ask(place, op="agent")["pid"] not in {0, agent})
    ask(place, op="signal", application="bomb", signal="KILL")
    wait_for(lambda: not ask(place, op="processes", application="bomb")["pids"])


@needs_cpu
def test_a_busy_application_gets_its_share(driver: SliverDriver, place: Place) -> None:
    booted(driver, place, Limits(cpu=0.1))
    spawn(place, "while :; do :; done", "busy")
    wait_for(lambda: (driver.use(place).cpu_s or 0.0) > 0.05)
    groups = of_sliver(place)
    # First the clock, here, and last below: the time counted is never shorter than the one measured.
    begun = time.monotonic()
    before = groups.use(place.mark).cpu_s or 0.0
    wait_for(lambda: time.monotonic() - begun > 1.0)
    used = (groups.use(place.mark).cpu_s or 0.0) - before
    # A quota is given out anew each 100 ms: what is left of one at the border is all that may be more.
    assert used <= 0.1 * (time.monotonic() - begun) + 0.05


@needs_memory
def test_nothing_hides_from_its_group(driver: SliverDriver, place: Place) -> None:
    booted(driver, place, NO_LIMITS)
    hides = "env -i setsid sh -c 'sleep 1000 & exit 0' & exit 0"
    spawn(place, hides, "hider")
    wait_for(lambda: ask(place, op="processes", application="hider")["exited"])

    def only_the_sleep_is_left() -> bool:
        # The outer shell's end says nothing of the inner one.
        pids = ask(place, op="processes", application="hider")["pids"]
        return len(pids) == 1 and run(place, f"cat /proc/{pids[0]}/comm")["output"] == "sleep\n"

    wait_for(only_the_sleep_is_left)
    ask(place, op="signal", application="hider", signal="KILL")
    wait_for(lambda: not ask(place, op="processes", application="hider")["pids"])


def test_files_are_bounded_for_each_process(driver: SliverDriver, place: Place) -> None:
    booted(driver, place, Limits(files=64, disk=1 << 20))
    assert run(place, "ulimit -n; ulimit -Hn")["output"] == "64\n64\n"
    full = run(place, "head -c 3000000 /dev/zero > /tmp/big; stat -c %s /tmp/big; rm -f /tmp/big")
    assert "1048576" in full["output"]
    if driver.name == "bubblewrap":
        inside = (
            "import json, socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/dsmt/init.sock');"
            "s.sendall(json.dumps({'op': 'limits'}).encode() + b'\\n'); print(s.recv(4096).decode())"
        )
        assert "only the node limits its sliver" in run(place, f'exec python3 -c "{inside}"')["output"]
    driver.limit(place, Limits(files=32))
    assert run(place, "ulimit -n")["output"] == "32\n"


def test_the_groups_are_found_again_and_go_with_the_sliver(driver: SliverDriver, place: Place) -> None:
    pid = booted(driver, place, Limits(memory=64 << 20))
    groups = [tree.base / f"dsmt-{place.mark}" for tree in of_sliver(place).trees]
    assert all(group.is_dir() for group in groups)
    assert len(groups) == len(found_groups().trees)
    for group in groups:
        listed = {int(word) for path in group.rglob("cgroup.procs") for word in path.read_text().split()}
        assert pid in listed
    # Another manager, which makes none of its own, still changes and removes them.
    other = type(driver)()
    assert record.lives(other.adopt(place))
    other.limit(place, Limits(memory=32 << 20))
    assert other.enforced(place, Limits(memory=32 << 20)) == driver.enforced(place, Limits(memory=1 << 30))
    other.destroy(place)
    assert not any(group.exists() for group in groups)


def test_a_group_that_cannot_be_made_lets_nothing_run(
    driver: SliverDriver, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not found_groups().trees or os.geteuid() != 0:
        pytest.skip("no cgroups here")
    driver.create(place)
    full = Path(found_groups().trees[0].base / f"dsmt-{place.mark}")
    full.mkdir()
    (full / "own").mkdir()
    monkeypatch.setattr(Path, "mkdir", _refuses(full / "own", Path.mkdir))
    with pytest.raises(Exception, match="cannot be made"):
        driver.boot(place, SLEEPER, NO_LIMITS)
    with pytest.raises(Exception, match="does not answer"):
        local_socket.ask(place.init_socket, {"op": "agent"})
    monkeypatch.undo()
    (full / "own").rmdir()
    full.rmdir()


def _refuses(path: Path, real: Any) -> Any:
    def mkdir(self: Path, *args: Any, **more: Any) -> None:
        if self == path:
            raise PermissionError(13, "Permission denied")
        real(self, *args, **more)

    return mkdir
