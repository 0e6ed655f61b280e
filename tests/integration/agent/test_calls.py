"""Calls of an agent in a real sliver: its application's log, and commands that are run as it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broker.topology import ANSWERS, planner_topology
from dsmt_core.calls import ANSWER, CALL, TTL_S, Answer, Call, Kind, answer_of
from dsmt_core.channels import DEPLOYMENT, command_channel
from dsmt_core.commands import Verb
from dsmt_core.events import Sender
from dsmt_core.names import DEPLOYMENT_AGENT, Application
from dsmt_core.rights import ORDERS
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, GOOD, HOST, SLICE, SOON_S, World, order

Ask = Callable[..., Awaitable[Answer]]


@asynccontextmanager
async def asking(world: World) -> AsyncIterator[Ask]:
    """Asks in the name of the planner."""
    await world.planner.declare(*planner_topology(5.0))
    sender = Sender("planner", "planner", os.urandom(8).hex())

    async def ask(kind: Kind, **more: Any) -> Answer:
        application = more.pop("application", APP)
        call = Call(
            kind=kind, id=os.urandom(8).hex(), host=HOST, slice=SLICE, application=application, **more
        )
        event = sender.event(
            command_channel(SLICE, DEPLOYMENT_AGENT, HOST),
            CALL,
            now=0.0,
            id_=os.urandom(8).hex(),
            value=kind,
            pairs=call.pairs,
            ttl=TTL_S,
        )
        # Twice, as a broker may deliver it: it is carried out once.
        await world.planner.publish(event, exchange=ORDERS)
        await world.planner.publish(event, exchange=ORDERS)
        async with asyncio.timeout(SOON_S):
            async for delivery in deliveries:
                delivery.ack()
                assert delivery.event.field == ANSWER
                answer = answer_of(delivery.event)
                if answer.id == call.id:
                    return answer
        raise AssertionError("the queue of answers has ended")

    async with world.planner.consume(ANSWERS, under=DEPLOYMENT) as deliveries:
        yield ask


@pytest.fixture
async def running(world: World, packages: Made) -> World:
    start = "echo hello; printf 'a\\000b\\377'; echo; sleep 1000 & echo $! > /app/pid"
    made = packages("1.0", **{**GOOD, "start": start})
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states("requested", "instantiated", "initialized", "running")
    return world


async def test_the_log_is_told_and_waited_for(running: World) -> None:
    async with asking(running) as ask:
        assert (await ask(Kind.PING)).error == ""
        first = await ask(Kind.LOGS, lines=10)
        assert [line.partition(" ")[2] for line in first.text.splitlines()] == ["hello", "a\ufffdb\ufffd"]
        assert (first.more, first.lost, first.error) == (False, False, "")
        for since_s in (3600.0, 1e12, 1e300):
            assert (await ask(Kind.LOGS, since_s=since_s, lines=1)).text.endswith("a\ufffdb\ufffd\n")
        gone = await ask(Kind.LOGS, after="1:999999999")
        assert (gone.text, gone.lost) == (first.text, True)
        nothing = await ask(Kind.LOGS, after=first.place)
        assert (nothing.text, nothing.place) == ("", first.place)

        async def say_something() -> None:
            await asyncio.sleep(0.2)
            log = running.place.root / "var" / "log" / f"{APP}.log"
            with log.open("a") as file:
                file.write("later\n")

        said = asyncio.create_task(say_something())
        assert (await ask(Kind.LOGS, after=first.place, wait_s=20.0)).text == "later\n"
        await said
        wrong = await ask(Kind.LOGS, application=Application("other"))
        assert (wrong.code, wrong.error) == ("not_found", "other is not here")


async def test_a_command_runs_once_as_the_application(running: World) -> None:
    async with asking(running) as ask:
        script = "echo $DSMT_APPLICATION $DSMT_HOST; pwd; echo x >> /var/ran; exit 7"
        ran = await ask(Kind.EXEC, argv=("sh", "-c", script), by="me@example.com")
        assert (ran.text, ran.exit, ran.timed_out) == (f"{APP} {HOST}\n/app\n", 7, False)
        assert (running.place.root / "var" / "ran").read_text() == "x\n"
        loud = await ask(Kind.EXEC, argv=("sh", "-c", "head -c 200000 /dev/zero | tr '\\0' y"))
        assert (set(loud.text), len(loud.text), loud.cut) == ({"y"}, 48 << 10, True)
        slow = await ask(Kind.EXEC, argv=("sleep", "100"), timeout_s=0.2)
        assert (slow.timed_out, slow.exit) == (True, -9)
        missing = await ask(Kind.EXEC, argv=("/no/such",))
        assert (missing.code, "No such file" in missing.error) == ("conflict", True)
        directory = await ask(Kind.EXEC, argv=("/app",))
        assert (directory.code, "Permission denied" in directory.error) == ("conflict", True)
        waiting = await ask(Kind.EXEC, argv=("cat",))
        assert (waiting.text, waiting.exit) == ("", 0)
    before = running.states()
    assert before == ["requested", "instantiated", "initialized", "running"]


async def test_too_many_commands_are_refused_and_the_agent_goes_on(running: World) -> None:
    await running.planner.declare(*planner_topology(5.0))
    sender = Sender("planner", "planner", os.urandom(8).hex())
    for number in range(7):
        call = Call(
            kind=Kind.EXEC,
            id=f"{number:016x}",
            host=HOST,
            slice=SLICE,
            application=APP,
            argv=("sh", "-c", "until [ -e /var/go ]; do sleep 0.1; done"),
        )
        for value, pairs in ((call.kind, call.pairs), ("NOTHING", {}), (Kind.LOGS, {"call": "x"})):
            event = sender.event(
                command_channel(SLICE, DEPLOYMENT_AGENT, HOST),
                CALL,
                now=0.0,
                id_=os.urandom(8).hex(),
                value=value,
                pairs=pairs,
            )
            await running.planner.publish(event, exchange=ORDERS)
    answers: list[Answer] = []
    async with running.planner.consume(ANSWERS, under=DEPLOYMENT) as deliveries, asyncio.timeout(SOON_S):
        async for delivery in deliveries:
            delivery.ack()
            answers.append(answer_of(delivery.event))
            if len(answers) == 3:
                (running.place.root / "var" / "go").touch()
            if len(answers) == 7:
                break
    assert [answer.code for answer in answers] == [*["full"] * 3, *[""] * 4]
