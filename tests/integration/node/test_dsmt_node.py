"""`dsmt-node` as a process against a real RabbitMQ: joining, killing, upgrading, ending."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from agents import local_socket, state_file
from agents.container_manager.slivers import record
from agents.container_manager.slivers.driver import SliverDriver
from agents.container_manager.slivers.place import Place
from agents.container_manager.unit import CAPABILITIES
from broker.server.private import PrivateBroker
from broker.topology import agent_topology
from dsmt_core.channels import command_channel
from dsmt_core.commands import Verb
from dsmt_core.errors import Invalid
from dsmt_core.names import CONTAINER_MGR, Slice
from dsmt_core.rights import ORDERS
from tests.integration.node.world import (
    HOST,
    SLICE,
    WALK,
    FakePlanner,
    Voice,
    alive,
    until,
    until_true,
    voice,
)

MEMORY_MB = 38.0


class NodeProcess:
    """One `dsmt-node`, started again and again over the same data."""

    def __init__(self, data: Path, planner: str) -> None:
        self.data = data
        self._planner = planner
        self._running: list[subprocess.Popen[bytes]] = []
        self.log = data.parent / "node.log"

    def start(self, *more: str, before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        ready = self.data.parent / "ready"
        ready.unlink(missing_ok=True)
        command = [
            *before,
            sys.executable,
            "-m",
            "agents.container_manager.main",
            "--planner",
            self._planner,
        ]
        command += ["--host", HOST, "--data", str(self.data), "--ready-file", str(ready), *more]
        with self.log.open("ab") as log:
            started = subprocess.Popen(
                command, env={**os.environ, "DSMT_NODE_TOKEN": "secret"}, stderr=log, stdout=log
            )
        self._running.append(started)
        return started

    @property
    def place(self) -> Place:
        return Place(SLICE, HOST, self.data / "slivers" / SLICE)

    def init(self) -> record.InitRecord | None:
        found = record.load(self.place.init_file)
        return found if record.lives(found) else None

    @property
    def pid(self) -> int:
        return self._running[-1].pid

    def kept(self) -> str:
        """The state on disk; a manager killed before it is there says that state again."""
        return str((state_file.load(self.place.order_file).value or {}).get("state"))

    def end_all(self) -> None:
        for process in self._running:
            process.kill()
            process.wait(60)


@pytest.fixture
def node(tmp_path: Path, planner: FakePlanner, bubblewrap: SliverDriver) -> Iterator[NodeProcess]:
    process = NodeProcess(tmp_path / "data", planner.url)
    yield process
    process.end_all()
    for path in (process.data / "slivers").glob("*"):
        bubblewrap.destroy(Place(Slice(path.name), HOST, path), grace_s=0.5)


@pytest.fixture
async def speaking(rabbit: PrivateBroker, vhost: str, planner: FakePlanner) -> AsyncIterator[Voice]:
    planner.welcome(rabbit.url("node", vhost))
    async with voice(rabbit.url("planner", vhost)) as planner_voice:
        await planner_voice.bus.declare(*agent_topology(SLICE, HOST))
        yield planner_voice


def status_of(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


def rss_mb(pid: int) -> float:
    lines = status_of(pid).splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


async def ended(process: subprocess.Popen[bytes], within_s: float = 60) -> int:
    return await asyncio.to_thread(process.wait, within_s)


def lives(speaking: Voice) -> int:
    """How many lives of the manager have said what they hold."""
    return len({event.boot_id for event in speaking.said()})


def restarts(speaking: Voice) -> int:
    return speaking.states().count("requested")


async def test_a_node_joins_and_makes_a_sliver_whose_agent_begins_after_it_runs(
    node: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    process = node.start()
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK, "the walk to running")
    assert planner.joins[0]["token"] == "secret"
    assert planner.joins[0]["host"] == HOST

    def bootstrapped() -> list[str]:
        said = [e for e in speaking.events("deployment-status") if "sliver-bootstrap" in e.channel]
        return [event.state for event in said]

    await until(lambda: bootstrapped()[-1:] == ["running"], "the agent's walk")
    first = next(e for e in speaking.events("deployment-status") if "sliver-bootstrap" in e.channel)
    order = speaking.events("deployment-status").index(first)
    assert order == len(WALK)
    assert rss_mb(process.pid) < MEMORY_MB
    assert "secret" not in command_line(process.pid)


async def test_killing_the_manager_touches_no_sliver_and_the_next_one_adopts_it(
    node: NodeProcess, speaking: Voice
) -> None:
    process = node.start()
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK and node.kept() == "running", "the walk to running")
    before = node.init()
    process.kill()
    await ended(process)
    assert node.init() == before
    again = node.start()
    await until(lambda: lives(speaking) == 2, "the next one has begun")
    assert node.init() == before
    again.terminate()
    assert await ended(again) == 0
    assert node.init() == before
    last = node.start("--end-slivers")
    await until(lambda: lives(speaking) == 3, "the one after has begun")
    last.terminate()
    assert await ended(last) == 0
    assert node.init() is None
    assert restarts(speaking) == 1


async def test_a_node_works_without_its_planner_once_it_has_joined(
    node: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    first = node.start()
    await until(lambda: planner.joins, "the join")
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK and node.kept() == "running", "the walk to running")
    first.kill()
    await ended(first)
    planner.answer = (503, {"code": "unavailable", "message": "not now", "hint": ""})
    node.start()
    await speaking.order(Verb.CREATE, 2)
    await until(lambda: speaking.holdings().get(f"sliver.{SLICE}") == "2", "it hears its orders")
    assert speaking.states() == WALK


async def test_a_node_that_has_not_joined_waits_for_its_planner(
    node: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    welcome = planner.answer
    planner.answer = (503, {})
    process = node.start()
    await until(lambda: len(planner.joins) >= 2, "it tries again")
    assert process.poll() is None
    planner.answer = welcome
    await until(lambda: speaking.events("heartbeat"), "it has joined")


@pytest.mark.parametrize(
    ("status", "code", "exit_code"), [(409, "conflict", 6), (401, "unauthenticated", 4), (403, "denied", 4)]
)
async def test_a_refused_join_ends_the_node_with_one_line(
    node: NodeProcess, planner: FakePlanner, status: int, code: str, exit_code: int
) -> None:
    planner.answer = (status, {"code": code, "message": "you may not", "hint": "ask for a token"})
    process = node.start()
    assert await ended(process) == exit_code
    text = node.log.read_text()
    assert "dsmt-node: you may not\n  ask for a token\n" in text
    assert "Traceback" not in text


async def test_a_second_node_over_the_same_data_is_refused(
    node: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    node.start()
    await until(lambda: planner.joins, "the first has joined")
    second = node.start()
    assert await ended(second) == 6
    assert "another dsmt-node" in node.log.read_text()


async def test_a_name_taken_meanwhile_ends_a_node_that_had_joined(
    node: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    first = node.start()
    await until(lambda: speaking.events("heartbeat"), "it has joined")
    first.terminate()
    await ended(first)
    planner.answer = (503, {})
    beats = len(speaking.events("heartbeat"))
    second = node.start()
    await until(lambda: len(speaking.events("heartbeat")) > beats, "it works alone")
    planner.answer = (
        409,
        {"code": "conflict", "message": "another node has this name", "hint": "rename it"},
    )
    assert await ended(second) == 6
    assert "Traceback" not in node.log.read_text()


async def test_a_broker_that_has_moved_is_followed_and_nothing_is_restarted(
    node: NodeProcess, planner: FakePlanner, rabbit: PrivateBroker, speaking: Voice
) -> None:
    welcome = planner.answer
    first = node.start()
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK and node.kept() == "running", "the walk to running")
    first.kill()
    await ended(first)
    before = node.init()
    # It starts with a broker that is not there any more, and learns the new one by and by.
    known = node.data / "node.json"
    assert known.exists()
    values = state_file.load(known).value or {}
    state_file.save(known, {**values, "broker": "amqp://node:x@127.0.0.1:1/%2F"})
    planner.answer = (503, {})
    node.start()
    await until(lambda: len(planner.joins) >= 2, "it works alone")
    planner.answer = welcome
    await until(lambda: lives(speaking) == 2, "it speaks on the right broker")
    assert node.init() == before
    assert restarts(speaking) == 1


async def test_orders_that_are_none_are_passed_over(node: NodeProcess, speaking: Voice) -> None:
    node.start()
    await until(lambda: speaking.events("heartbeat"), "it has joined")
    sender = speaking._sender
    for value in ("CREATE", "DANCE,h,s", "", f"CREATE,{HOST},{SLICE}"):
        event = sender.event(
            command_channel(SLICE, CONTAINER_MGR, HOST), "status", now=1.0, id_="x", value=value
        )
        await speaking.bus.publish(event, exchange=ORDERS)
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK, "the walk to running")


async def test_a_depot_that_has_moved_is_found_by_joining_again(
    node: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    content = b"a package"
    digest = planner.put(content)
    status, welcome = planner.answer
    planner.answer = (status, {**welcome, "depot": "http://127.0.0.1:1"})
    node.start()
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK, "the walk to running")
    planner.answer = (status, welcome)
    request = {"op": "fetch", "digest": digest, "size": len(content)}

    def fetched() -> bool:
        try:
            return bool(local_socket.ask(node.place.node_socket, request, timeout_s=60)["path"])
        except Invalid:
            return False

    assert not await asyncio.to_thread(fetched)
    await until(lambda: len(planner.joins) >= 2, "it joins again")
    await until_true(lambda: asyncio.to_thread(fetched), "the package")


async def test_another_address_for_applications_reaches_the_sliver_and_nothing_is_restarted(
    node: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    """The node joins again: here since its depot is away, and otherwise now and then."""
    status, welcome = planner.answer
    old, new = (f"amqp://application:{word}@mq.example.org/dsmt" for word in ("old", "new"))
    planner.answer = (status, {**welcome, "depot": "http://127.0.0.1:1", "application_broker": old})
    node.start()
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK, "the walk to running")

    def told() -> object:
        return (state_file.load(node.place.agent_file).value or {}).get("application_broker")

    await until(lambda: told() == old, "the first address")
    before = node.init()
    planner.answer = (status, {**welcome, "application_broker": new})
    request = {"op": "fetch", "digest": planner.put(b"a package"), "size": 9}
    with pytest.raises(Invalid):
        await asyncio.to_thread(local_socket.ask, node.place.node_socket, request, timeout_s=60)
    await until(lambda: told() == new, "the second address")
    assert node.init() == before
    assert speaking.states() == WALK
    assert new not in command_line(node.pid)


async def test_programs_of_the_node_tell_facts_and_one_that_hangs_holds_up_no_heartbeat(
    node: NodeProcess, speaking: Voice, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("1-hang", "sleep 600"), ("2-gpu", "echo gpus=4; echo cpus=99")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    node.start("--sliver-driver", "process", "--facts-dir", str(programs))
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK, "the walk to running")
    await until(
        lambda: any("gpus" in event.pairs for event in speaking.events("facts")[-1:]),
        "what the programs tell",
    )
    told = speaking.events("facts")[-1].pairs
    assert told["gpus"] == "4"
    assert told["cpus"] != "99"
    assert told["facts_trouble"] == "1-hang: no answer within 10 s"


async def test_where_bubblewrap_is_not_wanted_the_same_happens_among_plain_processes(
    node: NodeProcess, speaking: Voice
) -> None:
    node.start("--sliver-driver", "process")
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK, "the walk to running")
    await until(lambda: speaking.events("facts"), "the facts")
    assert speaking.events("facts")[-1].pairs["sliver_driver"] == "process"

    def agent_runs() -> bool:
        said = [e.state for e in speaking.events("deployment-status") if "sliver-bootstrap" in e.channel]
        return said[-1:] == ["running"]

    await until(agent_runs, "the agent's walk")
    init = node.init()
    await speaking.order(Verb.DELETE, 2)
    await until(lambda: speaking.states() == [*WALK, "terminated"], "the end")
    assert not record.lives(init)
    await until(lambda: set(alive(node.data)) <= {node.pid}, "nothing but the manager")


async def test_what_the_unit_takes_from_the_manager_it_does_not_need(
    node: NodeProcess, speaking: Voice
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only a unit of the system's takes rights away")
    kept = ",".join("+" + name.removeprefix("CAP_").lower() for name in CAPABILITIES)
    # A machine may have fewer; setpriv would not give them back.
    process = node.start(before=["setpriv", "--bounding-set", f"-all,{kept}", "--no-new-privs", "--"])
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK, "the walk to running")
    assert "NoNewPrivs:\t1" in status_of(process.pid)
    await speaking.order(Verb.DELETE, 2)
    await until(lambda: speaking.states()[-1:] == ["terminated"], "its end")
