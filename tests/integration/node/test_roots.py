"""Slivers over another root file system, beside the contract of every driver: whole nodes, and bad tars."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.container_manager.config import NodeConfig
from agents.container_manager.metering import disk_bytes
from agents.container_manager.roots import tree as trees
from agents.container_manager.roots.layered import LayeredDriver, forget
from agents.container_manager.roots.mounting import lacking, mounted
from agents.container_manager.roots.tree import unpack
from agents.container_manager.slivers import record
from agents.container_manager.slivers.driver import AgentCommand
from agents.container_manager.slivers.place import Place
from agents.container_manager.slivers.visible import PACKAGES, package_directory
from dsmt_core.commands import Verb
from dsmt_core.errors import DsmtError, Full, Invalid, Unavailable
from dsmt_core.limits import DEPOT_ROOTS, ROOTS_FACT, Limits, Network
from dsmt_core.names import Slice
from tests.integration.node.test_container_manager import config, figure, node, speaking
from tests.integration.node.test_drivers import run
from tests.integration.node.test_networks import FAR, METADATA, NODE, PORT, World, tries, world

__all__ = ["world"]
from tests.integration.node.world import SLICE, WALK, FakePlanner, Voice, until

__all__ = ["config", "speaking"]
NO_AGENT = AgentCommand()


@pytest.fixture
def sliver(
    layered: Callable[[], LayeredDriver], place_of: Callable[[Slice], Place]
) -> Iterator[tuple[LayeredDriver, Place]]:
    driver, place = layered(), place_of(SLICE)
    driver.create(place)
    yield driver, place
    driver.destroy(place, grace_s=0.2)


def archive_of(tree: Path) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        archive.add(tree, ".")
    return made.getvalue()


def mounts() -> str:
    return Path("/proc/self/mountinfo").read_text()


def test_nothing_is_mounted_on_the_node_and_the_layer_goes_with_the_sliver(
    sliver: tuple[LayeredDriver, Place], tree: Path
) -> None:
    driver, place = sliver
    driver.boot(place, NO_AGENT)
    run(place, "head -c 3000000 /dev/zero > /opt/big; rm -f /bin/ls; echo x > /usr/local/bin/tool")
    assert (place.root / "layer" / "upper" / "opt" / "big").stat().st_size == 3_000_000
    assert disk_bytes(place.root) > 3_000_000
    assert str(place.directory) not in mounts()
    assert (tree / "bin" / "ls").is_symlink()
    assert not (tree / "opt").exists()
    driver.destroy(place)
    assert not place.directory.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's trees are root's in the sliver")
def test_what_is_the_tree_s_stays_and_the_sliver_gains_no_right(
    sliver: tuple[LayeredDriver, Place],
) -> None:
    driver, place = sliver
    driver.boot(place, NO_AGENT)
    told = run(place, "grep -E '^(CapEff|CapBnd|NoNewPrivs|Uid)' /proc/1/status")["output"].split()
    assert told.count("0" * 16) == 2
    assert "0" not in told[1:5]
    script = "touch /x || touch /bin/x || echo x > /etc/ld.so.preload || rm /bin/busybox || mkdir /lib"
    assert run(place, script)["exit"]
    for directory in ("/opt", "/usr/local/bin", "/var/lib", "/var/tmp", "/app", "/home", "/tmp"):
        assert run(place, f"touch {directory}/x")["exit"] == 0
    assert run(place, "cat /etc/passwd")["output"].count("sliver:x:") == 1


def test_programs_without_network_are_without_it_there_too(sliver: tuple[LayeredDriver, Place]) -> None:
    driver, place = sliver
    driver.boot(place, NO_AGENT, Limits(network=Network.NONE, root="busybox"))
    assert run(place, "wget -q -T 2 -O - http://127.0.0.1:1/ 2>&1; cat /proc/net/route | wc -l")[
        "output"
    ].endswith("\n1\n")


def test_programs_have_a_network_of_their_own_there_too(
    sliver: tuple[LayeredDriver, Place], world: World
) -> None:
    driver, place = sliver
    if why := driver.lacks(Network.OWN):
        pytest.skip(why)
    with world.node.entered():
        driver.boot(place, NO_AGENT, Limits(network=Network.OWN, root="busybox"))
    places = [f"{one} {PORT}" for one in ("127.0.0.1", NODE, METADATA, "198.18.0.2", FAR)]
    assert run(place, tries(places, places[-1:]))["output"].splitlines() == [places[-1]]
    assert run(place, "echo x > /etc/resolv.conf")["exit"] != 0


def test_links_of_the_tree_lead_no_mount_astray(
    layered: Callable[[], LayeredDriver], place_of: Callable[[Slice], Place], tmp_path: Path, tree: Path
) -> None:
    hostile, victim = tmp_path / "hostile", tmp_path / "victim"
    shutil.copytree(tree, hostile, symlinks=True)
    (victim / "local").mkdir(parents=True)
    for name in ("run", "usr", "etc", "var", "app", "packages", "dev", "tmp", ".dsmt", "proc"):
        (hostile / name).symlink_to(victim)
    before = sorted(victim.rglob("*"))
    driver, place = layered(), place_of(SLICE)
    driver._of_all = hostile  # type: ignore[attr-defined]
    driver.create(place)
    try:
        driver.boot(place, NO_AGENT)
        assert run(place, "touch /var/x /usr/local/x /tmp/x && echo well")["output"] == "well\n"
    finally:
        driver.destroy(place)
    assert sorted(victim.rglob("*")) == before


def test_a_sliver_that_loses_its_tree_begins_as_if_it_were_new(
    sliver: tuple[LayeredDriver, Place],
) -> None:
    driver, place = sliver
    driver.boot(place, NO_AGENT)
    run(place, "touch /app/a /opt/b")
    driver.end(place)
    forget(place, driver.owner(place))
    assert not place.root_file.exists()
    assert not [path for path in place.root.rglob("*") if path.is_file()]
    with pytest.raises(Unavailable, match="is not there"):
        driver.boot(place, NO_AGENT)


async def test_a_node_has_what_its_operator_offers_and_what_the_depot_has(
    config: NodeConfig, memory_world: str, speaking: Voice, planner: FakePlanner, tree: Path
) -> None:
    offered = replace(config, roots={"bb": tree})
    place = offered.place(SLICE)
    content = archive_of(tree)
    packed = Limits(root=f"{planner.put(content)}/{len(content)}")
    below = offered.data / "roots" / "trees"
    async with node(offered, memory_world, planner.url):
        await until(lambda: speaking.events("facts"), "facts")
        assert speaking.events("facts")[0].pairs[ROOTS_FACT].split() == [DEPOT_ROOTS, "bb"]
        await speaking.order(Verb.CREATE, 1, limits=Limits(root="bb"))
        await until(lambda: speaking.states() == WALK, "running")
        assert (await asyncio.to_thread(run, place, "test ! -e /usr/bin && touch /app/old"))["exit"] == 0
        first = record.load(place.init_file)
        await speaking.order(Verb.CREATE, 2, limits=packed)
        await until(lambda: speaking.states().count("running") == 2, "over the other one")
        assert "failed" in speaking.states()
        assert (await asyncio.to_thread(run, place, "test ! -e /app/old && cat /bin/busybox | wc -c"))[
            "exit"
        ] == 0
        assert not record.lives(first)
        second = record.load(place.init_file)
        await until(
            lambda: f"root={packed.root_shown}" in figure(speaking, "limits-enforced"), "what is enforced"
        )
    assert record.lives(second)
    assert [path.name for path in below.iterdir() if path.name != "tars"] == [packed.root.split("/")[0]]
    async with node(offered, memory_world, planner.url):
        await until(speaking.said, "the holdings")
        assert record.load(place.init_file) == second
        await speaking.order(Verb.DELETE, 3)
        await until(lambda: speaking.states()[-1] == "terminated", "its end")
        await until(lambda: not place.directory.exists(), "nothing is left")
    async with node(offered, memory_world, planner.url):
        assert [path.name for path in below.iterdir()] in ([], ["tars"])
    assert [path for path in planner.gets if packed.root.split("/")[0] in path] != []


async def test_what_a_node_has_not_fails_with_the_reason(
    config: NodeConfig, memory_world: str, speaking: Voice, planner: FakePlanner
) -> None:
    content = b"this is no tar at all" * 100
    async with node(config, memory_world, planner.url):
        await speaking.order(Verb.CREATE, 1, limits=Limits(root="debian99"))
        await until(lambda: "failed" in speaking.states(), "its failure")
        other = Slice("other")
        bad = Limits(root=f"{planner.put(content)}/{len(content)}")
        await speaking.order(Verb.CREATE, 1, other, limits=bad)
        await until(lambda: "failed" in speaking.states(other), "the other's failure")
    reasons = [event.pairs.get("reason", "") for event in speaking.events("deployment-status")]
    assert any("offers no root file system debian99" in reason for reason in reasons)
    assert any("the root file system cannot be read" in reason for reason in reasons)
    assert not [path for path in (config.data / "roots" / "trees").iterdir() if path.name != "tars"]


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for key, value in more.items():
        setattr(made, key, value)
    return made


def tar(path: Path, *entries: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        for one in entries:
            archive.addfile(one, io.BytesIO(b"x" * one.size))
    return path


@pytest.mark.parametrize(
    "entries",
    [
        [entry("/etc/passwd", size=1)],
        [entry("../x", size=1)],
        [entry("a/../../x", size=1)],
        [entry("etc", tarfile.SYMTYPE, linkname="/tmp"), entry("etc/x", size=1)],
        [entry("l", tarfile.SYMTYPE, linkname="/etc/shadow"), entry("h", tarfile.LNKTYPE, linkname="l")],
        [entry("h", tarfile.LNKTYPE, linkname="../../etc/shadow")],
        [entry("h", tarfile.LNKTYPE, linkname="etc/shadow")],
        [entry("disk", tarfile.BLKTYPE, devmajor=8)],
        [entry("pipe", tarfile.FIFOTYPE)],
        [],
    ],
)
def test_a_tar_that_leads_out_is_refused_whole(tmp_path: Path, entries: list[tarfile.TarInfo]) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(Invalid):
        unpack(tar(tmp_path / "bad.tar", *entries), tmp_path / "in" / "tree")
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"in", "bad.tar"}] == []


def test_what_lends_rights_is_taken_away_and_devices_of_dev_are_left_out(tmp_path: Path) -> None:
    made = tar(
        tmp_path / "good.tar",
        entry("./", tarfile.DIRTYPE, mode=0o700),
        entry("./bin/su", size=3, mode=0o6755),
        entry("dev/sda", tarfile.BLKTYPE, devmajor=8),
        entry("etc/alternatives/vi", tarfile.SYMTYPE, linkname="/usr/bin/vim"),
        entry("lib", tarfile.SYMTYPE, linkname="usr/lib"),
        entry("usr/lib/x", size=1, uid=0, mode=0o644),
        entry("usr/lib/y", tarfile.LNKTYPE, linkname="usr/lib/x"),
    )
    unpack(made, tmp_path / "tree")
    assert (tmp_path / "tree").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "tree/bin/su").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "tree/etc/alternatives/vi").readlink() == Path("/usr/bin/vim")
    assert (tmp_path / "tree/usr/lib/y").read_text() == "x"
    assert not (tmp_path / "tree/dev").exists()


def test_ten_thousand_files_are_well_and_a_bomb_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(
        tar(tmp_path / "many.tar", *(entry(f"d{n % 100}/f{n}") for n in range(10_000))), tmp_path / "many"
    )
    assert sum(1 for path in (tmp_path / "many").rglob("f*")) == 10_000
    with pytest.raises(Invalid, match="more than"):
        unpack(_bomb(tmp_path / "bomb.tar", 9 << 30), tmp_path / "bomb")
    monkeypatch.setattr(trees, "SPARE_BYTES", 1 << 60)
    with pytest.raises(Full):
        unpack(tar(tmp_path / "one.tar", entry("x", size=1)), tmp_path / "one")
    packed = gzip_of(tar(tmp_path / "torn.tar", entry("x", size=100_000)))
    (tmp_path / "torn.tar").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DsmtError):
        unpack(tmp_path / "torn.tar", tmp_path / "torn")


def _bomb(path: Path, size: int) -> Path:
    path.write_bytes(entry("big", size=size).tobuf(tarfile.GNU_FORMAT))
    return path


def gzip_of(path: Path) -> bytes:
    return subprocess.run(["gzip", "-c", str(path)], check=True, capture_output=True, timeout=60).stdout


def test_where_no_overlay_can_be_mounted_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lacking(tmp_path / "here") == ""
    assert list((tmp_path / "here").iterdir()) == []
    assert "comma" in lacking(tmp_path / "a,b")
    with pytest.raises(Unavailable, match="comma"):
        mounted(tmp_path / "a:b", tmp_path, root=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "unshare" in lacking(tmp_path / "here")


PYTHON = Path("/usr/bin/python3")
SCRIPT = """
import json, sys
from pathlib import Path
from agents import local_socket
from agents.container_manager.roots.layered import LayeredDriver, keep
from agents.container_manager.roots.mounting import lacking
from agents.container_manager.slivers.driver import AgentCommand
from agents.container_manager.slivers.place import Place

