"""The container manager as a task, over the bus inside the process, with real slivers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import broker
from agents import local_socket, state_file
from agents.container_manager import metering
from agents.container_manager.config import NodeConfig
from agents.container_manager.decide.node import ASK_S
from agents.container_manager.joining import Joined
from agents.container_manager.service import ContainerManager
from agents.container_manager.slivers import record
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.place import Place
from broker.topology import node_queue
from dsmt_core.commands import Verb
from dsmt_core.errors import Invalid
from dsmt_core.limits import Limits
from dsmt_core.names import Slice
from dsmt_core.nodes import digest
from tests.integration.node.world import HOST, SLICE, WALK, FakePlanner, Voice, until, voice

Starter = Callable[[], Awaitable["asyncio.Task[None]"]]


async def idle_agent(_place: Place) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    return NodeConfig(
        planner="http://127.0.0.1:1", host=HOST, data=tmp_path / "n", embedded_agent=idle_agent
    )


@pytest.fixture
async def speaking(memory_world: str) -> AsyncIterator[Voice]:
    async with voice(f"memory://planner@{memory_world}") as planner_voice:
        yield planner_voice


@asynccontextmanager
async def node(config: NodeConfig, world: str, depot: str = "") -> AsyncIterator[ContainerManager]:
    """A node on a bus of its own; it ends as by SIGTERM: its slivers live on."""
    bus = broker.connect(f"memory://node@{world}", name=config.host)
    await bus.start(wait_s=60)
    joined = Joined(
        broker=f"memory://node@{world}",
        queue=node_queue(HOST),
        heartbeat_s=0.1,
        depot=depot,
        depot_token="t",
    )
    manager = ContainerManager(config, bus=bus, joined=joined)
    running = asyncio.create_task(manager.run())
    ready = asyncio.create_task(manager.ready.wait())
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        yield manager
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.close()


@pytest.fixture(autouse=True)
async def _nothing_is_left(config: NodeConfig) -> AsyncIterator[None]:
    yield
    driver = BubblewrapDriver()
    for path in config.slivers.glob("*"):
        driver.destroy(config.place(Slice(path.name)), grace_s=0.2)


def init_of(config: NodeConfig, name: Slice = SLICE) -> record.InitRecord | None:
    found = record.load(config.place(name).init_file)
    return found if record.lives(found) else None


async def test_an_order_makes_a_sliver_and_the_four_events_come_in_order(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
        assert init_of(config) is not None
        await until(lambda: speaking.holdings().get(f"sliver.{SLICE}") == "3", "holdings")
        beats = speaking.events("heartbeat")
        await until(
            lambda: speaking.events("heartbeat")[-1].pairs["digest"] == digest({SLICE: 3}), "digest"
        )
        assert beats[0].emit_rate == pytest.approx(0.1)
        first = speaking.events("deployment-status")[0]
        assert dict(first.pairs) == {
            "hostname": HOST,
            "component": "org.dsmt.component.sliver-mgr",
            "managed": "org.dsmt.component.container",
            "slice": SLICE,
            "status": "requested",
        }
        assert first.service == "xyz1_mgr"
        assert first.instance == f"{HOST}/org.dsmt.component.sliver-mgr"
        assert speaking.events("facts")[-1].pairs["sliver_driver"] == "bubblewrap"


async def test_an_order_given_twice_and_an_older_one_change_nothing(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
        before = init_of(config)
        said = len(speaking.said())
        await speaking.order(Verb.CREATE, 3)
        await speaking.order(Verb.DELETE, 2)
        await speaking.order(Verb.CREATE, 5)
        await until(lambda: speaking.holdings().get(f"sliver.{SLICE}") == "5", "the newer generation")
        await until(lambda: len(speaking.said()) >= said + 2, "an answer to each")
        assert speaking.states() == WALK
        assert init_of(config) == before


async def test_a_deleted_sliver_is_gone_and_an_older_order_does_not_bring_it_back(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
        init = init_of(config)
        await speaking.order(Verb.DELETE, 4)
        await until(lambda: speaking.states() == [*WALK, "terminated"], "the end")
        await until(lambda: speaking.holdings().get(f"gone.{SLICE}") == "4", "what is gone")
        assert f"sliver.{SLICE}" not in speaking.holdings()
        assert not record.lives(init)
        assert not config.place(SLICE).directory.exists()
        said = len(speaking.said())
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: len(speaking.said()) > said, "the refusal")
        assert not config.place(SLICE).directory.exists()
        await speaking.order(Verb.CREATE, 5)
        await until(lambda: speaking.states() == [*WALK, "terminated", *WALK], "a further walk")


async def test_what_runs_is_adopted_and_nothing_is_said_twice(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
        # A manager that ends between saying and writing down says it again: at least once (ADR 0042).
        await until(lambda: written_state(config) == "running", "the record of it")
        before = init_of(config)
    assert init_of(config) == before
    async with node(config, memory_world):
        said = len(speaking.said())
        await speaking.order(Verb.REPORT, 0)
        await until(lambda: len(speaking.said()) > said, "the report")
        assert "asks" not in speaking.holdings()
        assert init_of(config) == before
        assert speaking.states() == WALK


async def test_an_init_that_died_is_failed_and_booted_again(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
        before = init_of(config)
        assert before is not None
        os.kill(before.pid, signal.SIGKILL)
        await until(lambda: speaking.states() == [*WALK, "failed", *WALK], "the further walk")
        failed = speaking.events("deployment-status")[4]
        assert "ended unexpectedly" in failed.pairs["reason"]
        assert init_of(config) not in {None, before}


def written_state(config: NodeConfig, slice_: Slice = SLICE) -> str:
    return str((state_file.load(config.place(slice_).order_file).value or {}).get("state"))


async def end_all(config: NodeConfig) -> None:
    """As a power failure does: everything in the slivers is gone, the files stay."""
    for path in config.slivers.glob("*"):
        await asyncio.to_thread(BubblewrapDriver().end, config.place(Slice(path.name)), grace_s=0.1)


async def test_after_a_reboot_the_node_asks_first_and_then_starts_what_is_on_disk(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
        await until(lambda: written_state(config) == "running", "its record")
    await end_all(config)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with node(config, memory_world):
        await until(lambda: speaking.holdings().get("asks") == "yes", "the question")
        await until(lambda: speaking.states() == [*WALK, *WALK], "a start without an answer")
        assert loop.time() - begun > ASK_S


async def test_after_a_reboot_an_answer_starts_at_once_and_a_deletion_starts_nothing(
    config: NodeConfig, memory_world: str, speaking: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without an answer nothing would start in the time of this test.
    monkeypatch.setattr("agents.container_manager.decide.node.ASK_S", 1_000.0)
    other = Slice("other")
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await speaking.order(Verb.CREATE, 3, other)
        await until(lambda: speaking.states() == speaking.states(other) == WALK, "both run")
        await until(
            lambda: written_state(config) == written_state(config, other) == "running", "the records"
        )
    await end_all(config)
    async with node(config, memory_world):
        await until(lambda: speaking.holdings().get("asks") == "yes", "the question")
        await speaking.order(Verb.CREATE, 3)
        await speaking.order(Verb.DELETE, 4, other)
        await until(lambda: speaking.states() == [*WALK, *WALK], "a start by the answer")
        await until(lambda: speaking.states(other) == [*WALK, "terminated"], "no start")


async def test_a_torn_order_is_asked_for_while_the_sliver_runs_on(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
    before = init_of(config)
    text = config.place(SLICE).order_file.read_text()
    config.place(SLICE).order_file.write_text(text[: len(text) // 2])
    async with node(config, memory_world):
        await until(lambda: speaking.holdings().get("asks") == "yes", "the question")
        assert speaking.holdings()[f"sliver.{SLICE}"] == "0"
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.holdings().get(f"sliver.{SLICE}") == "3", "the answer taken")
        assert "asks" not in speaking.holdings()
        assert init_of(config) == before
        assert speaking.states() == WALK
        assert config.place(SLICE).order_file.with_name("order.json.torn-1").exists()


async def test_a_sliver_whose_order_is_torn_and_which_does_not_run_is_not_started_unasked(
    config: NodeConfig, memory_world: str, speaking: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.container_manager.decide.node.ASK_S", 0.5)
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
        await until(lambda: written_state(config) == "running", "its record")
    await end_all(config)
    config.place(SLICE).order_file.write_text("")
    async with node(config, memory_world):
        await until(lambda: speaking.holdings().get("asks") == "yes", "the question")
        await asyncio.sleep(2.0)
        assert init_of(config) is None
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == [*WALK, *WALK], "a start by the answer")


async def test_what_is_no_sliver_is_left_alone(
    config: NodeConfig, memory_world: str, speaking: Voice, tmp_path: Path
) -> None:
    config.slivers.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (config.slivers / "link").symlink_to(elsewhere)
    async with node(config, memory_world):
        await until(lambda: "hostname" in speaking.holdings(), "its holdings")
        assert not [name for name in speaking.holdings() if name.startswith("sliver.")]
    assert list(elsewhere.iterdir()) == []
    (config.slivers / "link").unlink()


async def test_an_unknown_agent_fails_with_the_reason(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3, agent="nonsense")
        await until(lambda: speaking.states()[-1:] == ["failed"], "the failure")
        assert "nonsense" in speaking.events("deployment-status")[-1].pairs["reason"]
        await speaking.order(Verb.CREATE, 4, agent="deployment-agent")
        await until(lambda: speaking.states()[-4:] == WALK, "another try with another agent")


async def test_an_embedded_agent_runs_with_its_sliver_and_ends_with_it(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    lives: list[Path] = []

    async def agent(place: Place) -> None:
        lives.append(place.directory)
        try:
            await asyncio.Event().wait()
        finally:
            lives.remove(place.directory)

    async with AsyncExitStack() as stack:
        changed = NodeConfig(planner="", host=HOST, data=config.data, embedded_agent=agent)
        await stack.enter_async_context(node(changed, memory_world))
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: lives == [config.place(SLICE).directory], "the agent runs")
        await until(lambda: speaking.states() == WALK, "the walk to running")
        init = init_of(config)
        assert init is not None
        os.kill(init.pid, signal.SIGKILL)
        await until(lambda: speaking.states() == [*WALK, "failed", *WALK] and lives, "both run again")
        await speaking.order(Verb.DELETE, 4)
        await until(lambda: not lives, "the agent has ended")


async def test_a_sliver_fetches_through_its_node(
    config: NodeConfig, memory_world: str, speaking: Voice, planner: FakePlanner
) -> None:
    content = os.urandom(300_000)
    package = planner.put(content)
    planner.blobs["0" * 64] = content
    planner.slow_s = 0.2
    place = config.place(SLICE)

    def fetch(digest_: str, size: int) -> str:
        request = {"op": "fetch", "digest": digest_, "size": size}
        return str(local_socket.ask(place.node_socket, request, timeout_s=60)["path"])

    async with node(config, memory_world, planner.url):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: speaking.states() == WALK, "the walk to running")
        both = await asyncio.gather(*(asyncio.to_thread(fetch, package, len(content)) for _ in range(5)))
        assert set(both) == {f"/packages/{package}"}
        assert len(planner.gets) == 1
        assert (place.packages / package).read_bytes() == content
        seen = await asyncio.to_thread(
            local_socket.ask,
            place.init_socket,
            {"op": "run", "argv": ["wc", "-c", f"/packages/{package}"]},
            timeout_s=60,
        )
        assert seen["output"].startswith("300000 ")
        for wrong, said in (
            ("0" * 64, "refused"),
            ("1" * 64, "has no package"),
            ("../x", "not the digest"),
        ):
            with pytest.raises(Exception, match=said):
                await asyncio.to_thread(fetch, wrong, len(content))
        assert [path.name for path in config.packages.iterdir()] == [package]


async def test_an_embedded_agent_that_fails_is_started_again(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    starts: list[int] = []

    async def agent(_place: Place) -> None:
        starts.append(len(starts))
        if len(starts) < 3:
            raise RuntimeError("no luck")
        await asyncio.Event().wait()

    changed = NodeConfig(planner="", host=HOST, data=config.data, embedded_agent=agent)
    async with node(changed, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: len(starts) == 3, "a third start")
        await until(lambda: speaking.states() == WALK, "the walk to running")


def figure(speaking: Voice, field: str) -> str:
    """A figure of the usual slice's container as it was told last."""
    events = [event for event in speaking.events(field) if event.pairs["slice"] == SLICE]
    return events[-1].pairs["value"] if events else ""


