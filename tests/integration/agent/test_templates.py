"""Templates in a real sliver: rendered before each start, into a private file."""

from __future__ import annotations

import base64
import stat

from dsmt_core.commands import Order, Verb
from dsmt_core.configuration import Configuration
from dsmt_core.secrets import reference
from dsmt_core.templates import with_templates
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, HOST, SLICE, World, order

WALK = ["requested", "instantiated", "initialized", "running"]
FIRST = "1" * 32
WORD = "a very secret word"
START = """
cp "$DSMT_FILE_SITE_CONF" /app/found
env > /app/env
sleep 1000 &
"""
SCRIPTS = {"start": START, "status": "echo fine"}
TEMPLATE = (
    "${host.name} ${slice.name} ${application.name} ${application.version} "
    "${host.cpus} $level $password $$\n"
)


def _order(packages: Made, generation: int, template: str, level: str = "3") -> Order:
    values = {"level": level, "password": reference(FIRST)}
    configuration = Configuration.of(with_templates(values, {"site_conf": template}))
    return order(Verb.APPCONFIG, generation, packages(**SCRIPTS), configuration=configuration)


async def test_a_template_is_a_private_file_and_another_one_is_another_start(
    world: World, packages: Made
) -> None:
    world.node.add(*packages(**SCRIPTS))
    world.node.secrets[FIRST] = base64.b64encode(WORD.encode()).decode()
    await world.start_agent()
    await world.order(_order(packages, 1, TEMPLATE))
    await world.until_states(*WALK)
    app = world.place.root / "app"
    assert (app / "found").read_text() == f"{HOST} {SLICE} {APP} 1.0-1 4 3 {WORD} $\n"
    [file] = world.place.run.glob("file.*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_uid == world.place.run.stat().st_uid
    told = (app / "env").read_text()
    assert f"DSMT_FILE_SITE_CONF=/run/dsmt/{file.name}" in told
    assert "DSMT_CONFIG_SITE_CONF" not in told
    assert WORD not in told
    assert all(WORD not in str(dict(event.pairs)) for event in world.events)
    await world.order(_order(packages, 2, "level=$level", "4"))
    await world.until_states(*WALK, *WALK)
    assert (app / "found").read_text() == "level=4"
    await world.order(order(Verb.UNINSTALL, 3))
    await world.until(lambda _: f"application.{APP}" not in world.last("holdings"))
    assert not list(world.place.run.glob("file.*"))


async def test_a_fact_that_the_host_does_not_have_is_the_reason_of_the_failure(
    world: World, packages: Made
) -> None:
    world.node.add(*packages(**SCRIPTS))
    world.node.secrets[FIRST] = base64.b64encode(b"\xff\xfe").decode()
    await world.start_agent()
    await world.order(_order(packages, 1, "${host.gpus}"))
    await world.until(lambda _: "failed" in world.states())
    reason = next(event.pairs["reason"] for event in world.events if event.state == "failed")
    assert reason == "the template site_conf uses host.gpus, which this node does not know"
    # A secret that is no text cannot be put into one.
    await world.order(_order(packages, 2, "$password"))
    await world.until(lambda _: world.states().count("failed") == 2)
    reasons = [event.pairs["reason"] for event in world.events if event.state == "failed"]
    assert reasons[-1] == "the secret password is no text, so no template can have it"
