"""Programs with a network of their own, in a little world: a node, a host far away, a cloud's metadata."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import Unavailable
from dsmt_core.limits import Limits, Network
from dsmt_core.names import Slice
from lab.network import Host
from lab.network import Network as Hosts
from tests.integration.node.test_drivers import ask, run, wait_for

METADATA = "169.254.169.254"
PORT = 7801
NODE, FAR = "10.66.7.1", "10.66.7.2"
TRY = """
import concurrent.futures, json, socket, sys
def go(address, options):
    # What is to be reached is at once, or when the machine is not busy any more.
    s = socket.socket(); s.settimeout(30 if address == 'FAR' and not options else 1.5)
    try:
        for level, name, value in options: s.setsockopt(level, name, value)
        s.connect((address, PORT)); return s.recv(20).decode()
    except OSError as error: return 'no'
WAYS = {'plainly': [], 'by device': [(1, 25, b'tap0')], 'without routes': [(1, 5, 1)],
        'by way of': [(0, 4, bytes([131, 7, 4]) + socket.inet_aton('198.18.0.2') + b'\\0')]}
pool = concurrent.futures.ThreadPoolExecutor(40)
asked = {a: {w: pool.submit(go, a, o) for w, o in WAYS.items()} for a in sys.argv[1:]}
print(json.dumps({a: {w: one.result() for w, one in ways.items()} for a, ways in asked.items()}))
""".replace("PORT", str(PORT)).replace("FAR", FAR)

BARRED = dict.fromkeys(("plainly", "by device", "without routes", "by way of"), "no")


def tries(places: Collection[str], reached: Collection[str]) -> str:
    """For a shell: tell which of ``places`` (an address and a port) are reached; some are to be."""
    # What answers does so at once, unless the machine is busy.
    waits = ((one, 30 if one in reached else 2) for one in places)
    asked = (f"nc -w {most_s} {one} </dev/null >/dev/null 2>&1 && echo {one}" for one, most_s in waits)
    return "; ".join((*asked, "true"))


@dataclass(frozen=True, slots=True)
class World:
    node: Host
    far: Host


def serve(stack: ExitStack, answer: bytes, port: int = PORT) -> int:
    """Answer whoever connects to any address of the name space that the caller is in; the port."""
    server = stack.enter_context(socket.create_server(("0.0.0.0", port)))  # noqa: S104 - of a lab's host

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(answer)

    threading.Thread(target=accept, daemon=True).start()
    stack.callback(server.shutdown, socket.SHUT_RDWR)
    return int(server.getsockname()[1])


def ip(host: Host, *words: str) -> None:
    subprocess.run(["ip", "-n", host.space, *words], check=True, timeout=20)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with ExitStack() as stack:
        try:
            hosts = stack.enter_context(Hosts())
            switch = hosts.switch("10.66.7")
            found = World(hosts.host("node", switch), hosts.host("far", switch))
        except Unavailable as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"{error}: {error.hint}")
        ip(found.far, "address", "add", f"{METADATA}/32", "dev", "lo")
        ip(found.node, "route", "add", METADATA, "via", FAR)
        for host, answer in ((found.node, b"the node"), (found.far, b"far away")):
            with host.entered():
                serve(stack, answer)
        yield found


@pytest.fixture
def own(bubblewrap: SliverDriver, place_of: Callable[[Slice], Place], world: World) -> Iterator[Place]:
    """A sliver whose programs have a network of their own, on the node of that world."""
    place = place_of(Slice("own"))
    bubblewrap.create(place)
    try:
        with world.node.entered():
            bubblewrap.boot(place, AgentCommand(), Limits(network=Network.OWN))
        yield place
    finally:
        bubblewrap.destroy(place, grace_s=0.2)


def reached(place: Place, *addresses: str, application: str = "app") -> dict[str, dict[str, str]]:
    done = ask(
        place,
        op="run",
        argv=["python3", "-c", TRY, *addresses],
        cwd="/",
        timeout=60,
        application=application,
    )
    assert done["exit"] == 0, done
    found: dict[str, dict[str, str]] = json.loads(done["output"])
    return found


def slirp(place: Place) -> int:
    return int(run(place, "pgrep -x slirp4netns || echo 0")["output"].split()[0])


def outward(place: Place) -> bool:
    return reached(place, FAR)[FAR]["plainly"] == "far away"


def test_others_are_reached_and_nothing_of_the_node(own: Place, world: World) -> None:
    for host, address, answer in (
        (world.node, "127.0.0.1", b"the node"),
        (world.node, METADATA, b"far away"),
    ):
        with host.entered(), socket.create_connection((address, PORT), timeout=30) as connection:
            # The node itself reaches both: what follows is no accident.
            assert connection.recv(20) == answer
    gateway, resolver = "198.18.0.2", "198.18.0.3"
    barred = ("127.0.0.1", NODE, gateway, resolver, "198.18.0.77", METADATA, "168.63.129.16")
    # What an installer runs (its application is empty) has the same.
    for application in ("app", ""):
        found = reached(own, FAR, *barred, application=application)
        assert found.pop(FAR)["plainly"] == "far away"
        assert found == dict.fromkeys(barred, BARRED)


def test_no_program_opens_what_is_barred_or_looks_into_what_leads_outwards(own: Place) -> None:
    pid = slirp(own)
    tries = (
        "ip route del 169.254.0.0/16",
        "ip route flush type unreachable",
        f"ip neigh add {METADATA} lladdr 02:00:00:00:00:01 dev tap0",
        "ip link set tap0 down",
        "echo nameserver 127.0.0.1 > /etc/resolv.conf",
        "mv /etc/resolv.conf /etc/other",
        "umount /etc/resolv.conf",
        "unshare -Ur umount /etc/resolv.conf",
        "unshare -Ur ip route del 169.254.0.0/16",
        "nsenter -t 1 -n true",
        f"nsenter -t {pid} -n true",
        f"cat /proc/{pid}/environ",
        f"cat /proc/{pid}/mem",
        f"ls /proc/{pid}/cwd/",
        f"for fd in $(ls /proc/{pid}/fd); do readlink /proc/{pid}/fd/$fd && exit 0; done; exit 1",
    )
    for words in tries:
        assert run(own, words)["exit"] != 0, words
    assert reached(own, METADATA)[METADATA]["plainly"] == "no"


def test_the_way_outwards_comes_back_when_it_was_ended_and_the_application_stays(own: Place) -> None:
    serves = "import socket, time; s = socket.create_server(('127.0.0.1', 7777)); time.sleep(1000)"
    ask(own, op="spawn", argv=["python3", "-c", serves], cwd="/", application="web", log="w.log")
    wait_for(lambda: ask(own, op="reach", host="127.0.0.1", port=7777, say="", timeout=5)["connected"])
    before, pids = slirp(own), ask(own, op="processes", application="web")["pids"]
    # A program may harm itself so, and no more.
    run(own, f"kill -9 {before}")
    wait_for(lambda: slirp(own) not in {0, before} and outward(own), within_s=120)
    assert ask(own, op="processes", application="web")["pids"] == pids
    assert reached(own, METADATA, NODE) == {METADATA: BARRED, NODE: BARRED}


def test_an_address_that_the_node_gets_later_is_barred_too(own: Place, world: World) -> None:
    ip(world.node, "address", "add", "10.66.8.1/32", "dev", "eth0")
    try:
        wait_for(lambda: "unreachable 10.66.8.1" in run(own, "ip route")["output"])
        assert reached(own, "10.66.8.1")["10.66.8.1"]["plainly"] == "no"
    finally:
        ip(world.node, "address", "del", "10.66.8.1/32", "dev", "eth0")
    wait_for(lambda: "10.66.8.1" not in run(own, "ip route")["output"])


def test_the_next_manager_finds_it_all_as_it_was_and_the_end_leaves_nothing(
    own: Place, bubblewrap: SliverDriver
) -> None:
    before = slirp(own)
    other = type(bubblewrap)()
    assert other.adopt(own) is not None
    assert slirp(own) == before
    assert outward(own)
    assert other.enforced(own, Limits(network=Network.OWN)) == "network=own"
    mark = own.mark.encode()
    assert [pid for pid in every_slirp() if mark in environment(pid)]
    other.end(own, grace_s=5.0)
    assert not [pid for pid in every_slirp() if mark in environment(pid)]


def every_slirp() -> list[str]:
    found = subprocess.run(["pgrep", "-x", "slirp4netns"], capture_output=True, text=True, check=False)
    return found.stdout.split()


def environment(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - a file of the kernel's
            return file.read()
    except OSError:
        return b""


def test_what_cannot_be_had_is_told_with_the_remedy_and_nothing_runs(
    bubblewrap: SliverDriver, place_of: Callable[[Slice], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [bubblewrap.lacks(one) for one in Network] == ["", "", ""]
    monkeypatch.setattr("agents.container_manager.slivers.outward.PROGRAM", "slirp-that-is-not-there")
    why = "slirp-that-is-not-there is missing (apt-get install slirp4netns)"
    assert bubblewrap.lacks(Network.OWN) == why
    assert bubblewrap.lacks(Network.NONE) == ""
    place = place_of(Slice("refused"))
    bubblewrap.create(place)
    try:
        with pytest.raises(Unavailable, match="the network own cannot be had here: slirp-that"):
            bubblewrap.boot(place, AgentCommand(), Limits(network=Network.OWN))
        assert bubblewrap.adopt(place) is None
    finally:
        bubblewrap.destroy(place, grace_s=0.2)
