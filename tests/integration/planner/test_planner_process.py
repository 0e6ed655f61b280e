"""``dsmt-planner`` as a process: how it starts, what it refuses, how it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from pathlib import Path

import psutil

from broker.server.ports import HeldPort
from tests.integration.planner.conftest import Api, Site, children

# Far below whatever it might be waiting for, and enough for a busy machine.
ENDS_S = 60.0


def _told(site: Site, *options: str, **environment: str) -> tuple[int, str]:
    process = site.begin(*options, **environment)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def test_a_second_planner_on_the_same_database_is_refused(site: Site) -> None:
    first = site.start()
    code, said = _told(site)
    assert code == 6
    assert f"another planner (process {first.pid}) has the database" in said
    assert len(said.splitlines()) == 2
    assert first.poll() is None


def test_a_planner_that_was_killed_lets_the_next_one_in(site: Site) -> None:
    first = site.start()
    depot = children(first.pid)
    assert depot
    first.send_signal(signal.SIGKILL)
    first.wait()
    _, alive = psutil.wait_procs(depot, timeout=60)
    assert not alive
    second = site.start()
    assert second.poll() is None


def test_a_port_in_use_is_told_in_one_line(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = _told(site, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert code == 6
    assert "in use" in said
    assert len(said.splitlines()) == 2


def test_a_broker_that_is_not_there_is_told_in_one_line(site: Site) -> None:
    held = HeldPort()
    url = f"amqp://planner:x@127.0.0.1:{held.number}/"
    code, said = _told(site, "--broker-wait", "1", DSMT_BROKER=url)
    assert code == 5
    assert "Traceback" not in said
    assert str(held.number) in said


def test_a_wrong_password_for_the_broker_is_told(site: Site) -> None:
    good = site.urls("planner")
    user, _, host = good.removeprefix("amqp://").partition("@")
    code, said = _told(site, "--broker-wait", "100", DSMT_BROKER=f"amqp://planner:wrong@{host}")
    assert user
    assert code == 4, said
    assert "Traceback" not in said


def test_a_directory_that_was_not_initialised_is_told(site: Site, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for data in (empty, tmp_path / "nothing"):
        other = Site(data, site.urls)
        code, said = _told(other)
        assert code in {3, 6}
        assert "dsmt-planner init" in said


def test_a_second_init_lets_the_admin_in_again(site: Site) -> None:
    again = site.init()
    assert (again.returncode, again.stderr) == (0, "")
    assert "repaired" in again.stdout


async def test_it_ends_in_order_and_quickly(site: Site, api: Api) -> None:
    process = site.processes[-1]
    depot = children(process.pid)
    follower = asyncio.create_task(api.client.get("/v1/events?follow=1"))
    await asyncio.sleep(0)
    await api("GET", "/whoami")
    process.send_signal(signal.SIGTERM)
    code = await asyncio.to_thread(process.wait, ENDS_S)
    assert code == 0
    _, alive = psutil.wait_procs(depot, timeout=60)
    assert not alive
    follower.cancel()
    await asyncio.gather(follower, return_exceptions=True)


async def test_a_depot_that_was_killed_is_started_again_where_it_was(site: Site, api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    token = (await api("POST", "/nodes/invite"))["token"]
    body = {"host": "n1", "token": token, "boot_id": "b", "claim": "the claim of this node"}
    before = (await api("POST", "/nodes/join", body))["depot"]
    for depot in children(site.processes[-1].pid):
        depot.kill()
    deadline = time.monotonic() + 60
    while True:
        answer = await api.client.put("/v1/slices/s1/packages/x.rpm", content=b"no package")
        if answer.status_code == 422:
            break
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert (await api("POST", "/nodes/join", body))["depot"] == before


def test_a_planner_that_waits_for_its_broker_can_be_ended(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"amqp://planner:x@127.0.0.1:{silent.getsockname()[1]}/"
        process = site.begin("--broker-wait", "1000", DSMT_BROKER=url)
        silent.settimeout(60)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_S) == 0
        connection.close()
