"""Secrets in a real sliver: in a private file, and nowhere else."""

from __future__ import annotations

import base64
import stat

from dsmt_core.commands import Order, Verb
from dsmt_core.configuration import Configuration
from dsmt_core.secrets import reference
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, World, order

WALK = ["requested", "instantiated", "initialized", "running"]
FIRST, SECOND = "1" * 32, "2" * 32
WORD = "a very secret word"
START = """
cp "$DSMT_SECRET_PASSWORD" /app/found
env > /app/env
sleep 1000 &
"""
SCRIPTS = {"start": START, "status": "echo fine"}


def _order(packages: Made, generation: int, id_: str) -> Order:
    configuration = Configuration.of({"level": "3", "password": reference(id_)})
    return order(Verb.APPCONFIG, generation, packages(**SCRIPTS), configuration=configuration)


async def test_a_secret_is_in_a_private_file_and_nowhere_else(world: World, packages: Made) -> None:
    world.node.add(*packages(**SCRIPTS))
    world.node.secrets[FIRST] = base64.b64encode(WORD.encode()).decode()
    await world.start_agent()
    await world.order(_order(packages, 1, FIRST))
    await world.until_states(*WALK)
    app = world.place.root / "app"
    assert (app / "found").read_text() == WORD
    [file] = world.place.run.glob("secret.*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_uid == world.place.run.stat().st_uid
    told = (app / "env").read_text()
    assert f"DSMT_SECRET_PASSWORD=/run/dsmt/{file.name}" in told
    assert "DSMT_CONFIG_LEVEL=3" in told
    assert "DSMT_CONFIG_PASSWORD" not in told
    (app / "found").unlink()
    for path in world.place.directory.rglob("*"):
        if path.is_file() and not path.is_symlink() and path != file:
            assert WORD.encode() not in path.read_bytes(), path
    assert all(WORD not in str(dict(event.pairs)) for event in world.events)
    # Another content: another start, and the file before is gone.
    world.node.secrets[SECOND] = base64.b64encode(b"another").decode()
    await world.order(_order(packages, 2, SECOND))
    await world.until_states(*WALK, *WALK)
    assert (app / "found").read_text() == "another"
    assert len(list(world.place.run.glob("secret.*"))) == 1
    await world.order(order(Verb.UNINSTALL, 3))
    await world.until(lambda _: f"application.{APP}" not in world.last("holdings"))
    assert not list(world.place.run.glob("secret.*"))


async def test_without_its_secret_it_is_not_started_and_after_a_reboot_no_planner_is_asked(
    world: World, packages: Made
) -> None:
    world.node.add(*packages(**SCRIPTS))
    await world.start_agent()
    await world.order(_order(packages, 1, FIRST))
    await world.until(lambda _: "failed" in world.states())
    reason = next(event.pairs["reason"] for event in world.events if event.state == "failed")
    assert reason == "this node does not have it"
    world.node.secrets[FIRST] = base64.b64encode(WORD.encode()).decode()
    await world.until(lambda _: "running" in world.states())
    await world.end_agent()
    world.node.secrets.clear()
    await world.reboot()
    heard = len(world.states())
    await world.start_agent()
    await world.until(lambda _: "running" in world.states()[heard:])
