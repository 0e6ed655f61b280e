"""The README's first command, as a new user types it, and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.demo.play import REPLACED_WITHIN_S, RUNNING_WITHIN_S

ROOT = Path(__file__).parents[2]


def demo(home: Path, broker: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lab.demo", "--broker", broker, "--home", str(home)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left_over(home: Path) -> list[str]:
    """Processes that have anything to do with this demo's home."""
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            words = [*command, process.cwd(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(str(home) in word for word in words):
            found.append(" ".join(command))
    return found


def until_nothing_is_left(home: Path) -> None:
    deadline = time.monotonic() + 60
    while (left := left_over(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def events(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "events.jsonl").read_text().splitlines()]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("broker", ["rabbitmq", "embedded"])
def test_the_demo_does_the_main_job_and_leaves_nothing_behind(tmp_path: Path, broker: str) -> None:
    home = tmp_path / "demo"
    played = demo(home, broker)
    said, _ = played.communicate(timeout=280)
    assert played.returncode == 0, said
    report = json.loads((home / "report.json").read_text())
    assert report["broker"] == broker
    assert report["spurious_restarts"] == 0
    assert 0 < report["setplan_to_running_s"] < RUNNING_WITHIN_S
    assert 0 < report["loss_to_replacement_s"] < REPLACED_WITHIN_S
    heard = events(home)
    assert report["events"] == len(heard)
    assert not [event for event in heard if event["field"] == "heartbeat"]
    assert [event for event in heard if event["value"].startswith("APPCONFIG,")]
    until_nothing_is_left(home)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("broker", "number"),
    # SIGINT and SIGTERM go one way; a death that cannot be noticed goes another with each broker.
    [
        ("embedded", signal.SIGINT),
        ("rabbitmq", signal.SIGTERM),
        ("embedded", signal.SIGKILL),
        ("rabbitmq", signal.SIGKILL),
    ],
)
def test_an_interrupted_demo_leaves_nothing_behind(
    tmp_path: Path, broker: str, number: signal.Signals
) -> None:
    home = tmp_path / "demo"
    played = demo(home, broker)
    assert played.stdout is not None
    for line in played.stdout:
        if "running" in line:
            break
    os.kill(played.pid, number)
    played.communicate(timeout=120)
    assert played.returncode == (130 if number is not signal.SIGKILL else -number)
    until_nothing_is_left(home)