base = Path(sys.argv[1])
assert lacking(base / "try") == "", lacking(base / "try")
driver = LayeredDriver(base / "python")
place = Place("s", "node1", base / "data" / "slivers" / "s")
driver.create(place)
keep(place, "bb", Path(sys.argv[2]))
init = driver.boot(place, AgentCommand())
script = "id -u; grep CapEff /proc/self/status; touch /app/x /opt/x /usr/local/x && echo ok"
request = {"op": "run", "argv": ["/bin/sh", "-c", script], "timeout": 10, "limit": 4096}
said = local_socket.ask(place.init_socket, request, timeout_s=20)["output"].split()
adopted = LayeredDriver(base / "python").adopt(place) == init
driver.destroy(place)
print(json.dumps([said, adopted, place.directory.exists()]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.skipif(not PYTHON.exists(), reason="needs a Python that everybody may run")
def test_an_ordinary_user_gets_an_overlay_in_a_user_name_space(tree: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="dsmt-test-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        for name in PACKAGES:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(package_directory(name), folder / name, ignore=ignored)
        shutil.copytree(tree, folder / "tree", symlinks=True)
        (folder / "tree").chmod(0o755)
        (folder / "work").mkdir()
        (folder / "work").chmod(0o777)
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(PYTHON), "-B"]
        done = subprocess.run(
            [*become, "-c", SCRIPT, str(folder / "work"), str(folder / "tree")],
            env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": "/"},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    if done.returncode and "not permitted" in done.stderr and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '[["65534", "CapEff:", "0000000000000000", "ok"], true, false]'
