"""The private RabbitMQ: shut in, found by nobody, and gone with its owner."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from broker.access import USERS
from broker.bus import Bus
from broker.management import Management
from broker.server import program
from broker.server.private import PrivateBroker
from broker.server.settings import ADMIN, Ports
from broker.topology import DEAD_LETTERS, INGEST, planner_topology
from dsmt_core.errors import Conflict, Denied, DsmtError, Unavailable
from tests.integration.broker.conftest import Connect

T = TypeVar("T")
PATIENCE_S = 60.0
OWNER = """
import sys, time
from pathlib import Path
from broker.server.private import PrivateBroker
broker = PrivateBroker(Path(sys.argv[1]))
broker.start()
print("started", flush=True)
time.sleep(1000)
"""


def seen_of(folder: Path, look: Callable[[psutil.Process], T]) -> list[T]:
    """What is seen of every process whose environment names ``folder``: the server, epmd, and others.

    The server starts short programs all the time; one that ends while it is looked at is left out.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and str(folder / "home") in process.environ().values():
                found.append(look(process))
    return found


def processes_of(folder: Path) -> list[int]:
    return seen_of(folder, lambda process: process.pid)


def test_it_ends_with_its_owner_also_when_that_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        names = set(seen_of(tmp_path, psutil.Process.name))
        assert {"beam.smp", "epmd"} <= names
        owner.kill()
        deadline = time.monotonic() + PATIENCE_S
        while processes_of(tmp_path):
            assert time.monotonic() < deadline, "something was left"
            time.sleep(0.02)


def test_it_listens_on_the_loopback_interface_only(server: PrivateBroker) -> None:
    connections = seen_of(server.data_dir, lambda process: process.net_connections("inet"))
    addresses = {
        connection.laddr.ip
        for each in connections
        for connection in each
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "::1"}


def test_its_descriptors_are_raised_and_its_owners_are_not(server: PrivateBroker) -> None:
    soft, hard = psutil.Process(server.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == hard


def test_nobody_but_its_users_gets_in(server: PrivateBroker) -> None:
    users = {user["name"] for user in server.management.request("GET", "/users")}
    assert users == {ADMIN, *USERS}
    with pytest.raises(Denied):
        Management(server.management_url, "guest", "guest").request("GET", "/overview")


def test_it_evaluates_what_it_is_asked_and_says_what_is_wrong(server: PrivateBroker) -> None:
    # It answers on its ports a moment before it says so.
    server.control("await_startup")
    assert server.evaluate("rabbit:is_running()") == "true"
    assert server.evaluate('{["a", b], 1 + 1}') == '{["a", b], 2}'
    for wrong in ("1 +", "no_module:none()", "1 / 0"):
        with pytest.raises(DsmtError, match="did not evaluate"):
            server.evaluate(wrong)


def test_secrets_are_not_readable_by_others(server: PrivateBroker) -> None:
    assert server.data_dir.stat().st_mode & 0o077 == 0
    command = Path(f"/proc/{server.pid}/cmdline").read_text()
    assert server.admin[1] not in command


async def test_a_wrong_password_is_told_at_once(server: PrivateBroker, connect: Connect) -> None:
    # At once: otherwise it would be tried until the wait of `connect` ends, with another error.
    with pytest.raises(Denied):
        await connect(server.planner_url.replace("planner:", "planner:wrong"))


async def test_an_unknown_virtual_host_is_told_at_once(server: PrivateBroker, connect: Connect) -> None:
    with pytest.raises(Denied):
        await connect(server.url("planner", "nowhere"))


def test_a_folder_in_use_is_a_conflict(server: PrivateBroker) -> None:
    with pytest.raises(Conflict):
        PrivateBroker(server.data_dir).start()
    with pytest.raises(Conflict):
        server.start()
    assert server.running


def test_a_port_in_use_is_a_conflict(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=str(port)):
            PrivateBroker(tmp_path, ports=Ports(amqp=port)).start()
    assert processes_of(tmp_path) == []


def test_without_rabbitmq_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "PROGRAM", tmp_path / "absent")
    with pytest.raises(Unavailable) as raised:
        PrivateBroker(tmp_path).start()
    assert "apt-get install rabbitmq-server" in raised.value.hint


def test_a_server_that_cannot_start_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(program, "PROGRAM", broken)
    with pytest.raises(Unavailable) as raised:
        PrivateBroker(tmp_path / "data").start()
    assert "log" in raised.value.hint


async def test_the_planner_connects_and_declares(server: PrivateBroker, planner: Bus) -> None:
    await planner.declare(*planner_topology(60.0))
    names = {queue["name"] for queue in server.management.queues("dsmt")}
    assert {INGEST, DEAD_LETTERS} <= names
    assert os.getpid() not in processes_of(server.data_dir)
