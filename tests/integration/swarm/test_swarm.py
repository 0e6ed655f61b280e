"""A small swarm on a real broker and planner: it deploys, replaces, restarts, and ends without a trace."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dsmt_core.errors import Full
from lab.swarm.lines import REAL, SHARED, check_descriptors, needed
from lab.swarm.trial import Size, Trial

NODES = 12
WITHIN_S = 120.0


async def test_a_dozen_nodes_deploy_and_what_fails_is_replaced(tmp_path: Path) -> None:
    size = Size(nodes=NODES, instances=9, heartbeat_s=1.0, connections=REAL)
    trial = Trial(tmp_path / "swarm", size)
    (tmp_path / "swarm").mkdir()
    try:
        await trial.start()
        await trial.connect()
        await trial.deploy(WITHIN_S)
        assert len(trial.running) == size.instances
        hosts = [host for host, _, _ in trial.running]
        trial.swarm.crash(hosts[0])
        await trial.until(lambda: len(trial.running) == size.instances, "it is restarted", WITHIN_S)
        assert (
            trial.swarm.tally.started[next(place for place in trial.running if place[0] == hosts[0])] == 2
        )
        await trial.swarm.kill(hosts[1])
        trial.swarm.silence(hosts[2])
        alive = {hosts[1], hosts[2]}
        await trial.until(
            lambda: len({host for host, _, _ in trial.running} - alive) == size.instances,
            "both are replaced",
            WITHIN_S,
        )
        assert set((await trial.states(sorted(alive))).values()) == {"failed"}
        # Whoever was well was left alone.
        others = [place for place in trial.swarm.tally.started if place[0] not in hosts[:1]]
        assert {trial.swarm.tally.started[place] for place in others} == {1}
    finally:
        await trial.stop()


def test_the_program_tells_its_figures_and_ends_everything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dsmtc.main", "swarm", "--nodes", "3", "--heartbeat", "1", "--json"]
    command += ["--connections", SHARED, "--home", str(tmp_path / "home")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"HOME": str(tmp_path)}
    )
    assert process.stdout is not None
    figures = json.loads(process.stdout.readline())
    assert (figures["nodes"], figures["instances"]) == (3, 2)
    assert figures["deploy_s"] > 0
    below = psutil.Process(process.pid).children(recursive=True)
    assert below
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    _, alive = psutil.wait_procs(below, timeout=10)
    assert not alive
    process.stdout.close()


def test_too_many_nodes_for_the_descriptors_are_refused_before_anything_is_started() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert needed(100, SHARED) < needed(100, REAL)
    with pytest.raises(Full, match=f"and {hard} are allowed") as refused:
        check_descriptors(hard, REAL)
    assert "ulimit -n" in refused.value.hint
