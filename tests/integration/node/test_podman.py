"""Slivers out of images, beside the contract of every driver: walls, limits, and podman's service."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from agents import state_file
from agents.container_manager.images import having, pruning
from agents.container_manager.images.engine import Engine
from agents.container_manager.images.engine_service import EngineService
from agents.container_manager.images.having import Images
from agents.container_manager.images.podman import PodmanDriver, container
from agents.container_manager.slivers import record
from agents.container_manager.slivers.driver import AgentCommand
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import NotFound, Unavailable
from dsmt_core.images import ImageName
from dsmt_core.limits import Limits, Network
from dsmt_core.names import Host as HostName
from dsmt_core.names import Slice
from tests.integration.node.engine import ImageEngine
from tests.integration.node.test_drivers import ask, run, wait_for
from tests.integration.node.test_networks import METADATA, PORT, World, serve, tries, world

__all__ = ["world"]

NO_AGENT = AgentCommand()


@pytest.fixture
def sliver(
    podman: Callable[[], PodmanDriver], place_of: Callable[[Slice], Place]
) -> Iterator[tuple[PodmanDriver, Place]]:
    driver, place = podman(), place_of(Slice("image"))
    driver.create(place)
    yield driver, place
    driver.destroy(place, grace_s=0.2)


@pytest.fixture
def short() -> Iterator[Path]:
    # Podman takes no directory of a longer name than 50 characters.
    with tempfile.TemporaryDirectory(prefix="dsmt-") as folder:
        yield Path(folder)


def test_a_container_has_no_privilege_and_only_what_its_image_has(
    sliver: tuple[PodmanDriver, Place],
) -> None:
    driver, place = sliver
    init = driver.boot(place, NO_AGENT)
    told = run(place, "grep -E '^(CapEff|CapBnd|CapPrm|CapInh|CapAmb|NoNewPrivs|Uid)' /proc/1/status")
    fields = {line.split()[0]: line.split()[1:] for line in told["output"].splitlines()}
    names = ("CapEff:", "CapPrm:", "CapInh:", "CapAmb:", "CapBnd:")
    assert all(fields[name] == ["0" * 16] for name in names)
    assert fields["NoNewPrivs:"] == ["1"]
    if os.geteuid() == 0:
        assert "0" not in fields["Uid:"]
        assert f"\nUid:\t{fields['Uid:'][0]}" in Path(f"/proc/{init.pid}/status").read_text()
    assert run(place, "touch /x || touch /bin/x || touch /.dsmt/python/x || touch /.dsmt/packages/x")[
        "exit"
    ]
    assert run(place, "ls /usr /etc/shadow /home /root/.ssh")["exit"] != 0
    writable = "for d in /tmp /var/tmp /run /dev/shm /.dsmt/root/app; do touch $d/x || exit 1; done"
    assert run(place, writable)["exit"] == 0
    assert "LD_LIBRARY_PATH" not in run(place, "env")["output"]
    assert run(place, "hostname")["output"].strip() == place.host


def test_limits_are_set_and_changed_while_it_runs(sliver: tuple[PodmanDriver, Place]) -> None:
    driver, place = sliver
    limits = Limits(memory=256 << 20, cpu=0.5, processes=64)
    driver.boot(place, NO_AGENT, limits)
    enforced = driver.enforced(place, limits)
    if "memory=none" in enforced:
        pytest.skip("no cgroups are to be seen here")
    assert "memory=cgroup" in enforced
    assert driver.use(place).memory
    driver.limit(place, Limits(memory=128 << 20))
    groups = Path(f"/proc/{_init(place)}/cgroup").read_text()
    assert "libpod" in groups or "dsmt" in groups
    eater = "head -c 200000000 /dev/zero | tail -c 190000000 > /dev/null"
    assert run(place, eater)["exit"] != 0
    assert run(place, "true")["exit"] == 0


@pytest.fixture
def far(world: World) -> Iterator[str]:
    """The address of the host far away, which podman's service reaches from where it runs."""
    number, link = os.getpid() % 64 * 4, f"dsmt{os.getpid()}"
    here, there = f"198.51.100.{number + 1}", f"198.51.100.{number + 2}"
    space = world.far.space

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, timeout=20)

    ip("link", "add", link, "type", "veth", "peer", "name", "lab", "netns", space)
    try:
        ip("address", "add", f"{here}/30", "dev", link)
        ip("link", "set", link, "up")
        ip("-n", space, "address", "add", f"{there}/30", "dev", "lab")
        ip("-n", space, "link", "set", "lab", "up")
        yield there
    finally:
        ip("link", "del", link)


@pytest.mark.parametrize("network", list(Network))
def test_programs_of_an_image_have_the_network_that_is_chosen(
    sliver: tuple[PodmanDriver, Place], far: str, network: Network
) -> None:
    driver, place = sliver
    if why := driver.lacks(network):
        pytest.skip(why)
    driver.boot(place, NO_AGENT, Limits(network=network))
    assert ("" if network is Network.HOST else f"network={network}") == driver.enforced(
        place, Limits(network=network)
    )
    with ExitStack() as stack:
        port, node = serve(stack, b"the node", 0), str(IPv4Address(far) - 1)
        barred = [f"{one} {port}" for one in ("127.0.0.1", node, "198.18.0.2", "198.18.0.3")]
        places = [*barred, f"{METADATA} 80", f"{far} {PORT}"]
        reached = {Network.HOST: {*barred[:2], places[-1]}, Network.OWN: {places[-1]}}.get(network, set())
        found = run(place, tries(places, reached))["output"].splitlines()
    # A cloud's metadata is reached with the node's network, where there is a cloud.
    known = {f"{METADATA} 80"} if network is Network.HOST else set()
    assert set(found) - known == reached
    assert run(place, "echo x > /etc/resolv.conf")["exit"] != 0


