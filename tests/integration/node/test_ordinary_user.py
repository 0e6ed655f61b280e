"""Slivers by an ordinary user, and bubblewrap that is there but forbidden."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.choosing import choose
from agents.container_manager.slivers.visible import PACKAGES, package_directory
from dsmt_core.limits import Network

NOBODY = 65534
# What an agent needs of others, for a Python that has none of it.
NEEDED = ("pika", "msgpack", "tenacity", "psutil", "nacl")
PYTHON = Path("/usr/bin/python3")
SCRIPT = """
import json, sys
from pathlib import Path
from agents import local_socket
from agents.container_manager.slivers.choosing import choose
from agents.container_manager.slivers.driver import AgentCommand
from agents.container_manager.slivers.place import Place
from dsmt_core.limits import limits_of

driver = choose("bubblewrap").driver
place = Place("s", "node1", Path(sys.argv[1], "data", "slivers", "s"))
driver.create(place)
init = driver.boot(place, AgentCommand(), limits_of(sys.argv[2]))
script = "id -u; id -un; grep CapEff /proc/self/status; touch /app/x /opt/x /usr/local/x && echo ok"
request = {"op": "run", "argv": ["sh", "-c", script], "timeout": 10, "limit": 4096}
said = local_socket.ask(place.init_socket, request, timeout_s=20)["output"].split()
adopted = type(driver)().adopt(place) == init
driver.destroy(place)
print(json.dumps([said[:5], adopted, place.directory.exists()]))
"""
TUN = Path("/dev/net/tun")
# As udev leaves it; this machine's own is not touched, and other processes do not see it.
WITH_TUN = """
set -e
mknod -m 666 "$1" c 10 200
mount --make-rprivate /
mount --bind "$1" /dev/net/tun
shift
exec "$@"
"""

FORKED = """
import asyncio, json, sys
from pathlib import Path
from agents import local_socket, state_file
from agents.container_manager import agent_orders, forking
from agents.container_manager.slivers.choosing import choose
from agents.container_manager.slivers.directory_driver import agent_command, agent_inside
from agents.container_manager.slivers.driver import AgentCommand
from agents.container_manager.slivers.place import Place

LOOK = (
    "grep -E '^(Uid|Cap|NoNew)' /proc/{0}/status; grep -c agents.forks /proc/{0}/cmdline; ls /proc/{0}/fd;"
    "cat /proc/{0}/environ /proc/{0}/maps"
)

async def main(driver, place):
    forks = forking.Forking(driver)
    await forks.attend(place)
    await asyncio.to_thread(agent_orders.tell, place, None, {"start": True})
    told = lambda: local_socket.ask(place.init_socket, {"op": "agent"}, timeout_s=60)["pid"]
    while not (pid := await asyncio.to_thread(told)):
        await asyncio.sleep(0.05)
    look = {"op": "run", "argv": ["sh", "-c", LOOK.format(pid)], "timeout": 50, "limit": 4096}
    print((await asyncio.to_thread(local_socket.ask, place.init_socket, look, timeout_s=60))["output"])
    await forks.close()

driver = choose("bubblewrap").driver
place = Place("s", "node1", Path(sys.argv[1], "data", "slivers", "s"))
driver.create(place)
config = {"host": "n1.example.org", "slice": "s", "broker": "amqp://node:x@127.0.0.1:1/", "queue": "q"}
state_file.save(place.agent_file, config, mode=0o400)
env = {"PATH": "/usr/bin:/bin", "DSMT_RUN": "/run/dsmt", "DSMT_APP": "/app", "DSMT_ROOT": ""}
driver.boot(place, AgentCommand(agent_command(), env, agent_inside()))
try:
    asyncio.run(main(driver, place))
finally:
    driver.destroy(place)
"""


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that everybody reaches, with a copy of what a node needs."""
    made = Path(tempfile.mkdtemp(prefix="dsmt-test-"))
    made.chmod(0o755)
    for name in PACKAGES:
        shutil.copytree(package_directory(name), made / name, ignore=shutil.ignore_patterns("__pycache__"))
    (made / "work").mkdir(mode=0o777)
    (made / "work").chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.skipif(not PYTHON.exists(), reason="needs a Python that everybody may run")
@pytest.mark.parametrize("network", list(Network))
def test_an_ordinary_user_gets_slivers_by_a_user_name_space(open_directory: Path, network: Network) -> None:
    if network is Network.OWN and not TUN.exists():
        pytest.skip("no /dev/net/tun")
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(PYTHON), "-B"]
    if network is Network.OWN:
        command = ["unshare", "-m", "sh", "-c", WITH_TUN, "sh", str(open_directory / "tun"), *command]
    done = subprocess.run(
        [*command, "-c", SCRIPT, str(open_directory / "work"), f"network={network}"],
        env={"PYTHONPATH": str(open_directory), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = f'["{NOBODY}", "sliver", "CapEff:", "{"0" * 16}", "ok"]'
    assert done.stdout.strip() == f"[{said}, true, false]"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.skipif(not PYTHON.exists(), reason="needs a Python that everybody may run")
def test_agents_of_an_ordinary_user_are_forked_into_their_user_name_space(open_directory: Path) -> None:
    for name in NEEDED:
        shutil.copytree(package_directory(name), open_directory / name)
    # What the last of them is built on is one file.
    shutil.copy(str(importlib.import_module("_cffi_backend").__file__), open_directory)
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(PYTHON), "-B"]
    done = subprocess.run(
        [*command, "-c", FORKED, str(open_directory / "work")],
        env={"PYTHONPATH": str(open_directory), "PATH": "/usr/bin:/bin", "HOME": "/"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    assert said.pop("Uid").split() == [str(NOBODY)] * 4
    assert said.pop("NoNewPrivs").strip() == "1"
    assert {one.strip() for name, one in said.items() if name.startswith("Cap")} == {"0" * 16}
    # It has the server's arguments, and lets nobody of its own user look further.
    assert "1" in lines, (lines, done.stderr)
    assert not [line for line in lines if "/usr/lib" in line or "LANG=" in line]


def test_forbidden_bubblewrap_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbidden = tmp_path / "bwrap"
    forbidden.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    forbidden.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    reason = BubblewrapDriver().probe()
    assert "setting up uid map: Permission denied" in reason
    assert "sysctl" in reason
    choice = choose("auto")
    assert choice.driver.name == "process"
    assert "without walls" in choice.warning


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to forbid what a user may")
def test_a_machine_that_allows_no_user_name_spaces_is_told_with_the_remedy(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(
        "from agents.container_manager.slivers.bubblewrap import BubblewrapDriver\n"
        "print(BubblewrapDriver(user=1000).probe())\n"
    )
    forbidden = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", forbidden, "sh", sys.executable]
    done = subprocess.run(
        [*command, str(probe)],
        env={**os.environ, "PYTHONPATH": str(package_directory("agents").parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("bwrap: Creating new namespace failed"), (done.stdout, done.stderr)
    assert "sysctl" in done.stdout
    assert "user.max_user_namespaces" in done.stdout
