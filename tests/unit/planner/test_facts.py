"""Sources of facts: what is taken of an answer, how long it holds, and that nobody leaves when it fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import DsmtError, Full, Invalid, Unavailable
from dsmt_core.names import Host
from planner.facts import Held, State, open_source, taken, taking
from planner.facts.files import BYTES, FileFacts
from planner.facts.taking import FACTS, HOSTS, Taken
from planner.outlook import world_of
from planner.plans import evaluate
from tests.unit.planner.toy import SLICE, Toy, hosts, plan, plans, wanted_slice

A, B, C = hosts(3)

# What is taken ----------------------------------------------------------------------------------------


def test_values_become_text_under_the_name_of_their_source() -> None:
    answer = {A: {"rack": "r7", "gpus": 4, "load": 1.5, "spare": True, "owner": None, "x": float("nan")}}
    assert taken("inv", answer) == Taken(
        {A: {"inv.rack": "r7", "inv.gpus": "4", "inv.load": "1.5", "inv.spare": "true"}}
    )


LONG = "a" * 81
NEITHER = "the value of a is neither a text nor a number"
TOO_LONG = "the value of a has more than 256 characters"


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ({"not a host!": {"a": "1"}}, "'not a host!' is not a host name"),
        ({A: {"a b": "1"}}, "'a b' is no name of a fact"),
        ({A: {f"{LONG} b": "1"}}, f"'{'a' * 80}' is no name of a fact"),
        ({A: {"a": "x" * 257}}, TOO_LONG),
        ({A: {"a": "\x00"}}, NEITHER),
        ({A: {"a": [1]}}, NEITHER),
        ({A: {"a": 10**256}}, TOO_LONG),
        ({A: {"a": -(10**5000)}}, TOO_LONG),
        ({A: ["a"]}, "the facts of a host are no mapping, but list"),
        ({A: dict.fromkeys(map(str, range(65)), 1)}, "a host has 65 facts; at most 64 are taken"),
    ],
)
def test_what_is_not_legal_is_left_out_and_told_and_the_rest_is_taken(
    answer: dict[str, object], trouble: str
) -> None:
    found = taken("inv", {**answer, B: {"ok": "1"}})
    assert found.facts[B] == {"inv.ok": "1"}
    assert found.trouble == f"1 left out: {trouble}"
    assert found.facts.get(A, {}) == {}


def test_the_rest_of_a_host_is_taken_and_the_first_that_was_left_out_is_told() -> None:
    answer = {A: {"a b": "1", "b": None, "c": [], "d": "2"}, "?": {}, B: {"ok": False}}
    assert taken("inv", answer) == Taken(
        {A: {"inv.d": "2"}, B: {"inv.ok": "false"}}, "3 left out: 'a b' is no name of a fact"
    )


def test_as_much_is_taken_as_is_allowed() -> None:
    most = {f"f{number}": number for number in range(FACTS)}
    assert len(taken("inv", {A: most}).facts[A]) == FACTS
    great = {A: {"a": "x" * 256, "b": 10**256 - 1}}
    assert taken("inv", great) == Taken({A: {"inv.a": "x" * 256, "inv.b": "9" * 256}})


def test_an_answer_that_is_too_great_or_none_is_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match=r"\Athe answer is no mapping of hosts, but list\Z"):
        taken("inv", [1])
    with pytest.raises(Full, match=r"\Athe answer has 200001 hosts; at most 200000 are taken\Z"):
        taken("inv", {number: {} for number in range(HOSTS + 1)})
    monkeypatch.setattr(taking, "HOSTS", 2)
    # Two names of five characters with a value of one, and the second host's of two.
    monkeypatch.setattr(taking, "CHARACTERS", 13)
    answer = {A: {"a": "1"}, B: {"a": "22"}}
    assert len(taken("inv", answer).facts) == 2
    with pytest.raises(Full, match=r"\Athe answer has more than 13 characters\Z"):
        taken("inv", {**answer, B: {"a": "333"}})


@given(
    st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner))
)
def test_whatever_is_answered_is_taken_or_refused(answer: object) -> None:
    try:
        found = taken("inv", answer)
    except DsmtError:
        return
    assert all(name.startswith("inv.") for facts in found.facts.values() for name in facts)


# How long it holds ------------------------------------------------------------------------------------


def test_what_a_source_said_holds_for_five_periods_after_which_it_is_unknown() -> None:
    held, said = Held(10.0), Taken({A: {"inv.rack": "r7"}})
    assert held.state(0.0) is State.WAITING
    assert not held.failed("down", 0.0)
    assert held.state(0.0) is State.UNKNOWN
    assert held.answered(said, 1.0)
    assert not held.answered(said, 2.0)
    assert held.state(2.0) is State.WELL
    assert not held.failed("down", 52.0)
    assert (held.state(52.0), held.facts) == (State.TROUBLED, said.facts)
    assert held.failed("down", 52.1)
    assert (held.state(52.1), held.facts, held.trouble) == (State.UNKNOWN, {}, "down")
    assert not held.failed("down", 53.0)
    assert held.answered(said, 54.0)
    assert held.state(54.0) is State.WELL


# What plans see of it ---------------------------------------------------------------------------------

RACKED = plans(
    plan("racked", "where", expr="\"inv.rack\" = 'r7'"), plan("two", "limit", parent="racked", count="2")
)


def test_a_source_overwrites_neither_node_nor_label_and_a_node_cannot_speak_for_it() -> None:
    toy = Toy(2)
    node = toy.fleet.node(A)
    assert node is not None
    node.facts = {"cpus": "4", "inv.gpus": "8", "own.x": "1"}
    toy.fleet.label(A, {"inv.owner": "us"})
    toy.fleet.sourced("inv", {A: {"inv.cpus": "2", "inv.owner": "them"}, Host("z.org"): {"inv.cpus": "1"}})
    assert toy.fleet.from_sources(A) == {"inv.cpus": "2", "inv.owner": "them"}
    assert toy.fleet.ground.texts("cpus")[0] == "4"
    assert toy.fleet.ground.texts("inv.cpus")[0] == "2"
    assert toy.fleet.ground.texts("own.x")[0] == "1"
    assert toy.fleet.ground.texts("inv.owner")[0] == "us"
    assert "inv.gpus" not in toy.fleet.ground.names


def test_nobody_leaves_when_a_source_fails_and_nobody_comes_either() -> None:
    slice_ = replace(wanted_slice("two"), plans=RACKED)
    toy = Toy(5, (slice_,))
    in_rack = {host: {"inv.rack": "r7" if host in {A, B} else "r8"} for host in toy.nodes}
    toy.fleet.sourced("inv", in_rack)
    toy.run(30)
    assert toy.running() == {A, B}
    # It fails, and what it said is valid no longer.
    toy.fleet.sourced("inv", {})
    toy.run(30)
    assert toy.running() == {A, B}
    selection = evaluate(slice_.plan, {}, RACKED, world_of(toy.slice, toy.fleet))
    assert selection.reason(A).text == "kept: was a member"
    kept = evaluate(RACKED[plan("racked", "x").name].name, {}, RACKED, world_of(toy.slice, toy.fleet))
    assert kept.reason(A).text == (
        "kept, as unknown is not false: the condition is unknown: inv.rack is not known"
    )
    # The name is known all the same, so that plans can be changed.
    assert "inv.rack" in toy.fleet.ground.names
    # It says something else again: then they go.
    toy.fleet.sourced("inv", {**in_rack, A: {"inv.rack": "r8"}, C: {"inv.rack": "r7"}})
    toy.run(60)
    assert toy.running() == {B, C}
    assert toy.slice.name == SLICE


# Files and plug-ins -----------------------------------------------------------------------------------


def test_a_json_file_is_read_and_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "inventory.json"
    file.write_text(json.dumps({A: {"rack": "r7"}}))
    source = FileFacts(str(file))
    assert source.read() == {A: {"rack": "r7"}}
    assert source.read() is source.read()
    file.write_text(json.dumps({A: {"rack": "r8888"}}))
    assert source.read() == {A: {"rack": "r8888"}}


def test_a_csv_file_has_a_row_for_each_host(tmp_path: Path) -> None:
    file = tmp_path / "inventory.csv"
    file.write_text(f'\ufeffhost,rack,owner\n{A},r7,"me, you"\n{B},,us\n', encoding="utf-8")
    assert FileFacts(str(file)).read() == {A: {"rack": "r7", "owner": "me, you"}, B: {"owner": "us"}}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("f.json", b"{", "no JSON"),
        ("f.json", b"[1]", "no object of hosts"),
        ("f.json", b'{"a": 1}', "no object of hosts"),
        ("f.json", b"[" * 100_000, "deep"),
        ("f.json", b"\xff", "not UTF-8 at byte 0"),
        ("f.json", b" " * (BYTES + 1), "longer than"),
        ("f.csv", b"rack\nr7\n", "no column host"),
        ("f.csv", b"host,rack\na,b,c\n", "line 2 has more cells"),
        ("f.csv", b'host,rack\n"a,b\n', "no CSV: line 2"),
        ("f.csv", b"", "no column host"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_name(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        FileFacts(str(file)).read()
    assert words in refused.value.message
    assert str(file) in refused.value.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"none\.json cannot be read: No such file"):
        FileFacts(str(tmp_path / "none.json")).read()


def test_a_source_is_named_by_hand_or_after_its_file() -> None:
    assert open_source("inv=file:/etc/x.json").name == "inv"
    assert open_source("file:/etc/Rack-List.json").name == "rack_list"
    assert isinstance(open_source("file:/etc/x.json").source, FileFacts)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no source of facts"),
        ("/etc/x.json", "no source of facts"),
        ("file:", "no source of facts"),
        ("=:x", "no source of facts"),
        ("Inv=file:/x", "'Inv' is no name"),
        ("file:/7.json", "'7' is no name"),
        ("inv=http:x", "no kind 'http'"),
    ],
)
def test_a_source_that_cannot_be_is_refused_at_the_start(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        open_source(text)
    assert words in refused.value.message
    assert refused.value.hint


METER = """
class Facts:
    def __init__(self, where):
        if where == "nowhere":
            raise ValueError("no meter there")
        self.period, self.where = 60.0, where

    def read(self):
        return {"n1.example.org": {"watts": 140}}
"""


def test_a_distribution_that_is_installed_brings_a_kind_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "power_meter_of_a_test.py").write_text(METER)
    about = tmp_path / "power_meter-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: power-meter\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[dsmt.facts]\nmeter = power_meter_of_a_test:Facts\n")
    monkeypatch.syspath_prepend(tmp_path)
    named = open_source("power=meter:https://meter.example.org/")
    assert (named.name, named.source.period) == ("power", 60.0)
    assert taken("power", named.source.read()).facts == {Host("n1.example.org"): {"power.watts": "140"}}
    with pytest.raises(Invalid, match=r"meter:nowhere cannot be used: ValueError\('no meter there'\)"):
        open_source("power=meter:nowhere")
    with pytest.raises(Invalid) as refused:
        open_source("power=matter:x")
    assert refused.value.hint == "there are: file, meter"