async def test_limits_come_with_the_order_are_told_and_change_without_a_restart(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3, limits=Limits(memory=64 << 20, disk=1 << 30))
        await until(lambda: figure(speaking, "mem-quota") == "65536", "the quota of memory")
        # They are told one after the other; this is the last.
        await until(lambda: figure(speaking, "limits-enforced"), "what is enforced")
        assert "disk=watched" in figure(speaking, "limits-enforced")
        assert figure(speaking, "disk-quota") == "1048576"
        assert int(figure(speaking, "disk-use")) > 0
        assert int(figure(speaking, "sliver-installed-at")) > 1_000_000_000
        told = speaking.events("mem-quota")[0]
        assert told.channel == f"/org/dsmt/ns/deployment/{SLICE}/org.dsmt.container/status/{HOST}/"
        assert dict(told.pairs) == {"hostname": HOST, "slice": SLICE, "value": "65536"}
        before = init_of(config)
        await speaking.order(Verb.CREATE, 4, limits=Limits(memory=128 << 20))
        await until(lambda: figure(speaking, "mem-quota") == "131072", "the other quota")
        await until(lambda: figure(speaking, "disk-quota") == "0", "no quota of the disk")
        assert init_of(config) == before
        assert speaking.states() == WALK
    # The next manager keeps what the order said, without being told again.
    quotas = len(speaking.events("mem-quota"))
    async with node(config, memory_world):
        await until(lambda: len(speaking.events("mem-quota")) > quotas, "the quota, told anew")
        assert figure(speaking, "mem-quota") == "131072"
        assert init_of(config) == before


