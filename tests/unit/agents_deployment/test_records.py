"""Records as they are written, and what a look at an application tells."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agents.deployment_agent.decide import (
    Checked,
    Life,
    Periods,
    Record,
)
from agents.deployment_agent.decide.edition import Edition, GaveUp
from agents.deployment_agent.decide.judgement import Verdict, starting, trouble, walk, well
from agents.deployment_agent.decide.record import read, written
from dsmt_core.commands import Verb
from dsmt_core.configuration import Configuration
from dsmt_core.errors import Invalid
from dsmt_core.lifecycle import State
from dsmt_core.watch import USUAL, Watch
from tests.unit.agents_deployment.test_deployment import NEW, OLD, order

TCP = Watch(check="tcp://127.0.0.1:80", failures=3)
HELLO = Configuration((("greeting", "hello"),))
RESTARTED = order(Verb.RESTART, restarts=1)
FULL = Record(
    order=replace(RESTARTED, digest="d", configuration=HELLO, watch=TCP, agent="a", packages=(*OLD, *NEW)),
    state=State.FAILED,
    life=Life.BROKEN,
    version="1-1",
    packages=OLD,
    receipt={"kind": "rpm"},
    touched=True,
    restarts=3,
    configuration=HELLO,
    failures=2,
    start_pid=7,
    reason="no",
    proven=TCP.check,
    mature=True,
    before=Edition(version="0-1", packages=NEW, receipt={"kind": "tar"}, configuration=HELLO),
    returning=True,
    prepared=Edition(version="2-1", packages=NEW, receipt={"kind": "deb"}),
    leftovers=({"kind": "old"},),
    gave_up=GaveUp(packages=NEW, configuration="c", version="2-1", reason="no", times=2),
    attempts=1,
)
NEW_IN_RECORDS = {"attempts", "mature", "before", "returning", "prepared", "leftovers", "gave_up"}


def test_a_record_is_written_whole_and_read_back() -> None:
    values = json.loads(json.dumps(written(FULL)))
    assert read(values) == FULL
    assert values["order"] == {
        "verb": "RESTART",
        "host": "h",
        "slice": "s",
        "application": "X",
        "generation": 1,
        "restarts": 1,
        "status_period": 5.0,
        "packages": [str(OLD[0]), str(NEW[0])],
        "digest": "d",
        "configuration": HELLO.text,
        "watch": '{"check":"tcp://127.0.0.1:80","failures":3}',
        "wrapper": "dsmtw_X",
        "version": "1-1",
        "agent": "a",
    }
    edition = {"packages": [str(NEW[0])], "receipt": {"kind": "tar"}, "configuration": HELLO.text}
    assert {name: value for name, value in values.items() if name != "order"} == {
        "state": "failed",
        "life": "broken",
        "version": "1-1",
        "packages": [str(OLD[0])],
        "receipt": {"kind": "rpm"},
        "touched": True,
        "restarts": 3,
        "configuration": HELLO.text,
        "failures": 2,
        "start_pid": 7,
        "reason": "no",
        "proven": TCP.check,
        "mature": True,
        "before": {"version": "0-1", **edition},
        "returning": True,
        "prepared": {**edition, "version": "2-1", "receipt": {"kind": "deb"}, "configuration": ""},
        "leftovers": [{"kind": "old"}],
        "gave_up": {
            "packages": [str(NEW[0])],
            "configuration": "c",
            "version": "2-1",
            "reason": "no",
            "times": 2,
        },
        "attempts": 1,
    }
    del values["configuration"], values["order"]["configuration"], values["order"]["digest"]
    del values["proven"], values["order"]["watch"]
    old = read(values)
    assert (old.proven, old.order.watch) == ("", USUAL)
    assert (old.configuration.pairs, old.order.configuration.pairs, old.order.digest) == ((), (), "")
    with pytest.raises(Invalid) as refused:
        read({})
    assert refused.value.message == "a record of an application cannot be read: KeyError('order')"


@pytest.mark.parametrize(
    ("checked", "since_s", "verdict"),
    [
        (Checked(scripted=True, code=0, start_code=0), 0.0, Verdict.WELL),
        (Checked(scripted=False, alive=True), 0.99, Verdict.NOT_YET),
        (Checked(scripted=False, alive=False), 1.99, Verdict.NOT_YET),
        (Checked(scripted=False, alive=False), 2.0, Verdict.ILL),
        (Checked(scripted=False, alive=False, start_code=0), 0.5, Verdict.NOT_YET),
        (Checked(scripted=True, code=1, alive=True), 29.9, Verdict.NOT_YET),
        (Checked(scripted=True, code=1, alive=True), 30.0, Verdict.ILL),
    ],
)
def test_a_start_has_its_time(checked: Checked, since_s: float, verdict: Verdict) -> None:
    assert starting(checked, since_s, Periods()) is verdict


def test_trouble_without_a_text_is_told_all_the_same() -> None:
    periods = Periods(status_s=2.5)
    start = Checked(scripted=True, code=0, start_code=7)
    assert trouble(start, periods.status_s) == "the start script ended with exit code 7"
    assert not well(start)
    ended = Checked(scripted=False, start_text="bye", text="not told")
    assert trouble(ended, periods.status_s) == "its processes have ended: bye"
    silent = Checked(scripted=True, alive=True)
    assert trouble(silent, periods.status_s) == "status script did not answer within 2.5 s"
    assert walk(State.UNDEFINED, State.INITIALIZED) == (
        State.REQUESTED,
        State.INSTANTIATED,
        State.INITIALIZED,
    )


def test_a_record_of_an_older_agent_is_read_and_what_runs_counts_as_proved() -> None:
    for state, mature in ((State.RUNNING, True), (State.FAILED, False)):
        values = written(replace(FULL, state=state))
        old = read({name: value for name, value in values.items() if name not in NEW_IN_RECORDS})
        assert (old.mature, old.before, old.returning, old.prepared) == (mature, None, False, None)
        assert (old.leftovers, old.gave_up) == ((), None)


def test_what_was_given_up_is_said_in_one_word_and_a_reason() -> None:
    given_up = GaveUp(packages=NEW, configuration="", version="2-1", reason="its port is taken")
    assert given_up.text == "2-1 its port is taken"
    assert replace(given_up, configuration="c0ffee").text == "2-1#c0ffee its port is taken"
    assert not given_up.is_of(order())
    assert given_up.is_of(order(packages=NEW))
    assert not replace(given_up, configuration="c0ffee").is_of(order(packages=NEW))
