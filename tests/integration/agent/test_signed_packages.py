"""A deployment agent installs what is signed as ordered; what is not waits, and what runs goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from depot.describing import described
from dsmt_core.commands import Order, Verb
from dsmt_core.publishers import Statement, Vouching
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, Package, World, order
from tests.integration.agent.test_changes import WALK
from tests.publisher import Publisher

OURS, THEIRS = Publisher("o"), Publisher("t")
KEYS = frozenset({OURS.key})


def about(package: Package) -> Statement:
    found = described(package.path)
    said = found.said
    return Statement(
        kind=said.kind, name=said.name, version=said.version, arch=said.arch, digest=found.digest
    )


def signed(plain: Order, packages: Sequence[Package], by: Publisher = OURS) -> Order:
    return replace(plain, vouching=Vouching(KEYS, tuple(by.signs(about(one)) for one in packages)))


async def test_a_first_version_waits_for_its_signature(world: World, packages: Made) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(signed(order(Verb.APPCONFIG, 1, made), made, THEIRS))
    await world.until(lambda _: "is not signed" in world.last("status").get("reason", ""))
    assert "running" not in world.states()
    await world.order(signed(order(Verb.APPCONFIG, 2, made), made))
    await world.until(lambda _: world.states()[-1] == "running")


async def test_what_runs_goes_on_until_the_new_version_is_signed(world: World, packages: Made) -> None:
    made, new = packages(), packages("2.0")
    world.node.add(*made, *new)
    await world.start_agent()
    await world.order(signed(order(Verb.APPCONFIG, 1, made), made))
    await world.until_states(*WALK)
    before = (await world.sliver.processes(APP)).pids
    # Its publisher's key is withdrawn: nothing happens to it.
    await world.order(replace(order(Verb.APPCONFIG, 2, made), vouching=Vouching(frozenset())))
    await world.until(lambda _: world.last("holdings").get(f"application.{APP}") == "2 running 0 1.0-1")
    update = order(Verb.UPDATE, 3, new, version="2.0-1")
    await world.order(signed(update, new[:1]))
    await world.until(lambda _: "is not signed" in world.last("status").get("reason", ""))
    assert (await world.sliver.processes(APP)).pids == before
    assert world.states() == WALK
    await world.order(replace(signed(update, new), generation=4))
    await world.until_states(*WALK, *WALK)


async def test_what_was_signed_as_another_version_is_not_taken_for_it(world: World, packages: Made) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(signed(order(Verb.APPCONFIG, 1, made, version="9.9-9"), made))
    await world.until(lambda _: "and ordered as" in world.last("status").get("reason", ""))
    assert "running" not in world.states()
