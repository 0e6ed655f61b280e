"""What a program of a sliver tries against its node, its own agent and its neighbours, for real."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents import state_file
from agents.container_manager import agent_orders
from agents.container_manager.slivers import record
from agents.container_manager.slivers.directory_driver import agent_command, agent_inside
from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from agents.container_manager.slivers.process import ProcessDriver
from dsmt_core.errors import Unavailable
from dsmt_core.limits import Limits, Network
from dsmt_core.names import Slice
from tests.integration.node.test_drivers import ask, run, wait_for

SECRET = "amqp://node:" + "a-secret-of-the-node" + "@127.0.0.1:1/"
CONFIG = {"host": "n1.example.org", "slice": "one", "broker": SECRET, "queue": "q"}
AGENT = {
    "PATH": "/usr/bin:/bin",
    "DSMT_RUN": "/run/dsmt",
    "DSMT_APP": "/app",
    "DSMT_PACKAGES": "/packages",
    "DSMT_ROOT": "",
}


@pytest.fixture
def two(bubblewrap: SliverDriver, place_of: Callable[[Slice], Place]) -> Iterator[tuple[Place, Place]]:
    places = place_of(Slice("one")), place_of(Slice("two"))
    for place in places:
        bubblewrap.create(place)
        state_file.save(place.agent_file, CONFIG, mode=0o400)
        bubblewrap.boot(
            place,
            AgentCommand(agent_command(), AGENT, agent_inside()),
            Limits(processes=60, memory=128 << 20),
        )
        agent_orders.tell(place, bubblewrap.owner(place), {"start": True})
    yield places
    for place in places:
        bubblewrap.destroy(place, grace_s=0.2)


def python(place: Place, code: str) -> str:
    done = ask(place, op="run", argv=["python3", "-c", code], cwd="/", timeout=60, application="evil")
    return str(done["output"])


SEARCH = """
import os, re
found = []
def look(what, path):
    try:
        with open(path, 'rb') as file:
            if b'secret-of-the-' + b'node' in file.read(1 << 20):
                found.append(path)
    except OSError:
        pass
for top in ('/run', '/app', '/var', '/tmp', '/home', '/etc', '/opt'):
    for path, _, names in os.walk(top):
        for name in names:
            look(None, os.path.join(path, name))
for pid in filter(str.isdecimal, os.listdir('/proc')):
    if int(pid) == os.getpid():
        continue
    for name in ('environ', 'cmdline', 'mem'):
        look(None, f'/proc/{pid}/{name}')
    try:
        for name in os.listdir(f'/proc/{pid}/fd'):
            look(None, f'/proc/{pid}/fd/{name}')
        found.append(f'/proc/{pid}/fd of ' + open(f'/proc/{pid}/cmdline').read()[:40])
    except OSError:
        pass
    try:
        maps = open(f'/proc/{pid}/maps').read()
        found.append('maps of ' + pid)
    except OSError:
        pass
