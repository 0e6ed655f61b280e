"""What an agent of scripts holds, and how one agent follows another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.deployment_agent.decide import Deployments
from agents.deployment_agent.decide import record as records
from agents.deployment_agent.decide.record import Life, Record
from agents.deployment_agent.memory import FILE
from agents.scripted import changing
from agents.scripted.held import Holdings, Kept, taken
from agents.scripted.identity import mine
from agents.state_file import save
from dsmt_core.agents import BYTES, PARAMETERS, AgentPackage, parameters_of
from dsmt_core.commands import RUNS, Order, Verb, order_of
from dsmt_core.configuration import Configuration
from dsmt_core.errors import Full, Invalid, NotFound
from dsmt_core.events import STATUS, Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host, Slice
from dsmt_core.packages import PackageRef

APP = Application("demo")
REF = PackageRef("a" * 64, 7, "shell_agent-1.0.tgz")
AGENT = AgentPackage(name="shell_agent", version="1.0", package=REF, parameters={"greeting": "a, b=ö\n"})


def order(verb: Verb, generation: int, digest: str = "d", version: str = "1.0") -> Order:
    return Order(
        verb=verb,
        host=Host("n1"),
        slice=Slice("s1"),
        generation=generation,
        application=APP,
        version=version,
        packages=(REF,),
        digest=digest,
        configuration=Configuration.of({"colour": "red"}),
    )


def first(verb: Verb = Verb.APPCONFIG, generation: int = 3) -> Kept:
    kept = taken(order(verb, generation), None)
    assert kept is not None
    return kept


def test_an_older_order_is_refused_and_the_same_changes_nothing() -> None:
    runs = first().saying(State.RUNNING)
    assert taken(order(Verb.STOP, 2), runs) is None
    assert taken(order(Verb.START, 3), runs) is runs
    again = taken(order(Verb.RESTART, 4, "e"), runs)
    assert again is not None
    assert (again.done, again.said, again.installed) == (False, State.RUNNING, "1.0")
    forgotten = taken(order(Verb.APPCONFIG, 3, "another"), runs)
    assert forgotten is not None
    assert not forgotten.done


@given(st.lists(st.tuples(st.sampled_from([*RUNS, Verb.STOP, Verb.UNINSTALL]), st.integers(1, 6))))
def test_the_generation_that_is_held_never_falls(orders: list[tuple[Verb, int]]) -> None:
    kept: Kept | None = None
    for verb, generation in orders:
        before = kept
        kept = taken(order(verb, generation, f"{verb} {generation}"), kept) or kept
        assert kept is not None
        assert before is None or kept.generation >= before.generation


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", [Verb.APPCONFIG, Verb.STOP, Verb.UNINSTALL])
def test_an_order_is_done_when_its_goal_was_said(verb: Verb, state: State) -> None:
    goal = State.RUNNING if verb in RUNS else State.TERMINATED
    assert first(verb).saying(state).done is (state is goal)


def test_what_is_installed_is_told_from_running_on_until_it_is_uninstalled() -> None:
    kept = first()
    assert kept.held.version == ""
    kept = replace(kept.saying(State.RUNNING), started=kept.configuration)
    assert (kept.held.version, kept.held.digest) == ("1.0", "d")
    assert kept.held.configuration == Configuration.of({"colour": "red"}).digest
    stopped = taken(order(Verb.STOP, 4), kept)
    assert stopped is not None
    assert stopped.saying(State.TERMINATED).installed == "1.0"
    gone = taken(order(Verb.UNINSTALL, 5), stopped)
    assert gone is not None
    assert gone.saying(State.TERMINATED).installed == ""


def test_a_line_has_words_only() -> None:
    assert first().line(APP) == f"APPCONFIG demo 1.0 {REF}"
    bare = taken(replace(order(Verb.UNINSTALL, 3), version="", packages=()), None)
    assert bare is not None
    assert bare.line(APP) == "UNINSTALL demo -"


def test_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    holdings = Holdings(tmp_path / "held")
    assert holdings.all() == {}
    with pytest.raises(NotFound):
        holdings.of(APP)
    kept = first().saying(State.FAILED)
    holdings.keep(APP, kept)
    assert holdings.of(APP) == kept
    (tmp_path / "held" / "torn.json").write_text("{")
    assert holdings.all() == {APP: kept}
    holdings.begin({Application("other"): kept})
    assert holdings.all() == {APP: kept}
    holdings.end()
    assert holdings.all() == {}


def test_the_default_agent_hands_over_what_runs(tmp_path: Path) -> None:
    runs = Record(
        order=order(Verb.APPCONFIG, 3),
        state=State.RUNNING,
        life=Life.UP,
        version="1.0",
        packages=(REF,),
        configuration=Configuration.of({"colour": "red"}),
    )
    half = replace(
        runs, order=replace(runs.order, application=Application("half")), version="", packages=()
    )
    values = {**Deployments().written(), "applications": [*map(records.written, (runs, half)), {"odd": 1}]}
    save(tmp_path / FILE, values)
    changing.hand_over(tmp_path)
    known = Holdings(tmp_path / changing.HELD).all()
    assert known.keys() == {APP, "half"}
    assert known[APP].done
    assert known[APP].held.state is State.RUNNING
    assert known[APP].held.configuration == Configuration.of({"colour": "red"}).digest
    assert not known[Application("half")].done
    # It would otherwise take old knowledge for new when it comes back.
    assert not (tmp_path / FILE).exists()
    changing.hand_over(tmp_path)
    assert Holdings(tmp_path / changing.HELD).all() == known


def test_a_program_of_nobody_is_told_so() -> None:
    with pytest.raises(NotFound, match="belongs to no agent"):
        mine({})


def test_an_order_carries_an_agent_and_an_older_reader_its_name() -> None:
    sent = Order(
        verb=Verb.CREATE,
        host=Host("n1"),
        slice=Slice("s1"),
        generation=1,
        agent="shell_agent",
        agent_package=AGENT,
    )
    event = Sender("p", "p", "b").event(
        "/org/dsmt/x/",  # type: ignore[arg-type]
        STATUS,
        now=0.0,
        id_="1",
        value=sent.text,
        pairs=sent.pairs,
    )
    assert order_of(event) == sent
    assert sent.pairs["agent"] == "shell_agent"
    assert AGENT.variables == {"DSMT_AGENT_GREETING": "a, b=ö\n"}


@pytest.mark.parametrize("text", ["", "[]", "{}", "x" * 10, '{"name": "a b"}', "[" * 100_000])
def test_what_names_no_agent(text: str) -> None:
    with pytest.raises(Invalid):
        AgentPackage.parse(text)


def test_parameters_are_bounded() -> None:
    assert parameters_of({"status-period": "3"}) == {"status_period": "3"}
    for name in ("", "A", "1a", "a b", "a" * 41):
        with pytest.raises(Invalid):
            parameters_of({name: "x"})
    with pytest.raises(Invalid):
        parameters_of({"a": "\0"})
    with pytest.raises(Full):
        parameters_of({f"a{number}": "" for number in range(PARAMETERS + 1)})
    with pytest.raises(Full):
        parameters_of({"a": "x" * BYTES})
