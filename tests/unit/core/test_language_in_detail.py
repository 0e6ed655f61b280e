"""Orders, events and what nodes say, word by word: what is written, read, and refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.channels import Channel, command_channel
from dsmt_core.commands import FOR_APPLICATIONS, Order, Request, Verb, order_of, request_of
from dsmt_core.configuration import Configuration
from dsmt_core.errors import Invalid
from dsmt_core.events import (
    DEPLOYMENT_STATUS,
    Doubles,
    Event,
    Sender,
    check_text,
    memory_of,
    pairs_text,
    text_pairs,
)
from dsmt_core.lifecycle import State, advance, may_follow, state
from dsmt_core.names import Application, Host, Slice
from dsmt_core.nodes import (
    Held,
    ProbeResult,
    application_pairs,
    digest,
    gone_pairs,
    order_pairs,
    probe_pairs,
    read_applications,
    read_gone,
    read_orders,
    read_probe,
    read_slivers,
    sliver_pairs,
)
from dsmt_core.packages import PackageRef

HOST, SLICE, APP = Host("n1.org"), Slice("xyz1"), Application("pinger")
PACKAGE, WRAPPER = PackageRef("ab" * 32, 7, "lib-1.rpm"), PackageRef("cd" * 32, 9, "dsmtw_pinger-1.rpm")
CREATE = Order(verb=Verb.CREATE, host=HOST, slice=SLICE, generation=3)
START = Order(
    verb=Verb.START,
    host=HOST,
    slice=SLICE,
    generation=3,
    application=APP,
    wrapper="dsmtw_pinger",
    version="1.8-1",
    packages=(PACKAGE, WRAPPER),
    restarts=2,
    status_period=0.5,
)


def event(**more: Any) -> Event:
    made = Sender("s", "n1/agent", "b").event(Channel("/a/"), "f", now=1.5, id_="i")
    return replace(made, **more)


def carried(order: Order, **changed: str) -> Event:
    return event(
        channel=command_channel(order.slice, "agent", order.host),
        field="status",
        value=order.text,
        pairs=order.pairs | changed,
    )


def message(call: Any, *arguments: Any) -> tuple[str, str]:
    """What is refused, and the hint."""
    with pytest.raises(Invalid) as refused:
        call(*arguments)
    return refused.value.message, refused.value.hint


# -- orders ---------------------------------------------------------------------------------------------

SMALL = {"hostname": "n1.org", "slice": "xyz1", "generation": "3"}
GREAT = SMALL | {
    "application": "pinger",
    "wrapper": "dsmtw_pinger",
    "version": "1.8-1",
    "packages": f"{PACKAGE} {WRAPPER}",
    "restarts": "2",
    "status-period": "0.5",
}


@pytest.mark.parametrize(
    ("order", "text", "pairs"),
    [
        (CREATE, "CREATE,n1.org,xyz1", SMALL),
        (replace(CREATE, verb=Verb.DELETE, agent="a"), "DELETE,n1.org,xyz1", SMALL | {"agent": "a"}),
        (replace(CREATE, verb=Verb.REPORT, digest="d"), "REPORT,n1.org", SMALL | {"digest": "d"}),
        (replace(CREATE, verb=Verb.PROBE, nonce="n"), "PROBE,n1.org", SMALL | {"nonce": "n"}),
        (replace(CREATE, verb=Verb.PACE, heartbeat_s=7.5), "PACE,n1.org", SMALL | {"heartbeat": "7.5"}),
        (START, "START,n1.org,pinger,dsmtw_pinger", GREAT),
        (
            replace(
                START, verb=Verb.STOP, configuration=Configuration((("a", "1"),)), digest="d", agent="x"
            ),
            "STOP,n1.org,pinger,dsmtw_pinger",
            GREAT | {"configuration": Configuration((("a", "1"),)).text, "digest": "d", "agent": "x"},
        ),
    ],
)
def test_an_order_is_written_and_read(order: Order, text: str, pairs: dict[str, str]) -> None:
    assert (order.text, order.pairs) == (text, pairs)
    assert order_of(carried(order)) == order


NO_PERIOD = "the order's status-period is not a number of seconds"


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"generation": ""}, "the order's generation '' is not a count"),
        ({"generation": "²"}, "the order's generation '²' is not a count"),
        ({"generation": "x" * 41}, f"the order's generation '{'x' * 40}' is not a count"),
        ({"generation": "1" * 19}, f"the order's generation '{'1' * 19}' is not a count"),
        ({"restarts": "-1"}, "the order's restarts '-1' is not a count"),
        ({"status-period": "soon"}, NO_PERIOD),
        ({"status-period": "0"}, f"{NO_PERIOD} above 0"),
        ({"status-period": "inf"}, f"{NO_PERIOD} above 0"),
        ({"hostname": "n2.org"}, "the command 'START,n1.org,pinger,dsmtw_pinger' and its pairs disagree"),
    ],
)
def test_a_pair_that_is_not_legal_is_told(changed: dict[str, str], refused: str) -> None:
    assert message(order_of, carried(START, **changed))[0] == refused


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("hostname", "'' is not a host name"),
        ("slice", "'' is not a slice name"),
        ("application", "'' is not a legal application name"),
        ("generation", "the order's generation '' is not a count"),
        ("restarts", "the order's restarts '' is not a count"),
    ],
)
def test_what_an_order_has_to_say_is_told(name: str, refused: str) -> None:
    said = carried(START)
    pairs = {each: text for each, text in said.pairs.items() if each != name}
    assert message(order_of, replace(said, pairs=pairs))[0] == refused


def test_what_an_order_does_not_say_has_its_default() -> None:
    pairs = {"hostname": "n1.org", "slice": "xyz1", "generation": "1" * 18, "restarts": "0"}
    pairs |= {"application": "pinger"}
    read = order_of(event(value="STOP,n1.org,pinger,", pairs=pairs))
    assert read == Order(
        verb=Verb.STOP,
        host=HOST,
        slice=SLICE,
        generation=int("1" * 18),
        application=APP,
        status_period=60.0,
    )
    # What is for others is left alone.
    assert order_of(carried(CREATE, heartbeat="soon", restarts="many")) == CREATE
    assert order_of(carried(replace(CREATE, verb=Verb.PROBE, nonce="n" * 65))).nonce == "n" * 64
    pace = replace(CREATE, verb=Verb.PACE, heartbeat_s=0.0)
    assert message(order_of, carried(pace))[0] == "the order's heartbeat is not a number of seconds above 0"


def test_a_long_command_that_disagrees_is_told_in_part() -> None:
    odd = replace(carried(CREATE), value="CREATE,n1.org," + "x" * 80)
    assert message(order_of, odd)[0] == f"the command 'CREATE,n1.org,{'x' * 66}' and its pairs disagree"


_ALL = "CREATE DELETE REPORT PROBE PACE APPCONFIG START UPDATE RESTART STOP UNINSTALL"
VERBS = f"the commands are {', '.join(_ALL.split())}"
FORM = "VERB,HOST,APPLICATION,WRAPPER, as APPCONFIG,…"


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("", ("'' is not a command", VERBS)),
        ("start,n1.org,pinger", ("'start' is not a command", VERBS)),
        ("d" * 41, (f"'{'d' * 40}' is not a command", VERBS)),
        ("CREATE,n1.org,pinger", ("'CREATE,n1.org,pinger' is not a command", FORM)),
        ("START,n1.org", ("'START,n1.org' is not a command", FORM)),
        ("START,n1.org,a,b,c", ("'START,n1.org,a,b,c' is not a command", FORM)),
        ("START,n1.org,a,b," + "c" * 80, (f"'START,n1.org,a,b,{'c' * 63}' is not a command", FORM)),
    ],
)
def test_what_is_no_request_is_refused(text: str, refused: tuple[str, str]) -> None:
    assert message(request_of, text) == refused


def test_a_request_names_a_wrapper_or_none() -> None:
    for verb in FOR_APPLICATIONS:
        assert request_of(f"{verb},n1.org,pinger,w") == Request(verb, HOST, APP, "w")
    assert request_of("STOP,n1.org,pinger") == Request(Verb.STOP, HOST, APP, "")


# -- events ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        ({}, ""),
        ({"a": "1"}, "a=1"),
        ({"a": "1", "b": ""}, "a=1,b="),
        ({"a,b": "c=d"}, "a\\,b=c\\=d"),
        ({"a": "x\\y\nz"}, "a=x\\\\y\\nz"),
        ({"": "1"}, "=1"),
    ],
)
def test_pairs_are_written_as_text_and_read_back(pairs: dict[str, str], text: str) -> None:
    assert pairs_text(pairs) == text
    assert text_pairs(text) == pairs


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("a", "'a' is not name=value"),
        ("a=1,", "'' is not name=value"),
        ("a=1,b", "'b' is not name=value"),
        ("a=b=c", "'a=b=c' is not name=value"),
        ("n" * 61, f"'{'n' * 60}' is not name=value"),
        ("a=\\x", "the escape \\x in '\\\\x' is unknown"),
        ("a=\\", "the escape \\ in '\\\\' is unknown"),
        ("a=" + "v" * 61 + "\\q", f"the escape \\q in '{'v' * 60}' is unknown"),
    ],
)
def test_text_that_is_no_pairs_is_told(text: str, refused: str) -> None:
    assert message(text_pairs, text)[0] == refused


def test_an_illegal_character_is_told_with_what_it_is_in() -> None:
    assert (
        message(check_text, "a\x00", "a label")[0]
        == "a label holds a character that is not legal in an event"
    )


def test_what_an_event_says_and_where_it_goes() -> None:
    assert event(value="v", pairs={"a": "1"}).text == "v"
    assert event(pairs={"a": "1"}).text == "a=1"
    for pairs, said in (
        ({"status": "running"}, "running"),
        ({"state": "failed"}, "failed"),
        ({"status": "running", "state": "failed"}, "running"),
        ({}, ""),
    ):
        spoken = event(field=DEPLOYMENT_STATUS, pairs=pairs)
        assert (spoken.state, spoken.key) == (said, f"a.{said}" if said else "a")
    assert event(pairs={"status": "running"}).state == ""


def test_what_an_event_takes_in_memory_is_about_its_texts() -> None:
    assert memory_of(event()) == 1_000 + len("/a/n1/agentf")
    assert memory_of(event(value="four", pairs={"ab": "c", "d": ""})) == 1_000 + len("/a/n1/agentffourabcd")
    assert memory_of(event(extra={"x": 1})) == 1_012 + len("{'x': 1}")


def test_a_sender_counts_what_it_says() -> None:
    sender = Sender("s", "i", "b")
    assert [sender.event(Channel("/a/"), "f", now=2.0, id_="x", ttl=5.0).seq for _ in range(3)] == [1, 2, 3]
    assert sender.event(Channel("/a/"), "f", now=2.0, id_="x", ttl=5.0) == Event(
        channel=Channel("/a/"),
        service="s",
        instance="i",
        boot_id="b",
        seq=4,
        id="x",
        sent_at=2.0,
        field="f",
        ttl=5.0,
    )


def test_the_instance_heard_least_recently_is_forgotten() -> None:
    doubles = Doubles(2)
    for instance, boot_id, seq, new in (
        ("a", "x", 2, True),
        ("a", "x", 2, False),
        ("a", "x", 1, False),
        ("a", "y", 1, True),
        ("a", "", 1, True),
        ("a", "", 1, True),
        ("b", "x", 1, True),
        ("a", "y", 2, True),
        ("c", "x", 1, True),
        ("a", "y", 2, False),
        ("b", "x", 1, True),
    ):
        assert doubles.is_new(event(instance=instance, boot_id=boot_id, seq=seq)) is new


# -- states and nodes -----------------------------------------------------------------------------------


def test_a_state_that_is_none_or_may_not_follow_is_refused() -> None:
    names = "undefined, requested, instantiated, initialized, installed, running, failed, terminated"
    assert message(state, "odd") == ("'odd' is not a state", f"the states are {names}")
    assert (
        message(advance, State.RUNNING, State.INSTALLED)[0]
        == "a layer that is running cannot become installed"
    )
    assert state("running") is State.RUNNING
    assert (may_follow(State.FAILED, State.REQUESTED), may_follow(State.FAILED, State.RUNNING)) == (
        True,
        False,
    )


HELD = Held(4, "1.8-1", State.RUNNING, 2, "d", "c")


def test_what_a_node_holds_is_written_and_read() -> None:
    held = {SLICE: 4, Slice("b"): 0}
    assert sliver_pairs(held) == {"sliver.xyz1": "4", "sliver.b": "0"}
    assert gone_pairs(held) == {"gone.xyz1": "4", "gone.b": "0"}
    pairs = sliver_pairs(held) | gone_pairs({SLICE: 7}) | order_pairs({SLICE: "d", Slice("b"): ""})
    assert pairs["order.xyz1"] == "d"
    assert "order.b" not in pairs
    assert (read_slivers(pairs), read_gone(pairs), read_orders(pairs)) == (held, {SLICE: 7}, {"xyz1": "d"})
    assert read_orders({"order.b": "x" * 65}) == {"b": "x" * 64}
    # SHA-256 of nothing, and of two lines: nodes and planners of every version compare these.
    assert digest({}) == "e3b0c44298fc1c14"
    assert digest({SLICE: 4, Slice("b"): 0}) == "7a402489061f74c8"
    assert digest({SLICE: 4, Slice("b"): 0}) == digest({Slice("b"): 0, SLICE: 4}) != digest({SLICE: 40})


def test_what_an_agent_holds_is_written_and_read() -> None:
    held = {APP: HELD, Application("b"): Held(0, "", State.FAILED)}
    assert application_pairs(held) == {
        "application.pinger": "4 running 2 1.8-1",
        "application.b": "0 failed 0 ",
        "configuration.pinger": "c",
        "order.pinger": "d",
    }
    assert read_applications(application_pairs(held) | {"asks": "yes"}) == held
    bounded = {"application.b": "0 failed 0", "configuration.b": "x" * 65, "order.b": "y" * 65}
    assert read_applications(bounded) == {"b": Held(0, "", State.FAILED, 0, "y" * 64, "x" * 64)}
    assert read_applications({"application.b": "1 running 2 a b"})[Application("b")].version == "a b"


@pytest.mark.parametrize("text", ["", "x", "-1", "²", "1" * 19, "x" * 41])
def test_a_generation_that_is_none_is_told(text: str) -> None:
    refused = f"{text[:40]!r} is not a generation"
    assert message(read_slivers, {"sliver.a": text})[0] == refused
    assert message(read_gone, {"gone.a": text})[0] == refused
    assert read_slivers({"sliver.a": "1" * 18}) == {"a": int("1" * 18)}


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("", "'' is not a generation"),
        ("1", "'' is not a state"),
        ("1 running", "'' is not a generation"),
        ("1  running 0 1", "'' is not a state"),
    ],
)
def test_what_says_too_little_of_an_application_is_refused(text: str, refused: str) -> None:
    assert message(read_applications, {"application.b": text})[0] == refused


def test_how_a_probe_went_is_written_and_read() -> None:
    passed = ProbeResult(nonce="n", took_s=0.25)
    assert probe_pairs(passed) == {"nonce": "n", "result": "passed", "seconds": "0.250"}
    failed = ProbeResult(nonce="n", reason="no room", took_s=2.0)
    assert probe_pairs(failed) == {
        "nonce": "n",
        "result": "failed",
        "seconds": "2.000",
        "reason": "no room",
    }
    assert (read_probe(probe_pairs(passed)), read_probe(probe_pairs(failed))) == (passed, failed)
    assert read_probe({"result": "passed", "reason": "x"}) == ProbeResult(nonce="")
    assert read_probe({"result": "failed"}) == ProbeResult(nonce="", reason="it does not say why")
    long = {"result": "failed", "reason": "r" * 401, "nonce": "n" * 401}
    assert read_probe(long) == ProbeResult(nonce="n" * 400, reason="r" * 400)
    assert message(read_probe, {"result": "m" * 41})[0] == f"'{'m' * 40}' is not the result of a probe"
    assert message(read_probe, {})[0] == "'' is not the result of a probe"
    soon = {"result": "passed", "seconds": "soon"}
    assert message(read_probe, soon)[0] == "the time of a probe is not a number of seconds"