def test_a_check_reaches_an_image_s_program_in_its_own_network(sliver: tuple[PodmanDriver, Place]) -> None:
    driver, place = sliver
    if why := driver.lacks(Network.OWN):
        pytest.skip(why)
    driver.boot(place, NO_AGENT, Limits(network=Network.OWN))
    serves = {"argv": ["nc", "-l", "-p", "7777"], "cwd": "/", "application": "web", "log": "w.log"}
    ask(place, op="spawn", **serves)
    wait_for(lambda: ask(place, op="reach", host="127.0.0.1", port=7777, say="", timeout=5)["connected"])
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", 7777), timeout=5)


def test_nothing_is_left_of_a_container(sliver: tuple[PodmanDriver, Place], engine: ImageEngine) -> None:
    driver, place = sliver
    calls = Engine(lambda: engine.socket)
    driver.boot(place, NO_AGENT)
    assert calls.container(container(place))["State"]["Running"]
    driver.end(place)
    with pytest.raises(NotFound):
        calls.container(container(place))


def test_who_takes_too_much_memory_is_killed_and_it_is_told_as_in_every_sliver(
    sliver: tuple[PodmanDriver, Place],
) -> None:
    driver, place = sliver
    init = driver.boot(place, NO_AGENT, Limits(memory=96 << 20))
    if "memory=none" in driver.enforced(place, Limits(memory=96 << 20)):
        pytest.skip("the engine has no memory cgroup here")
    before = ask(place, op="processes", application="app")
    assert "killed_for_memory" not in before
    # It holds all of it in one line.
    ask(place, op="spawn", argv=["sh", "-c", "tail /dev/zero"], cwd="/", application="app")
    wait_for(lambda: ask(place, op="processes", application="app").get("killed_for_memory"))
    told = ask(place, op="processes", application="app")
    assert told["memory_limit"] == 96 << 20
    assert record.lives(init)
    ask(place, op="spawn", argv=["sleep", "1000"], cwd="/", application="app")
    assert "killed_for_memory" not in ask(place, op="processes", application="app")


@pytest.mark.usefixtures("engine")
def test_a_node_starts_and_ends_a_service_of_its_own(tmp_path: Path, short: Path) -> None:
    (tmp_path / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{short}/root"\nrunroot = "{short}/run"\n'
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf"),
    }
    directory = tmp_path / ("a" * 60) / "podman"
    service = EngineService(directory, environment=environment)
    try:
        if service.socket().is_relative_to("/run/podman"):
            pytest.skip("the machine has a service already")
        assert Engine(service.socket).version()
        assert service.socket() == EngineService(directory, environment=environment).socket()
        assert service.socket().parent.stat().st_mode & 0o777 == 0o700
        known = record.load(directory / "service.json")
        assert record.lives(known)
    finally:
        service.close()
        # Podman mounts its storage over itself, and leaves it so: harmless, but in the way of rmtree.
        subprocess.run(["umount", str(short / "root" / "overlay")], capture_output=True, check=False)
    assert not record.lives(known)


def test_without_podman_the_reason_and_the_remedy_are_told(tmp_path: Path) -> None:
    service = EngineService(tmp_path / "podman", environment={"PATH": "/nonexistent"})
    with pytest.raises(Unavailable, match="podman is missing"):
        service.socket()
    only = EngineService(tmp_path / "podman", socket=tmp_path / "nobody.sock")
    driver = PodmanDriver(Engine(only.socket), tmp_path)
    assert "nobody.sock" in driver.probe()


def _init(place: Place) -> int:
    found = record.load(place.init_file)
    assert found is not None
    return found.pid


def test_what_was_pulled_goes_when_nothing_is_made_of_it_any_more(
    engine: ImageEngine, tmp_path: Path
) -> None:
    calls = Engine(lambda: engine.socket)
    ids = []
    for number in range(3):
        engine.make(f"localhost/dsmt-prune:{number}", files={"which": str(number)})
        ids.append(str(calls.image(f"localhost/dsmt-prune:{number}")["Id"]))
    images = Images(tmp_path / "podman", str(engine.socket))
    place = Place(Slice("s"), HostName("n"), tmp_path / "slivers" / "s")
    place.directory.mkdir(parents=True)
    having.keep(place, {"Id": ids[0]})
    # The second is somebody else's: it was not pulled.
    later = {f"{number:064x}": 1.0 for number in range(pruning.KEPT)}
    (tmp_path / "podman").mkdir()
    state_file.save(tmp_path / "podman" / "pulled.json", {ids[0]: 0.0, ids[2]: 0.0, **later})
    package = tmp_path / "package"
    package.write_text(ImageName("site", "1", "localhost/dsmt-prune:1").text)
    assert images.have(package)["Id"] == ids[1]
    assert calls.image(ids[0])
    with pytest.raises(NotFound):
        calls.image(ids[2])
    assert set(state_file.load(tmp_path / "podman" / "pulled.json").value or {}) == {ids[0], *later}
    for one in ids[:2]:
        calls.forget_image(one)
