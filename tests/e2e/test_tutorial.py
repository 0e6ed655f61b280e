"""The tutorial, typed as it stands there: every command succeeds, in the world of ``dsmtc dev``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO

import pytest

from lab.sweeper import sliver_processes
from tests.documents.printed import lacking

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs/tutorial.md"
READY_S = 120.0
SHOWN = re.compile(r"```text\n(.*?)```", re.DOTALL)
TYPED_S = 280.0
# By default each host in turn has to be well for half a minute, and nothing else happens meanwhile.
HERE = ("greeting=hello --follow", "greeting=hello --min-healthy 2s --follow")


def typed() -> str:
    """What is typed, as one script."""
    blocks = re.findall(r"```console\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert lines
    assert all(line.startswith("$ ") for line in lines)
    text = "\n".join(line.removeprefix("$ ") for line in lines)
    assert text.count(HERE[0]) == 1
    return text.replace(*HERE)


@contextmanager
def a_world(home: Path) -> Iterator[list[str]]:
    """``dsmtc dev`` at ``home``; the ``export`` lines that it shows."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.dev", "--home", str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # So that all of it can be ended together if the test cannot go on.
        start_new_session=True,
    )
    try:
        yield exports(process)
        process.communicate(timeout=60)
        assert process.returncode == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=60)


def exports(process: subprocess.Popen[str]) -> list[str]:
    """What it says that a second terminal needs."""
    lines: Queue[str] = Queue()
    assert process.stderr is not None
    Thread(target=_pass_on, args=(process.stderr, lines), daemon=True).start()
    found: list[str] = []
    until = time.monotonic() + READY_S
    while not any("try:" in line for line in found):
        try:
            found.append(lines.get(timeout=max(until - time.monotonic(), 0.1)))
        except Empty:
            pytest.fail(f"no world within {READY_S} s: {found}")
    return [line.strip() for line in found if line.strip().startswith("export ")]


def _pass_on(told: IO[str], lines: Queue[str]) -> None:
    for line in told:
        lines.put(line)


@pytest.mark.timeout(480)
def test_everything_that_is_typed_there_succeeds(tmp_path: Path) -> None:
    home = tmp_path / "dev"
    with a_world(home) as lines:
        script = "\n".join(["set -eux", *lines, typed().replace("build/dev", str(home))])
        environment = {**os.environ, "DSMT_SLICE": "my_slice"}
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TYPED_S,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:]
    assert not [process for node in home.glob("node*.example") for process in sliver_processes(node)]
    shown = [line for block in SHOWN.findall(TUTORIAL.read_text()) for line in block.splitlines()]
    assert not lacking(shown, done.stdout), done.stdout[-6000:]