async def test_one_word_tells_how_far_a_sliver_is(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    def words() -> list[str]:
        return [event.pairs["value"] for event in speaking.events("sliver-state")]

    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3)
        await until(lambda: words() == ["selected", "installing", "installed"], "the words")
        first = speaking.events("sliver-state")[0]
        assert first.channel == (
            f"/org/dsmt/ns/deployment/{SLICE}/org.dsmt.component.container-mgr/status/{HOST}/"
        )
        assert dict(first.pairs) == {"hostname": HOST, "slice": SLICE, "value": "selected"}
        await speaking.order(Verb.DELETE, 4)
        await until(lambda: words()[3:] == ["deselected"], "the last word")


async def test_over_its_disk_quota_a_sliver_installs_nothing(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3, limits=Limits(disk=64 << 20))
        await until(lambda: figure(speaking, "disk-use"), "the first look")
        place = config.place(SLICE)
        fill = "head -c 3000000 /dev/urandom > /tmp/a; head -c 3000000 /dev/urandom > /tmp/b; sync"
        done = await asyncio.to_thread(
            local_socket.ask,
            place.init_socket,
            {"op": "run", "argv": ["sh", "-c", fill], "cwd": "/", "timeout": 50},
            timeout_s=60,
        )
        assert done["exit"] == 0
        await speaking.order(Verb.CREATE, 4, limits=Limits(disk=5 << 20))
        await until(lambda: figure(speaking, "disk-quota") == "5120", "the smaller quota")
        await until(lambda: int(figure(speaking, "disk-use")) > 5000, "the next look")
        with pytest.raises(Invalid, match=r"its files take 5\.\d+M of the 5M that it may"):
            await asyncio.to_thread(
                local_socket.ask,
                place.node_socket,
                {"op": "fetch", "digest": "0" * 64, "size": 1},
                timeout_s=60,
            )


