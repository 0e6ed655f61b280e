"""Checks by network in a real sliver, metrics of a status script, and a port that is taken."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agents.deployment_agent.probe import Answer, judged, probe, reach_from_here
from agents.deployment_agent.sliver import Reached
from broker.server.ports import HeldPort
from dsmt_core.commands import Verb
from dsmt_core.errors import Conflict
from dsmt_core.events import METRICS
from dsmt_core.watch import Watch, address
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, GOOD, World, order

SERVER = """exec python3 -u -c '
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists("/app/ill") else 200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
'"""


@pytest.fixture
def port() -> Iterator[int]:
    """One that only who sets SO_REUSEADDR gets, as servers do."""
    held = HeldPort()
    yield held.number
    held.release()


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Take connections, and say nothing."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield


def served(port: int) -> str:
    return SERVER.replace("PORT", str(port))


async def test_an_application_is_checked_by_http_in_its_sliver(
    world: World, packages: Made, port: int
) -> None:
    made = packages("1.0", start=served(port))
    world.node.add(*made)
    await world.start_agent()
    url = f"http://127.0.0.1:{port}/health"
    watch = Watch(check=url, every_s=0.5, timeout_s=2.0, failures=2)
    await world.order(order(Verb.APPCONFIG, 1, made, watch=watch))
    await world.until_states("requested", "instantiated", "initialized", "running")
    await world.until(lambda _: world.last("status").get("text") == "200 OK")
    assert world.last("status")["check"] == url
    before = await world.sliver.processes(APP)
    (world.place.root / "app" / "ill").touch()
    await world.until(lambda _: world.states()[-1] == "failed")
    (world.place.root / "app" / "ill").unlink()
    reason = next(event.pairs["reason"] for event in world.events if event.state == "failed")
    assert reason == f"{url}: 503 Service Unavailable"
    await world.until(lambda _: world.states()[-1] == "running")
    assert before.pids


async def test_a_check_with_a_mistake_ends_nothing_that_runs(
    world: World, packages: Made, port: int
) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states("requested", "instantiated", "initialized", "running")
    before = await world.sliver.processes(APP)
    watch = Watch(check=f"tcp://127.0.0.1:{port}", every_s=0.5)
    await world.order(order(Verb.APPCONFIG, 2, made, watch=watch))
    await world.until(lambda _: "never passed" in world.last("status").get("reason", ""))
    assert "Connection refused" in world.last("status")["reason"]
    await world.order(order(Verb.APPCONFIG, 3, made))
    await world.until(lambda _: world.last("status").get("text") == "ok")
    assert await world.sliver.processes(APP) == before
    assert world.states() == ["requested", "instantiated", "initialized", "running"]


async def test_two_applications_that_want_one_port(world: World, packages: Made, port: int) -> None:
    with listening(port):
        made = packages("1.0", start=served(port))
        world.node.add(*made)
        await world.start_agent()
        watch = Watch(check=f"tcp://127.0.0.1:{port}", every_s=0.5)
        await world.order(order(Verb.APPCONFIG, 1, made, watch=watch))
        await world.until(lambda _: "failed" in world.states())
    reason = next(event.pairs["reason"] for event in world.events if event.state == "failed")
    assert "Address already in use" in reason
    # Which one, and who has it: this process is none of DSMT's.
    assert f"port {port} is taken by the process " in reason
    assert f" (pid {os.getpid()}) of the node: " in reason
    assert "running" not in world.states()


async def test_metrics_of_a_status_script_become_an_event(world: World, packages: Made) -> None:
    status = """echo '{"text": "busy", "metrics": {"clients": 3, "lag_s": 0.25, "bad": "x"}}'; exit 0"""
    made = packages("1.0", **{**GOOD, "status": status})
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until(lambda _: bool(world.last(METRICS)))
    told = world.last(METRICS)
    assert {name: told[name] for name in told if name.startswith("metric.")} == {
        "metric.clients": "3",
        "metric.lag_s": "0.25",
    }
    assert world.last("status")["text"] == "busy (the metric bad is no number)"


async def test_the_init_reaches_ports_of_its_sliver_only(open_world: World, port: int) -> None:
    sliver = open_world.sliver
    refused = await probe(sliver, f"http://127.0.0.1:{port}/", timeout_s=2.0)
    assert refused == Answer(1, "Connection refused")
    with listening(port):
        assert await probe(sliver, f"http://127.0.0.1:{port}/", timeout_s=0.2) == Answer(None, "no answer")
        assert await probe(sliver, f"tcp://localhost:{port}", timeout_s=2.0) == Answer(0, "connected")
    for host, number in (("169.254.169.254", 80), ("localhost", 0), ("localhost", 70_000)):
        with pytest.raises(Conflict):
            await sliver.reach(host, number, "", timeout_s=1.0)


async def _talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that answers whatever was asked for in the path, without end for ``/endless``."""
    asked = (await reader.readline()).split()[1].decode()
    try:
        while asked == "/endless":
            writer.write(b"x" * 65_536)
            await writer.drain()
        writer.write({"/none": b"", "/junk": b"\x00\xff\r\n", "/plain": b"HTTP/1.1 204\r\n"}[asked])
        await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def test_whatever_answers_is_judged(open_world: World) -> None:
    server = await asyncio.start_server(_talkative, "127.0.0.1", 0)
    number = server.sockets[0].getsockname()[1]
    async with server:
        for path, code, text in (
            ("/none", 1, "it answers nothing"),
            ("/junk", 1, "it answers no HTTP"),
            ("/endless", 1, "it answers no HTTP"),
            ("/plain", 0, "204"),
        ):
            answer = await probe(open_world.sliver, f"http://127.0.0.1:{number}{path}", timeout_s=5.0)
            assert (answer.code, answer.text.startswith(text)) == (code, True), answer
            here = judged(
                address(f"http://127.0.0.1:{number}{path}"),
                await reach_from_here(
                    address(f"http://127.0.0.1:{number}{path}"),
                    f"GET {path} HTTP/1.1\r\n\r\n",
                    timeout_s=5.0,
                ),
            )
            assert here.code == code
    gone = await reach_from_here(address(f"tcp://127.0.0.1:{number}"), "", timeout_s=5.0)
    assert gone.trouble
    assert judged(address("tcp://127.0.0.1:1"), Reached(connected=False, timed_out=True)).code is None
