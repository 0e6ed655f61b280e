"""Calls and answers: what travels comes back as it was, and what is not legal is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.calls import Answer, Call, Kind, answer_of, call_of, check_command
from dsmt_core.channels import Channel, status_channel
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.events import Event, Sender
from dsmt_core.history import kept
from dsmt_core.names import DEPLOYMENT_AGENT, Application, Host, Slice
from dsmt_core.rights import CALLS, may_speak

LOGS = Call(
    kind=Kind.LOGS,
    id="0123456789abcdef",
    host=Host("h1"),
    slice=Slice("s1"),
    application=Application("x"),
    lines=10,
    since_s=60.0,
    after="12:34",
    wait_s=5.0,
)
EXEC = Call(
    kind=Kind.EXEC,
    id="0123456789abcdef",
    host=Host("h1"),
    slice=Slice("s1"),
    application=Application("x"),
    argv=("sh", "-c", "echo 'a b'"),
    timeout_s=20.0,
    by="me@example.com",
)
PING = Call(kind=Kind.PING, id="0123456789abcdef", host=Host("h1"), slice=Slice("s1"))
CHANNEL = status_channel(Slice("s1"), DEPLOYMENT_AGENT, Host("h1"))


def said(pairs: dict[str, str], value: str = "") -> Event:
    sender = Sender("s1_mgr", "planner", "b")
    return sender.event(CHANNEL, "call", now=0.0, id_="i", value=value, pairs=pairs)


@pytest.mark.parametrize("call", [LOGS, EXEC, PING, replace(LOGS, after="", wait_s=0.0)])
def test_a_call_travels(call: Call) -> None:
    assert call_of(said(call.pairs, call.kind)) == call


@pytest.mark.parametrize(
    "answer",
    [
        Answer(id="0123456789abcdef", text="a\nb\n", place="1:2", more=True, lost=True),
        Answer(id="0123456789abcdef", exit=-9, timed_out=True, cut=True),
        Answer(id="0123456789abcdef", error="no", code="conflict", hint="wait"),
    ],
)
def test_an_answer_travels(answer: Answer) -> None:
    assert answer_of(said(answer.pairs)) == answer


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ({}, "NOTHING"),
        ({"call": "x"}, "LOGS"),
        ({"call": ""}, "EXEC"),
        ({"after": "a:b"}, "LOGS"),
        ({"lines": "-1"}, "LOGS"),
        ({"wait": "nan"}, "LOGS"),
        ({"since": "x"}, "LOGS"),
        ({"hostname": ""}, "LOGS"),
        ({"application": "../x"}, "LOGS"),
        ({"argv": "[]"}, "EXEC"),
        ({"argv": "[1]"}, "EXEC"),
        ({"argv": "["}, "EXEC"),
        ({"argv": '[""]'}, "EXEC"),
    ],
)
def test_what_is_no_call_is_refused(changed: dict[str, str], value: str) -> None:
    with pytest.raises(DsmtError):
        call_of(said({**EXEC.pairs, **LOGS.pairs, **changed}, value))


def test_commands_are_bounded() -> None:
    for argv in ((), ("x",) * 300, ("x" * 20_000,), ("a", "\0"), ("a", "\x1b")):
        with pytest.raises(Invalid):
            check_command(argv)
    check_command(("a", "", "ä\n"))
    assert call_of(said({**LOGS.pairs, "wait": "1e9", "lines": "1e9"}, "LOGS")).wait_s == 20.0
    with pytest.raises(Invalid):
        answer_of(said({"call": "?"}))


@given(
    st.dictionaries(st.sampled_from([*EXEC.pairs, *LOGS.pairs]), st.text(max_size=20)),
    st.sampled_from([*Kind]),
)
def test_whatever_comes_is_a_call_or_refused(changed: dict[str, str], kind: Kind) -> None:
    base = EXEC if kind is Kind.EXEC else LOGS
    try:
        call = call_of(replace(said(base.pairs, kind), pairs={**base.pairs, **changed}))
    except DsmtError:
        return
    assert call.timeout_s <= 300


def test_only_nodes_and_agents_answer_and_nothing_of_it_is_kept() -> None:
    assert may_speak("node", CALLS, CHANNEL)
    assert may_speak("agent.s1.h1", CALLS, CHANNEL)
    assert not may_speak("agent.s1.h2", CALLS, CHANNEL)
    for user in ("operator", "application", "planner", "slice.s1", "sliver.s1.h1"):
        assert not may_speak(user, CALLS, CHANNEL)
    assert not may_speak("node", CALLS, Channel("/com/example/"))
    assert not kept(said(EXEC.pairs, "EXEC"))