@pytest.mark.parametrize("files", [(2, 5_000_000), (3_000, 2)], ids=["large", "many"])
async def test_a_sliver_over_its_disk_quota_is_ended_and_comes_back_with_a_larger_one(
    config: NodeConfig,
    memory_world: str,
    speaking: Voice,
    files: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fill() -> None:
        # From outside: a program of the sliver's may be ended with it before it has written all.
        count, size = files
        for number in range(count):
            (config.place(SLICE).root / "tmp" / f"f{number}").write_bytes(bytes(size))

    monkeypatch.setattr(metering, "LOOK_S", 2.0)
    monkeypatch.setattr(metering, "QUICK_S", 1.0)
    monkeypatch.setattr("agents.container_manager.decide.grace.GRACE_S", 2.0)
    async with node(config, memory_world):
        await speaking.order(Verb.CREATE, 3, limits=Limits(disk=8 << 20))
        await until(lambda: figure(speaking, "disk-use"), "the first look")
        await asyncio.to_thread(fill)
        # Nobody asks to install: it is noticed by a look.
        await until(lambda: "failed" in speaking.states(), "its end", within_s=120)
        reasons = [event.pairs.get("reason", "") for event in speaking.events("deployment-status")]
        assert any("the sliver does not fit: its files take" in reason for reason in reasons)
        await speaking.order(Verb.CREATE, 4, limits=Limits(disk=64 << 20))
        await until(lambda: speaking.states()[-1:] == ["running"], "it comes back")


async def test_limits_that_the_node_cannot_keep_are_refused_and_the_old_ones_stay(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    small, other = replace(config, capacity=Limits(memory=200 << 20)), Slice("other")
    async with node(small, memory_world):
        await speaking.order(Verb.CREATE, 3, limits=Limits(memory=100 << 20))
        await speaking.order(Verb.CREATE, 1, other, limits=Limits(memory=60 << 20))
        await until(lambda: speaking.states() == WALK and speaking.states(other) == WALK, "both")
        await speaking.order(Verb.CREATE, 4, limits=Limits(memory=150 << 20))
        told = "others are refused: the sliver does not fit: it may take 150M of memory, and 140M of 200M"
        await until(lambda: told in figure(speaking, "limits-enforced"), "the refusal")
        assert figure(speaking, "mem-quota") == str(100 << 10)
        assert speaking.states() == WALK
        await speaking.order(Verb.CREATE, 5, limits=Limits(memory=120 << 20))
        await until(lambda: figure(speaking, "mem-quota") == str(120 << 10), "what fits")
        await until(lambda: "refused" not in figure(speaking, "limits-enforced"), "no refusal any more")


async def test_of_many_that_begin_at_once_only_those_that_fit_begin(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    small = replace(config, capacity=Limits(memory=100 << 20))
    names = [Slice(f"many{number}") for number in range(6)]
    async with node(small, memory_world):
        await asyncio.gather(
            *(speaking.order(Verb.CREATE, 1, name, limits=Limits(memory=40 << 20)) for name in names)
        )
        await until(
            lambda: all({"running", "failed"} & set(speaking.states(name)) for name in names),
            "an end of each",
        )
        assert sum("running" in speaking.states(name) for name in names) == 2


async def test_what_does_not_fit_beside_the_others_is_refused_with_the_reason(
    config: NodeConfig, memory_world: str, speaking: Voice
) -> None:
    small = replace(config, capacity=Limits(memory=100 << 20))
    async with node(small, memory_world):
        await speaking.order(Verb.CREATE, 3, limits=Limits(memory=60 << 20))
        await until(lambda: speaking.states() == WALK, "the first")
        other = Slice("other")
        await speaking.order(Verb.CREATE, 1, other, limits=Limits(memory=50 << 20))
        await until(lambda: "failed" in speaking.states(other), "the refusal")

        def told() -> bool:
            reasons = [event.pairs.get("reason", "") for event in speaking.events("sliver-state")]
            return any("50M of memory, and 40M of 100M are not promised" in reason for reason in reasons)

        # Said by another part than the state itself, so perhaps a moment later.
        await until(told, "the reason")
        await speaking.order(Verb.DELETE, 4)
        await until(lambda: speaking.states(other)[-1:] == ["running"], "room for the other")
