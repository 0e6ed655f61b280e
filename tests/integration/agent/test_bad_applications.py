"""Applications that hide, ignore signals, print without end, and say anything as their status."""

from __future__ import annotations

import pytest

from agents.deployment_agent.log_file import Wish, read
from agents.sliver_init.logs import LOG_BYTES
from dsmt_core.commands import Verb
from dsmt_core.events import METRICS
from dsmt_core.watch import Watch
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, GOOD, Package, World, order

WALK = ["requested", "instantiated", "initialized", "running"]
STUBBORN = """trap '' TERM HUP INT
setsid sh -c 'trap "" TERM HUP INT
while :; do
  (setsid sh -c "trap \\"\\" TERM; sleep 1000" &)
  sleep 0.2
done' &
"""


def many(metrics: int) -> str:
    """A script that says so many."""
    loop = f"i=0; while [ $i -lt {metrics} ]; do printf '\"k%s\": 1, ' $i; i=$((i+1)); done"
    return f"printf '{{\"metrics\": {{'; {loop}; echo '\"z\": 1}}}}'"


async def _running(world: World, made: tuple[Package, ...]) -> None:
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)


async def test_what_leaves_its_session_and_ignores_signals_is_ended(world: World, packages: Made) -> None:
    made = packages("1.0", start=STUBBORN, stop="trap '' TERM; exit 0", status="exit 0")
    await _running(world, made)
    await world.until(lambda _: world.last("status").get("state") == "running")
    assert len((await world.sliver.processes(APP)).pids) > 1
    await world.order(order(Verb.UNINSTALL, 2, made))
    await world.until(lambda _: world.states()[-1] == "terminated", within_s=90.0)
    assert not (await world.sliver.processes(APP)).pids


async def test_what_prints_without_end_is_bounded_and_can_be_looked_at(
    world: World, packages: Made
) -> None:
    made = packages("1.0", start="yes out & yes err >&2 & echo $! > /app/pid", status=GOOD["status"])
    await _running(world, made)
    var, logs = world.place.root / "var", world.place.root / "var" / "log"
    await world.until(lambda _: (logs / f"{APP}.log.1").exists())
    # The agent is as quick as ever, and whoever asks gets whole lines.
    piece = read(var, APP, Wish(lines=3))
    assert {line.split(" ")[-1] for line in piece.text.splitlines()} <= {"out", "err"}
    assert sum(file.stat().st_size for file in logs.glob(f"{APP}.log*")) <= 2 * LOG_BYTES + (1 << 20)
    await world.order(order(Verb.STOP, 2, made))
    await world.until(lambda _: world.states()[-1] == "terminated")
    assert not (await world.sliver.processes(APP)).pids


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("echo '{'", "it begins as JSON and is none"),
        ("printf '{\"text\": 1, '; head -c 10000000 /dev/zero", "JSON of more than 32768 characters"),
        (many(20_000), "JSON of more than 32768 characters"),
        (many(1_000), "(more than 64 metrics)"),
        ("printf '{\"a\":'; head -c 30000 /dev/zero | tr '\\0' '['", "it begins as JSON and is none"),
        ('printf \'{"text": "\\\\u0000\\\\ud800 \\033[31m"}\'', "it begins as JSON and is none"),
        ('printf \'{"text": "\\\\u0001\\\\ud800"}\'', "\ufffd\ufffd"),
    ],
)
async def test_whatever_it_says_as_json_is_text_at_most(
    world: World, packages: Made, status: str, text: str
) -> None:
    made = packages("1.0", **{**GOOD, "status": f"{status}\nexit 0"})
    await _running(world, made)
    await world.until(lambda _: bool(world.last("status").get("text")))
    told = world.last("status")
    assert text in told["text"]
    assert len(told["text"]) <= 256
    assert told["state"] == "running"
    if "more than 64" in text:
        await world.until(lambda _: bool(world.last(METRICS)))
        assert len([name for name in world.last(METRICS) if name.startswith("metric.")]) == 64


@pytest.mark.parametrize(
    "status", ["yes", "trap '' TERM; setsid sleep 1000", "sleep 1000 & exec sleep 1001"]
)
async def test_a_status_that_does_not_end_is_ended_and_leaves_nothing(
    world: World, packages: Made, status: str
) -> None:
    made = packages("1.0", **{**GOOD, "status": f"[ -e /app/ill ] || exit 0\n{status}"})
    await _running(world, made)
    # Only now: who starts is given up for the first answer that is late.
    brief = Watch(timeout_s=0.5, every_s=0.5, failures=2)
    await world.order(order(Verb.APPCONFIG, 2, made, watch=brief))
    application = (await world.sliver.processes(APP)).pids
    (world.place.root / "app" / "ill").touch()
    await world.until(lambda _: "failures in a row" in world.last("status").get("reason", ""))
    (world.place.root / "app" / "ill").unlink()
    await world.until(lambda _: "reason" not in world.last("status"))
    assert world.states() == WALK or "did not answer within 0.5 s" in str(world.events)
    if world.states() == WALK:
        assert (await world.sliver.processes(APP)).pids == application
