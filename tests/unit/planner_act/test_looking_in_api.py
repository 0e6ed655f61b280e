"""Logs and commands over the API: whom they reach, what is refused, and what an agent may answer."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from broker.bus import Health, Link
from dsmt_core.calls import ANSWER, Answer, Call, Kind, call_of
from dsmt_core.channels import Channel, status_channel
from dsmt_core.errors import Conflict, DeadlinePassed, Full, Invalid, Unavailable
from dsmt_core.events import Event, Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, Application, Host, Slice
from planner.authority.order_keys import OrderKeys
from planner.fleet import Fleet
from planner.fleet.seen import LayerSeen, SliverSeen
from planner.service import calls as calls_module
from planner.service import logs as logs_module
from planner.service.calls import Calls
from planner.service.logs import Logs, Wish
from planner.service.pings import Pings
from planner.service.voice import Voice
from tests.unit.planner_act.conftest import Api

H1, H2, S1, X = Host("h1"), Host("h2"), Slice("s1"), Application("x")
AT = "2026-11-28T02:08:0{}.123Z "


@dataclass
class Agents:
    """Stands for the bus with agents behind it: each call is answered as the test says."""

    answers: dict[Host, list[Answer | None]]
    health: Health = field(default_factory=lambda: Health(link=Link.CONNECTED))
    heard: list[Call] = field(default_factory=list)
    calls: Any = None
    speaks: str = ""

    async def publish(self, event: Event, **_: Any) -> None:
        call = call_of(event)
        self.heard.append(call)
        waiting = self.answers.get(call.host, [])
        answer = waiting.pop(0) if waiting else None
        if answer is not None:
            said = Answer(**{name: getattr(answer, name) for name in answer.__slots__} | {"id": call.id})
            self.calls._heard(self.event(Host(self.speaks) or call.host, said.pairs))

    @staticmethod
    def event(host: Host, pairs: dict[str, str], name: str = ANSWER) -> Event:
        channel: Channel = status_channel(S1, DEPLOYMENT_AGENT, host)
        return Sender("s1_mgr", "agent", "b").event(channel, name, now=0.0, id_="i", pairs=pairs)


def told(*lines: str, **more: Any) -> Answer:
    return Answer(id="0" * 8, text="".join(f"{line}\n" for line in lines), **more)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_module, "ANSWER_S", 1.0)
    monkeypatch.setattr(logs_module, "_AGAIN_S", 0.01)
    monkeypatch.setattr(logs_module, "_PAUSE_S", 0.001)
    monkeypatch.setattr(logs_module, "_WAIT_S", 0.01)
    monkeypatch.setattr(logs_module, "_ALIVE_S", 0.02)


def calls_of(agents: Agents) -> Calls:
    keys = OrderKeys(Path(tempfile.mkdtemp()) / "order.key")
    calls = Calls(agents, Voice(agents, lambda: 0.0, "b", keys))  # type: ignore[arg-type]
    agents.calls = calls
    return calls


CALL = Call(kind=Kind.EXEC, id="1" * 32, host=H1, slice=S1, application=X, argv=("true",))


async def test_a_call_is_answered_by_who_was_asked() -> None:
    agents = Agents({H1: [told("hello")]})
    assert (await calls_of(agents).ask(CALL)).text == "hello\n"
    agents = Agents({H1: [told("hello")]}, speaks="h2")
    with pytest.raises(DeadlinePassed):
        await calls_of(agents).ask(CALL)


async def test_what_cannot_be_asked_is_told_at_once() -> None:
    agents = Agents({H1: [Answer(id="0" * 8, error="no", code="conflict", hint="wait")]})
    with pytest.raises(Conflict) as refused:
        await calls_of(agents).ask(CALL)
    assert (refused.value.message, refused.value.hint) == ("no", "wait")
    agents.health.link = Link.AWAY
    with pytest.raises(Unavailable):
        await calls_of(agents).ask(CALL)
    assert len(agents.heard) == 1


async def test_calls_are_bounded_and_strange_answers_are_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    agents = Agents({})
    calls = calls_of(agents)
    monkeypatch.setattr(calls_module, "UNDER_WAY", 1)
    waiting = asyncio.create_task(calls.ask(CALL))
    await asyncio.sleep(0)
    with pytest.raises(Full):
        await calls.ask(CALL)
    calls._heard(agents.event(H1, {"call": "?"}))
    calls._heard(agents.event(H1, {"call": "2" * 32}))
    calls._heard(agents.event(H1, {"call": CALL.id}, "holdings"))
    with pytest.raises(DeadlinePassed):
        await waiting


class _Places:
    def __init__(self, *hosts: Host) -> None:
        self._hosts = list(hosts)

    def of_slice(self, _slice: Slice, _at: str) -> list[Host]:
        return self._hosts

    def hosts(self, _slice: Slice, _name: Application, _at: str) -> list[Host]:
        return self._hosts

    def trouble(self, host: Host) -> str:
        return "the node has failed" if host == "dead" else ""


def logs_of(agents: Agents, *hosts: Host) -> Logs:
    return Logs(_Places(*hosts), calls_of(agents))  # type: ignore[arg-type]


async def test_kept_lines_of_several_nodes_come_in_the_order_of_their_times() -> None:
    agents = Agents(
        {
            H1: [told(f"{AT.format(1)}a", place="1:1", more=True), told(f"{AT.format(4)}d", place="1:2")],
            H2: [told(f"{AT.format(2)}b", f"{AT.format(3)}c", lost=True)],
        }
    )
    logs = logs_of(agents, H1, H2, Host("dead"), Host("silent"))
    lines = [line async for line in logs.lines(S1, X, Wish(lines=5, since_s=60.0))]
    assert "".join(line.get("text", "") for line in lines) == "abcd"
    assert {line["host"]: line["trouble"] for line in lines if "trouble" in line} == {
        "h2": "some lines are not kept any more",
        "dead": "the node has failed",
        "silent": "silent did not answer within 1 s",
    }
    assert [(call.lines, call.since_s, call.after) for call in agents.heard if call.host == H1] == [
        (5, 60.0, ""),
        (0, 0.0, "1:1"),
    ]


async def test_what_comes_is_followed_and_a_silence_is_told_once() -> None:
    agents = Agents({H1: [told("a", place="1:1"), None, None, told("b", place="1:2")]})
    logs = logs_of(agents, H1)
    seen: list[dict[str, str]] = []
    async with asyncio.timeout(10):
        async for line in logs.lines(S1, X, Wish(lines=5, follow=True)):
            seen.append(line)
            if not line:
                continue
            if line.get("text") == "b":
                logs.close()
    assert [line.get("text", "trouble") for line in seen if line] == ["a", "trouble", "b", *["trouble"]][
        : len([line for line in seen if line])
    ]
    assert {call.after for call in agents.heard[-1:]} <= {"1:1", "1:2"}


async def test_who_was_silent_at_first_tells_no_more_than_was_wished() -> None:
    agents = Agents({H1: [None, told("a", place="1:1"), told("b", place="1:2")]})
    logs = logs_of(agents, H1)
    async with asyncio.timeout(10):
        async for line in logs.lines(S1, X, Wish(lines=5, since_s=60.0, follow=True)):
            if line.get("text") == "b":
                logs.close()
    first, late, then = agents.heard[:3]
    assert (first.lines, first.since_s, first.after) == (5, 60.0, "")
    assert (late.lines, late.after) == (5, "")
    # What was younger than that when it was asked for is so still.
    assert 60.0 < late.since_s < 70.0
    assert (then.lines, then.after) == (0, "1:1")


async def test_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "STREAMS", 0)
    with pytest.raises(Full):
        logs_of(Agents({}), H1).lines(S1, X, Wish(lines=1))


async def test_a_ping_tells_who_is_there_and_what_is_known_of_the_others() -> None:
    fleet, sliver = Fleet(), Host("silent")
    fleet.join(sliver, now=7.0)
    agents = Agents({H1: [told()], H2: [Answer(id="0" * 8, error="too many", code="full")]})
    places = _Places(H1, H2, sliver)
    pings = Pings(places, calls_of(agents), fleet)  # type: ignore[arg-type]
    first, *lines = [line async for line in pings.ask(S1, "", 1.0)]
    assert first == {"asked": 3}
    said = {line["host"]: line for line in lines}
    # One that refuses is there, too.
    assert said[H1]["ms"] >= 0 <= said[H2]["ms"]
    assert (said[sliver]["trouble"], said[sliver]["heard_at"]) == ("its agent is undefined", 7.0)
    assert [call.kind for call in agents.heard] == [Kind.PING] * 3
    for wrong in (0.0, 61.0):
        with pytest.raises(Invalid):
            pings.ask(S1, "", wrong)
    agents.health.link = Link.AWAY
    with pytest.raises(Unavailable):
        pings.ask(S1, "", 1.0)


async def test_a_ping_tells_who_may_be_too_old_to_answer_one() -> None:
    fleet = Fleet()
    fleet.join(H1, now=7.0)
    running = SliverSeen(agent=LayerSeen(State.RUNNING))
    fleet.sliver = lambda *_: running  # type: ignore[method-assign]
    node = fleet.node(H1)
    assert node is not None
    for facts, brought, said in (
        ({}, "", "did not answer within 0.01 s"),
        ({"dsmt_version": "0.0.1"}, "", "its node has DSMT 0.0.1, whose agent may not know pings"),
        ({}, "my-agent", "my-agent was brought by people, and may not know pings"),
    ):
        node.facts = facts
        pings = Pings(_Places(H1), calls_of(Agents({})), fleet, lambda _, own=brought: own)  # type: ignore[arg-type,misc]
        (_, line) = [line async for line in pings.ask(S1, "", 0.01)]
        assert line["trouble"].endswith(said), line


async def test_whom_the_api_reaches(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await api.put("s1", "dsmtw_pinger-1.8-1.noarch.rpm", b"rpm dsmtw_pinger 1.8-1")
    at = "/slices/s1/applications/pinger"
    for body, status, said in (
        ({"at": "h1", "argv": []}, 422, "no command"),
        ({"at": "h1", "argv": ["a\0b"]}, 422, "not legal"),
        ({"at": "h1", "argv": ["true"], "timeout_s": 301}, 422, "time limit"),
        ({"at": "h1", "argv": ["true"]}, 404, "neither a node nor a plan"),
        ({"at": "all_nodes", "argv": ["true"]}, 404, "is not placed on all_nodes"),
    ):
        got, message, hint = await api.refused("POST", f"{at}/exec", body)
        assert (got, said in message) == (status, True), (message, hint)
    for query, status in (
        ("", 404),
        ("?lines=0", 422),
        ("?lines=10001", 422),
        ("?at=nowhere", 404),
        ("?since_s=-1", 422),
        ("?since_s=nan", 422),
        ("?since_s=inf", 422),
        ("?since_s=1e308&follow=1", 404),
    ):
        got, _, _ = await api.refused("GET", f"{at}/logs{query}")
        assert got == status, query
    for query, status in (("", 404), ("?at=nowhere", 404), ("?within_s=0", 422), ("?within_s=x", 422)):
        got, _, _ = await api.refused("GET", f"/slices/s1/ping{query}")
        assert got == status, query
    got, _, _ = await api.refused("GET", "/slices/s1/applications/nothing/logs")
    assert got == 404
