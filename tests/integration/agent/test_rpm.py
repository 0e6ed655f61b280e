"""An RPM in a real sliver, from the order to its end."""

from __future__ import annotations

from dsmt_core.commands import Verb
from dsmt_core.names import DEPLOYMENT_AGENT
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, World, order

BOOTSTRAP = ("requested", "instantiated", "initialized", "installed", "running")
WALK = ("requested", "instantiated", "initialized", "running")


async def test_an_application_is_installed_runs_is_stopped_and_goes(world: World, packages: Made) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.until_states(*BOOTSTRAP, managed=DEPLOYMENT_AGENT)
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    assert (await world.sliver.processes(APP)).pids
    assert (world.place.root / "usr-local" / "demo" / "data").read_text() == "1.0"
    await world.until(lambda _: world.last("status").get("text") == "ok")
    assert world.last("status")["exit-code"] == "0"
    await world.order(order(Verb.STOP, 2, made))
    await world.until_states(*WALK, "terminated")
    assert not (await world.sliver.processes(APP)).pids
    await world.order(order(Verb.UNINSTALL, 3))
    await world.until(lambda _: f"application.{APP}" not in world.last("holdings"))
    assert not (world.place.root / "usr-local" / "demo").exists()
    assert not (world.place.root / "opt" / "dsmt" / APP).exists()
    assert world.states() == [*WALK, "terminated"]
