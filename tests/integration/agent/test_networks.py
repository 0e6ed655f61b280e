"""What an application, its checks and its scriptlets reach, by the network that is chosen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.deployment_agent.sliver import Call, Sliver
from dsmt_core.commands import Verb
from dsmt_core.limits import Limits, Network
from dsmt_core.watch import Watch
from tests.integration.agent.conftest import Made, memory
from tests.integration.agent.sliver_world import World, made_world, order
from tests.integration.agent.test_bad_packages import rpm_with
from tests.integration.agent.test_watches import served
from tests.integration.node.test_drivers import wait_for

LOOKS = """python3 - > /app/seen <<'EOF'
import socket
for address, port in (("127.0.0.1", PORT), ("169.254.169.254", 80), ("fd00:ec2::254", 80)):
    try:
        socket.create_connection((address, port), timeout=2).close()
        print(address, "reached")
    except OSError:
        print(address, "no")
EOF
"""


@pytest.fixture(params=[Network.NONE, Network.OWN])
async def apart(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A sliver whose programs have not the node's network."""
    driver = BubblewrapDriver()
    if why := driver.probe() or driver.lacks(request.param):
        pytest.skip(why)
    limits = Limits(network=request.param)
    async with made_world(tmp_path, driver, memory(), limits=limits) as made:
        yield made


async def test_a_scriptlet_reaches_no_service_of_the_node_and_no_metadata(
    apart: World, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        made = rpm_with(tmp_path, "1.0", "post", LOOKS.replace("PORT", str(service.getsockname()[1])))
        apart.node.add(made)
        await apart.start_agent()
        await apart.order(order(Verb.APPCONFIG, 1, (made,)))
        await apart.until_states("requested", "instantiated", "initialized", "running")
    seen = (apart.place.root / "app" / "seen").read_text().splitlines()
    assert seen == ["127.0.0.1 no", "169.254.169.254 no", "fd00:ec2::254 no"]


async def test_a_check_is_made_where_the_application_is(apart: World, packages: Made) -> None:
    # The same port of the node is somebody else's, who answers nothing.
    with socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
        made = packages("1.0", start=served(port))
        apart.node.add(*made)
        await apart.start_agent()
        watch = Watch(check=f"http://127.0.0.1:{port}/", every_s=0.5, timeout_s=2.0)
        await apart.order(order(Verb.APPCONFIG, 1, made, watch=watch))
        await apart.until_states("requested", "instantiated", "initialized", "running")
        await apart.until(lambda _: apart.last("status").get("text") == "200 OK")


async def is_there(sliver: Sliver, port: int) -> bool:
    return (await sliver.reach("127.0.0.1", port, "", timeout_s=5.0)).connected


async def test_a_port_is_taken_by_who_is_in_the_sliver_and_by_nobody_else(
    apart: World, packages: Made
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
        made = packages("1.0", start=served(port))
        apart.node.add(*made)
        await apart.sliver.spawn(Call(["sh", "-c", served(port)], "other", cwd="/"), log="other.log")
        await asyncio.to_thread(wait_for, lambda: asyncio.run(is_there(apart.sliver, port)))
        await apart.start_agent()
        watch = Watch(check=f"tcp://127.0.0.1:{port}", every_s=60.0)
        await apart.order(order(Verb.APPCONFIG, 1, made, watch=watch))
        await apart.until(lambda _: "failed" in apart.states())
    reason = next(event.pairs["reason"] for event in apart.events if event.state == "failed")
    # Whoever has it on the node is no reason here.
    assert f"port {port} is taken already: " in reason
    assert "Address already in use" in reason
