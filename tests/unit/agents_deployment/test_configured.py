"""An agent and configurations: a start for another one, none for the same, each with its own packages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.deployment_agent.configurations import ConfigurationFiles, variables
from agents.deployment_agent.decide import (
    CheckStatus,
    Deployments,
    Done,
    Fetch,
    Install,
    Life,
    Outcome,
    Publish,
    Record,
    Report,
    Start,
    Started,
    Step,
    Stop,
    Troubled,
)
from agents.deployment_agent.decide.record import read, written
from agents.deployment_agent.decide.steps import Found, Look
from agents.deployment_agent.paths import SliverPaths
from dsmt_core.commands import Order, Verb
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.errors import Full
from dsmt_core.lifecycle import State
from dsmt_core.names import Application
from tests.unit.agents_deployment.test_deployment import NEW, OLD, Life1, order

X = Application("X")
HELLO = Configuration.of({"greeting": "hello"})
HI = Configuration.of({"greeting": "hi"})


def configured(configuration: Configuration, generation: int = 1, **more: object) -> Order:
    return replace(order(generation=generation, **more), configuration=configuration)  # type: ignore[arg-type]


def begun(configuration: Configuration = HELLO) -> Life1:
    life = Life1(configured(configuration))
    life.until(20)
    life.steps.clear()
    return life


def starts(life: Life1) -> list[Start]:
    return [step for step in life.steps if isinstance(step, Start)]


def test_it_is_started_with_its_configuration_and_says_so() -> None:
    life = Life1(configured(HELLO))
    life.until(20)
    assert starts(life) == [Start("1-1", HELLO)]
    assert life.deployment.held.configuration == HELLO.digest
    assert life.deployment.settled


def test_another_configuration_is_one_stop_and_one_start_and_no_installation() -> None:
    life = begun()
    life.deployment.accept(configured(HI, 2), life.now)
    assert life.deployment.held.configuration == HELLO.digest, "that is what runs"
    assert not life.deployment.settled
    life.until(40)
    assert [type(step) for step in life.steps if isinstance(step, Install | Fetch | Stop | Start)] == [
        Stop,
        Start,
    ]
    assert starts(life) == [Start("1-1", HI)]
    assert life.said == [State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.RUNNING]
    assert life.deployment.held.configuration == HI.digest


def test_what_the_next_order_takes_back_before_a_stop_has_begun_restarts_nothing() -> None:
    life = begun()
    life.deployment.accept(configured(HI, 2), life.now)
    said = next_step(life)
    assert said == Publish(State.REQUESTED, "1-1", 2, "")
    # While that is being said the next order comes.
    life.deployment.accept(configured(HELLO, 3), life.now)
    life.deployment.done(said, Done(), life.now)
    assert next_step(life) == CheckStatus("1-1", life.deployment.record.start_pid)
    life.until(40)
    assert not any(isinstance(step, Stop | Start) for step in life.steps)
    assert life.deployment.record.state is State.RUNNING
    assert life.deployment.settled


def test_a_stop_that_has_begun_is_followed_by_a_start_whatever_comes() -> None:
    life = begun()
    life.deployment.accept(configured(HI, 2), life.now)
    life.deployment.done(next_step(life), Done(), life.now)
    stop = next_step(life)
    assert stop == Stop("1-1")
    life.deployment.accept(configured(HELLO, 3), life.now)
    life.deployment.done(stop, Troubled("the script hangs"), life.now)
    life.until(40)
    assert [type(step) for step in life.steps if isinstance(step, Stop | Start)] == [Stop, Start]


def next_step(life: Life1) -> Step:
    """What it does next, reports apart."""
    while isinstance(step := life.deployment.step(life.now), Report):
        life.deployment.done(step, Done(), life.now)
    return step


def test_the_same_configuration_under_another_generation_restarts_nothing() -> None:
    life = begun()
    life.deployment.accept(configured(HELLO, 2), life.now)
    life.until(40)
    assert not any(isinstance(step, Stop | Start) for step in life.steps)


def test_an_agent_that_comes_back_restarts_nothing_and_one_that_is_older_configured_nothing() -> None:
    life = begun()
    record = read(written(life.deployment.record))
    assert record == life.deployment.record
    values = written(begun(NONE).deployment.record)
    del values["configuration"], values["order"]["configuration"]
    older = read(values)
    assert (older.configuration, older.order.configuration, older.reconfigured) == (NONE, NONE, False)


def test_a_new_version_with_a_new_configuration_is_started_once_and_with_both() -> None:
    life = begun()
    life.deployment.accept(configured(HI, 2, packages=NEW, version="2-1"), life.now)
    life.until(40)
    assert starts(life) == [Start("2-1", HI)]


def test_the_older_version_never_gets_the_configuration_of_one_that_cannot_be_had() -> None:
    life = begun()
    life.outcomes[Fetch] = Troubled("the depot is away")
    life.deployment.accept(configured(HI, 2, packages=NEW, version="2-1"), life.now)
    life.until(40)
    assert not any(isinstance(step, Stop | Start) for step in life.steps), "what is installed goes on"
    life.deployment.record.life = Life.DOWN
    life.until(60)
    assert starts(life) == [Start("1-1", HELLO)], "after a crash, too"


def test_what_is_stopped_says_the_configuration_with_which_it_will_be_started() -> None:
    life = Life1(replace(configured(HELLO), verb=Verb.STOP))
    life.until(20)
    assert life.deployment.held.configuration == HELLO.digest
    life.deployment.accept(replace(configured(HI, 2), verb=Verb.STOP), life.now)
    life.until(40)
    assert not starts(life)
    assert life.deployment.held.configuration == HI.digest


def test_what_runs_already_is_not_started_and_gets_its_configuration_by_a_start_of_its_own() -> None:
    class Meets(Life1):
        """At its first start it meets what runs already."""

        def outcome(self, step: Step) -> Outcome:
            met = isinstance(step, Start) and len(starts(self)) == 1
            return Started(0, HELLO) if met else super().outcome(step)

    life = Meets(configured(HI))
    life.until(20)
    assert [type(step) for step in life.steps if isinstance(step, Stop | Start)] == [Start, Stop, Start]
    assert life.deployment.held.configuration == HI.digest


def test_an_agent_that_lost_its_record_adopts_what_runs_with_the_same_configuration() -> None:
    for found, stops in ((HELLO, False), (HI, True)):
        deployments = Deployments()
        deployments.lost()
        deployments.accept(configured(HELLO), 1.0)
        ((name, look),) = deployments.due(1.0)
        assert isinstance(look, Look)
        deployments.done(name, look, Found("1-1", {}, alive=True, configuration=found), 1.0)
        assert deployments[X].record.reconfigured is stops


def files(tmp_path: Path) -> ConfigurationFiles:
    (tmp_path / "run").mkdir()
    return ConfigurationFiles(SliverPaths(run=tmp_path / "run", inside_run="/run/dsmt"))


def test_the_file_tells_with_what_it_was_started(tmp_path: Path) -> None:
    kept = files(tmp_path)
    assert kept.read(X) == NONE
    kept.write(X, HELLO)
    assert kept.read(X) == HELLO
    assert kept.inside(X) == "/run/dsmt/config.X.json"
    kept.write(X, NONE)
    assert kept.read(X) == NONE
    kept.remove(X)
    kept.remove(X)
    assert not (tmp_path / "run" / "config.X.json").exists()


def test_whatever_lies_in_its_place_is_no_configuration_and_is_replaced(tmp_path: Path) -> None:
    kept, path = files(tmp_path), tmp_path / "run" / "config.X.json"
    for content in ("", "[]", '{"values": {"greeting": "forged"}}'):
        path.write_text(content)
        assert kept.read(X) == NONE
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path.unlink(missing_ok=True)
    path.symlink_to(secret)
    assert kept.read(X) == NONE
    kept.write(X, HELLO)
    assert (kept.read(X), secret.read_text()) == (HELLO, "secret")


def test_with_no_file_nothing_is_started(tmp_path: Path) -> None:
    kept = ConfigurationFiles(SliverPaths(run=tmp_path / "gone"))
    with pytest.raises(Full, match="its configuration cannot be written: No such file"):
        kept.write(X, HELLO)
    with pytest.raises(Full, match=r"config\.X\.json cannot be removed"):
        kept.remove(X)


def test_each_value_is_a_variable() -> None:
    assert variables(HELLO) == {"DSMT_CONFIG_GREETING": "hello"}


def test_a_record_knows_what_it_was_started_with() -> None:
    record = Record(order=configured(HI), packages=OLD, configuration=HELLO)
    assert record.reconfigured
    record.packages = NEW
    assert not record.reconfigured, "the order is for other packages"
