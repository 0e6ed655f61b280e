"""Probes with the real drivers: a sliver is made, used and removed, and nothing else is touched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.container_manager.config import NodeConfig
from agents.container_manager.probing import NAME, Prober
from agents.container_manager.restoring import found_slivers
from agents.container_manager.slivers import record
from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import DsmtError, Invalid, Unavailable
from dsmt_core.names import Slice, slice_name


class Interrupted(Exception):
    """The container manager dies here."""


def test_a_probe_makes_a_sliver_and_leaves_nothing(
    driver: SliverDriver, place_of: Callable[[Slice], Place]
) -> None:
    steps: list[str] = []
    where = place_of(NAME)
    Prober(driver, where, began=steps.append).probe()
    assert steps == ["remove", "create", "boot", "run", "remove"]
    assert not where.directory.exists()
    assert not record.lives(record.load(where.init_file))


@pytest.mark.parametrize("step", ["boot", "run"])
def test_what_a_crash_in_the_middle_leaves_is_removed_by_the_next_start(
    driver: SliverDriver, place_of: Callable[[Slice], Place], step: str
) -> None:
    where = place_of(NAME)
    driver.create(where)
    if step == "run":
        driver.boot(where, AgentCommand())
    left = record.load(where.init_file)
    assert record.lives(left) is (step == "run")
    Prober(driver, where).clean_up()
    assert not where.directory.exists()
    assert not record.lives(left)
    Prober(driver, where).probe()


def test_a_probe_touches_no_sliver_that_is_there(
    driver: SliverDriver, place: Place, place_of: Callable[[Slice], Place]
) -> None:
    driver.create(place)
    running = driver.boot(place, AgentCommand())
    Prober(driver, place_of(NAME)).probe()
    assert record.lives(running)
    assert driver.adopt(place) == running


def test_only_one_at_a_time(driver: SliverDriver, place_of: Callable[[Slice], Place]) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def began(step: str) -> None:
        if step == "run":
            inside.set()
            assert go_on.wait(60)

    prober = Prober(driver, place_of(NAME), began=began)
    first = threading.Thread(target=prober.probe)
    first.start()
    try:
        assert inside.wait(60)
        with pytest.raises(Unavailable, match="has not ended yet"):
            prober.probe()
        prober.clean_up()
        assert place_of(NAME).directory.exists(), "what is under way is no left-over"
    finally:
        go_on.set()
        first.join(60)
    assert not place_of(NAME).directory.exists()


def test_a_node_on_which_no_sliver_can_be_made_does_not_pass(driver: SliverDriver, tmp_path: Path) -> None:
    (tmp_path / "slivers").write_text("a file where a directory should be")
    with pytest.raises((DsmtError, OSError)):
        Prober(driver, Place(NAME, "n1.example.org", tmp_path / "slivers" / NAME)).probe()  # type: ignore[arg-type]


def test_a_probe_that_is_interrupted_removes_what_it_made(
    driver: SliverDriver, place_of: Callable[[Slice], Place]
) -> None:
    def began(step: str) -> None:
        if step == "run":
            raise Interrupted

    with pytest.raises(Interrupted):
        Prober(driver, place_of(NAME), began=began).probe()
    assert not place_of(NAME).directory.exists()


async def test_no_slice_has_the_name_of_a_probe_and_it_is_no_sliver_of_the_node(
    driver: SliverDriver, tmp_path: Path
) -> None:
    with pytest.raises(Invalid):
        slice_name(NAME)
    config = NodeConfig(planner="", host="n1.example.org", data=tmp_path)  # type: ignore[arg-type]
    driver.create(config.probe)

    async def adopt(_slice: Slice) -> bool:
        raise AssertionError("a probe is not adopted")

    assert await found_slivers(config, driver, adopt) == []
    driver.destroy(config.probe)