print(found)
"""


def test_an_application_finds_no_credential_of_its_agent(two: tuple[Place, Place]) -> None:
    one, _ = two
    wait_for(lambda: ask(one, op="agent")["pid"])
    agent = ask(one, op="agent")["pid"]
    assert python(one, SEARCH).strip() == "[]"
    attach = (
        "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True);"
        f"print([libc.ptrace(16, pid, 0, 0) for pid in (1, {agent})], ctypes.get_errno(),"
        f" libc.syscall(438, os.pidfd_open({agent}), 3, 0))"
    )
    assert python(one, attach).split() == ["[-1,", "-1]", "1", "-1"]
    # Killed, and started anew by the init: there is no moment at which it could be looked into.
    kill = (
        f"import os, signal, time; os.kill({agent}, signal.SIGKILL)\n"
        "end, seen = time.monotonic() + 3, set()\n"
        "while time.monotonic() < end:\n"
        "  for pid in filter(str.isdecimal, os.listdir('/proc')):\n"
        "    try:\n"
        "      if int(pid) not in (os.getpid(), os.getppid()) and os.readlink(f'/proc/{pid}/exe'):\n"
        "        seen.add(pid)\n"
        "    except OSError: pass\n"
        "print(seen)"
    )
    assert python(one, kill).strip() == "set()"
    assert ask(one, op="agent")["starts"] >= 2


def test_an_application_gives_its_init_no_other_agent(two: tuple[Place, Place]) -> None:
    one, _ = two
    request = json.dumps({"op": "agent", "config": {**CONFIG, "broker": "amqp://evil"}})
    code = (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/dsmt/init.sock');"
        f"s.sendall({request!r}.encode() + b'\\n'); print(s.recv(4096).decode())"
    )
    assert "only the node" in python(one, code)


def test_nothing_is_loaded_into_the_programs_of_dsmt(
    bubblewrap: SliverDriver, place_of: Callable[[Slice], Place]
) -> None:
    place, aside = place_of(Slice("one")), Path("/etc/ld.so.preload")
    bubblewrap.create(place)
    try:
        # As a sliver of an older DSMT has left it.
        (place.root / "etc" / aside.name).symlink_to("/tmp/evil.so")
        bubblewrap.boot(place, AgentCommand())
        for attack in (
            f"echo /tmp/evil.so > {aside}",
            f"rm -f {aside}",
            f"mv {aside} /etc/x",
            "mv /etc /x",
        ):
            assert run(place, attack)["exit"] != 0, attack
        assert run(place, f"mv /tmp/x {aside}; ln -sf /tmp/x {aside}; test ! -s {aside}")["exit"] == 0
        told = run(place, f"cat {aside}; touch /etc/mine && echo mine")
        assert (told["exit"], told["output"]) == (0, "mine\n")
        assert (place.root / "etc" / aside.name).read_text() == ""
    finally:
        bubblewrap.destroy(place, grace_s=0.2)


def test_slivers_do_not_see_signal_trace_or_read_one_another(two: tuple[Place, Place]) -> None:
    one, other = two
    pid = ask(other, op="spawn", argv=["sleep", "1000"], cwd="/", application="victim", log="v.log")["pid"]
    run(other, "echo private > /var/secret; chmod 644 /var/secret")
    seen = python(one, "import os; print(len([n for n in os.listdir('/proc') if n.isdecimal()]))")
    # Its init, its agent and itself.
    assert int(seen) <= 4
    everything = (
        "import os, signal\n"
        "for pid in range(2, 70000):\n"
        "  if pid != os.getpid():\n"
        "    try: os.kill(pid, signal.SIGKILL)\n"
        "    except OSError: pass\n"
        "try: os.kill(-1, signal.SIGKILL)\n"
        "except OSError: pass\n"
    )
    python(one, everything)
    assert ask(other, op="processes", application="victim")["pids"] == [pid]
    looks = "import os\ntry: print(os.listdir({!r}))\nexcept OSError as e: print('no')"
    for path in (other.root, other.run, other.directory, other.directory.parent, "/proc/1/root"):
        assert python(one, looks.format(str(path))) == "no\n"


def test_a_sliver_that_forks_and_eats_does_not_starve_another(two: tuple[Place, Place]) -> None:
    one, other = two
    bomb = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass\n"
    ask(one, op="spawn", argv=["python3", "-c", bomb], cwd="/", application="bomb", log="b.log")
    wait_for(lambda: len(ask(one, op="processes", application="bomb")["pids"]) >= 50)
    assert run(other, "echo fine")["output"] == "fine\n"
    assert ask(one, op="agent")["pid"]
    ask(one, op="signal", application="bomb", signal="KILL")
    wait_for(lambda: not ask(one, op="processes", application="bomb")["pids"])


def test_a_program_that_kills_its_parents_ends_itself_alone(two: tuple[Place, Place]) -> None:
    one, _ = two
    done = run(one, "kill -9 $PPID 1; kill -9 -1; true")
    assert done["exit"] in {0, -9}
    assert ask(one, op="agent")["starts"] >= 1
    assert one.init_socket.exists()


@pytest.fixture
def cut_off(bubblewrap: SliverDriver, place_of: Callable[[Slice], Place]) -> Iterator[Place]:
    place = place_of(Slice("cut"))
    bubblewrap.create(place)
    try:
        bubblewrap.boot(place, AgentCommand(), Limits(network=Network.NONE))
        yield place
    finally:
        bubblewrap.destroy(place, grace_s=0.2)


def test_without_a_network_nothing_of_the_node_is_reached_but_ones_own_ports_are(cut_off: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        port = server.getsockname()[1]
        abstract.bind(f"\0dsmt-{port}")
        abstract.listen()
        tries = (
            "import socket\n"
            "def go(family, where):\n"
            "  try:\n"
            "    s = socket.socket(family); s.settimeout(3); s.connect(where); print('reached', where)\n"
            "  except OSError as e: print('no')\n"
            f"go(socket.AF_INET, ('127.0.0.1', {port}))\n"
            f"go(socket.AF_UNIX, '\\0dsmt-{port}')\n"
            "go(socket.AF_INET, ('169.254.169.254', 80))\n"
            "go(socket.AF_INET6, ('fd00:ec2::254', 80))\n"
        )
        assert python(cut_off, tries) == "no\n" * 4
        # Also what an installer runs.
        done = ask(cut_off, op="run", argv=["python3", "-c", tries], cwd="/", timeout=60)
        assert done["output"] == "no\n" * 4
    serves = "import socket, time; s = socket.create_server(('127.0.0.1', 7777)); time.sleep(1000)"
    ask(cut_off, op="spawn", argv=["python3", "-c", serves], cwd="/", application="web", log="w.log")
    own = "import socket; socket.create_connection(('127.0.0.1', 7777)); print('reached')"
    wait_for(lambda: python(cut_off, own) == "reached\n")
    # The checks of the node's own reach it there, too; and no way leads back out.
    reached = ask(cut_off, op="reach", host="127.0.0.1", port=7777, say="", timeout=5)
    assert reached["connected"]
    out = "import os; os.open('/proc/1/ns/net', os.O_RDONLY)"
    assert "Permission denied" in python(cut_off, out)


@pytest.mark.parametrize("network", [Network.NONE, Network.OWN])
def test_what_cannot_be_cut_off_does_not_run(place_of: Callable[[Slice], Place], network: Network) -> None:
    driver, place = ProcessDriver(), place_of(Slice("open"))
    driver.create(place)
    with pytest.raises(Unavailable, match=f"network {network} cannot be had here: slivers by process"):
        driver.boot(place, AgentCommand(), Limits(network=network))
    driver.destroy(place)


def test_another_choice_of_network_begins_the_sliver_anew(
    bubblewrap: SliverDriver, place_of: Callable[[Slice], Place]
) -> None:
    place = place_of(Slice("anew"))
    bubblewrap.create(place)
    try:
        before = bubblewrap.boot(place, AgentCommand())
        bubblewrap.limit(place, Limits(network=Network.NONE))
        assert not record.lives(before)
        bubblewrap.boot(place, AgentCommand(), Limits(network=Network.NONE))
        assert bubblewrap.enforced(place, Limits(network=Network.NONE)) == "network=none"
    finally:
        bubblewrap.destroy(place, grace_s=0.2)
