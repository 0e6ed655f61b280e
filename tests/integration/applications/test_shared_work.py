"""Ten instances share work by reading one another's status, and go on when some die: real processes."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from broker.application import Application
from broker.bus import Bus
from broker.view import View
from tests.examples import example
from tests.integration.applications.conftest import Credentials

PROGRAM = Path(__file__).parents[3] / "examples" / "shared_work" / "shared_work.py"
RESULTS = "/com/example/shared_work/results/"
ITEMS = [f"item-{number}" for number in range(40)]
TEN = [f"h{number}/s1/shared_work" for number in range(10)]
PERIOD_S = 1.0
EXPIRY_S = 4 * PERIOD_S
WITHIN_S = 120.0

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def shared_work(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example's own module, for what it would say is right."""
    monkeypatch.syspath_prepend(str(PROGRAM.parent))
    return example("shared_work", "shared_work")


@pytest.fixture
def start(credentials: Credentials, tmp_path: Path) -> Iterator[Start]:
    """Starts one instance; all are killed in the end."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(instance: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "DSMT_PSEPR": str(credentials(instance)),
            "SHARED_WORK_ITEMS": str(len(ITEMS)),
            "SHARED_WORK_PERIOD": str(PERIOD_S),
        }
        with (tmp_path / "instances.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(PROGRAM)], env=environment, stdout=log, stderr=log
            )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


async def until(view: View, shared: dict[str, str]) -> float:
    """Wait until each item has exactly one current result, by whom it should; how long it took."""
    began = time.monotonic()
    now: dict[str, set[str]] = {}
    try:
        async with asyncio.timeout(WITHIN_S):
            async for current in view.changes():
                now = {}
                for key in current:
                    now.setdefault(key.field, set()).add(key.instance)
                if now == {item: {instance} for item, instance in shared.items()}:
                    return time.monotonic() - began
    except TimeoutError:
        wrong = {item: now.get(item) for item in shared if now.get(item) != {shared[item]}}
        raise AssertionError(f"not shared within {WITHIN_S} s: {wrong}") from None
    raise AssertionError("the view has ended")


@pytest.mark.timeout(480)
async def test_ten_share_the_work_and_take_over_from_the_dead(
    start: Start, listener: Bus, shared_work: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    sharing = importlib.import_module("sharing")

    def shared(living: list[str]) -> dict[str, str]:
        return {item: sharing.owner(item, living) for item in ITEMS}

    async with Application(listener, "observer").view(RESULTS) as view:
        running = {instance: start(instance) for instance in TEN}
        await until(view, shared(TEN))
        assert {key.field: event.value for key, event in view.items()} == {
            item: str(shared_work.result(item)) for item in ITEMS
        }
        # Those with the most to lose.
        dead = sorted(TEN, key=lambda instance: -list(shared(TEN).values()).count(instance))[:3]
        orphaned = [item for item, instance in shared(TEN).items() if instance in dead]
        assert len(orphaned) >= 3
        for instance in dead:
            running[instance].kill()
            running[instance].wait()
        took = await until(view, shared([instance for instance in TEN if instance not in dead]))
        # One expiry and one round, and far more for a busy machine.
        assert took < EXPIRY_S + PERIOD_S + 60.0
        start(dead[0])
        back = await until(view, shared([instance for instance in TEN if instance not in dead[1:]]))
    with capsys.disabled():
        sys.stderr.write(
            f"\n  shared work: {len(orphaned)} items taken over after {took:.1f} s,"
            f" given back after {back:.1f} s (expiry {EXPIRY_S:g} s)\n"
        )


async def test_without_a_way_to_the_broker_it_says_so_and_ends(
    credentials: Credentials, tmp_path: Path
) -> None:
    environment = os.environ | {"DSMT_PSEPR": str(credentials(url="memory://application@w"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), env=environment, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(WITHIN_S):
        _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().startswith("shared_work: applications have no way to PsEPR here")
    assert len(err.splitlines()) == 1
