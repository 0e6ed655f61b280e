"""The forms of an answer: for people, all columns, names alone, JSON; and a ping in each of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dsmtc.commandline import FORMS
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_slice

SILENT = {"host": "n3", "trouble": "its agent is failed", "node_state": "alive", "heard_at": 1.0}
PINGS: list[dict[str, Any]] = [
    {"asked": 3},
    {"host": "n2", "ms": 3.25},
    {"host": "n1", "ms": 4.0},
    SILENT | {"agent": "failed", "agent_since": 0.0},
]


@pytest.fixture(autouse=True)
def _slice(fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    fake.slices["t"] = a_slice("t", members=["you@example.com"])
    fake.pings = PINGS


def test_a_ping_tells_who_answered_and_who_did_not(dsmtc: Dsmtc) -> None:
    ended = dsmtc("ping", "--slice", "s")
    assert (ended.code, "1 of 3 did not answer" in ended.err) == (5, True)
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert lines[:2] == ["3.2 ms n2", "4.0 ms n1"]
    assert lines[4].startswith("n3 alive")
    assert lines[4].endswith("failed - its agent is failed")
    assert lines[-1] == "2 of 3 answered: 3.2 to 4.0 ms, median 3.6 ms"
    assert dsmtc("ping", "--slice", "s", "-o", "names").out.split() == ["n2", "n1"]
    assert dsmtc("ping", "--slice", "s", "--json").json == PINGS
    whole = dsmtc("ping", "--slice", "s", "--jsonl").out.splitlines()
    assert [json.loads(line) for line in whole] == PINGS
    assert "HOST" in dsmtc("ping", "--slice", "s", "-o", "wide").out


def test_all_answered_is_exit_code_0(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.pings = [{"asked": 1}, {"host": "n1", "ms": 4.0}]
    ended = dsmtc("ping", "--slice", "s")
    assert (ended.code, ended.err) == (0, "")


def test_names_are_for_pipes_and_only_lists_have_them(dsmtc: Dsmtc, fake: Fake) -> None:
    assert dsmtc("slices", "-o", "names").out == "s\nt\n"
    assert dsmtc("slices", "-o=names").out == "s\nt\n"
    assert dsmtc("plan", "--slice", "s", "-o", "names").out == ""
    assert dsmtc("plan", "eval", "--plan", "p", "--slice", "s", "-o", "names").out == "node1\n"
    assert dsmtc("depot", "--slice", "s", "-o", "names").out == ""
    asked = len(fake.asked)
    for line in ("delete --slice s --yes", "whoami", "nodes forget n", "plan set --slice s --plan p"):
        ended = dsmtc(*line.split(), "-o", "names")
        assert (ended.code, "so it has no names" in ended.err) == (2, True), line
    # Nothing was done for one that cannot be answered so.
    assert len(fake.asked) == asked
    assert "s" in fake.slices


def test_one_record_a_line(dsmtc: Dsmtc) -> None:
    lines = dsmtc("slices", "--jsonl").out.splitlines()
    assert [json.loads(line)["slice"] for line in lines] == ["s", "t"]
    assert json.loads(dsmtc("slice", "show", "--slice", "s", "-o", "jsonl").out)["slice"] == "s"


@pytest.mark.parametrize(
    "words", ["-o", "-o table", "-o=", "--json -o wide", "--json=yes", "-o json --jsonl", "-o --json"]
)
def test_a_form_that_there_is_not(dsmtc: Dsmtc, words: str) -> None:
    ended = dsmtc("slices", *words.split())
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("dsmtc: ")


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_list(dsmtc: Dsmtc, form: str) -> None:
    ended = dsmtc("slices", "-o", form)
    assert (ended.code, ended.err) == (0, "")
    assert "t" in ended.out
