"""Packages that do harm: scriptlets that stay, kill and fail; many files; a sliver that goes away."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from agents.deployment_agent.decide import Periods
from dsmt_core.commands import Verb
from tests.integration.agent.sliver_world import APP, Package, World, order, package

WALK = ["requested", "instantiated", "initialized", "running"]
SPEC = """
Name: demo
Version: {version}
Release: 1
Summary: made for a test
License: none
BuildArch: noarch
%description
made for a test
%install
mkdir -p %{{buildroot}}/opt/dsmt/demo
printf '#!/bin/sh\\nsleep 1000 &\\n' > %{{buildroot}}/opt/dsmt/demo/start
printf '#!/bin/sh\\necho "$DSMT_VERSION"\\n' > %{{buildroot}}/opt/dsmt/demo/status
%SCRIPTLET
{text}
%files
%attr(755,root,root) /opt/dsmt/demo/*
"""
pytestmark = pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="rpmbuild is missing")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Periods(proof_s=1.0)
    monkeypatch.setattr("agents.deployment_agent.service.Periods", lambda: whole)


def rpm_with(directory: Path, version: str, scriptlet: str = "post", text: str = ":") -> Package:
    top = directory / version
    top.mkdir()
    spec = top / "demo.spec"
    spec.write_text(SPEC.format(version=version, text=text).replace("SCRIPTLET", scriptlet))
    argv = [
        "rpmbuild",
        "-bb",
        "--quiet",
        "--define",
        f"_topdir {top}",
        "--define",
        f"_rpmdir {top}",
        str(spec),
    ]
    subprocess.run(argv, check=True, capture_output=True)
    return package(next(top.rglob("*.rpm")))


async def _ordered(world: World, generation: int, version: str, made: Package) -> None:
    world.node.add(made)
    await world.order(order(Verb.UPDATE, generation, (made,), version=version))


async def _proved(world: World, directory: Path) -> None:
    await world.start_agent()
    await _ordered(world, 1, "1.0-1", rpm_with(directory, "1.0"))
    await world.until(lambda _: world.last("status").get("text") == "1.0-1")
    heard = len(world.events)
    await world.until(lambda events: sum(e.field == "status" for e in events[heard:]) > 2)


async def test_what_a_scriptlet_leaves_running_is_not_the_application(world: World, tmp_path: Path) -> None:
    await world.start_agent()
    made = rpm_with(tmp_path, "1.0", "post", "(setsid sleep 999 >/dev/null 2>&1 &)\nexit 0")
    await _ordered(world, 1, "1.0-1", made)
    await world.until(lambda _: world.last("status").get("text") == "1.0-1")
    assert len((await world.sliver.processes(APP)).pids) == 1


@pytest.mark.parametrize("scriptlet", ["kill -9 $PPID", "kill -9 -1", "exit 1"])
async def test_a_scriptlet_that_ends_the_installation_brings_the_version_before(
    world: World, tmp_path: Path, scriptlet: str
) -> None:
    await _proved(world, tmp_path)
    await _ordered(world, 2, "2.0-1", rpm_with(tmp_path, "2.0", "pre", scriptlet))
    await world.until(lambda _: world.last("status").get("gave-up", "").startswith("2.0-1 "))
    await world.until(lambda _: world.last("status").get("text") == "1.0-1")
    assert len((await world.sliver.processes(APP)).pids) == 1


async def test_ten_thousand_files_with_any_names_are_unpacked_beside_and_removed(
    world: World, tmp_path: Path
) -> None:
    await _proved(world, tmp_path)
    path = tmp_path / "many.tar"
    with tarfile.open(path, "w") as archive:
        scripts = {"start.sh": b"#!/bin/sh\nsleep 1000 &\n", "status.sh": b"#!/bin/sh\necho many\n"}
        names = [f"a directory/{number} ü\n.txt" for number in range(10_000)]
        for name, content in {**scripts, **dict.fromkeys(names, b"x")}.items():
            info = tarfile.TarInfo(f"demo-3.0/{name}")
            info.size, info.mode = len(content), 0o6755
            archive.addfile(info, io.BytesIO(content))
    await _ordered(world, 2, "3.0", package(path))
    await world.until(lambda _: world.last("status").get("text") == "many")
    directory = world.place.root / "app" / "demo" / "3.0"
    files = list((directory / "a directory").iterdir())
    assert len(files) == 10_000
    assert not files[0].stat().st_mode & 0o6000
    await world.order(order(Verb.UNINSTALL, 3))
    await world.until(lambda _: f"application.{APP}" not in world.last("holdings"))
    assert not directory.parent.exists()


async def test_a_sliver_that_ends_while_something_is_installed_leaves_an_agent_that_goes_on(
    world: World, tmp_path: Path
) -> None:
    await world.start_agent()
    await _ordered(world, 1, "1.0-1", rpm_with(tmp_path, "1.0", "post", "sleep 30"))
    await world.until(lambda _: "instantiated" in world.states())
    await asyncio.to_thread(world.driver.end, world.place, grace_s=0.0)
    await world.until(lambda _: "failed" in world.states())
    assert world.agent is not None
    assert not world.agent.done()
