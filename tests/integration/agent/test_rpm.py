"""An RPM in a real sliver, from the order to its end."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from depot.reading import inspect
from dsmt_core.commands import Verb
from dsmt_core.names import DEPLOYMENT_AGENT
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, Package, World, order, package

BOOTSTRAP = ("requested", "instantiated", "initialized", "installed", "running")
SPEC = """
Name: demo
Version: 1.0
Release: 1
Summary: made for a test
License: none
%description
made for a test
%install
mkdir -p %{buildroot}/opt/dsmt/demo
printf '#!/bin/sh\\nsleep 1000 &\\n' > %{buildroot}/opt/dsmt/demo/start
printf '#!/bin/sh\\ncat /opt/dsmt/demo/told\\n' > %{buildroot}/opt/dsmt/demo/status
%post
echo "made for %{_target_cpu}" > /opt/dsmt/demo/told
%files
%attr(755,root,root) /opt/dsmt/demo/*
"""
WALK = ("requested", "instantiated", "initialized", "running")


async def test_an_application_is_installed_runs_is_stopped_and_goes(world: World, packages: Made) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.until_states(*BOOTSTRAP, managed=DEPLOYMENT_AGENT)
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    assert (await world.sliver.processes(APP)).pids
    assert (world.place.root / "usr-local" / "demo" / "data").read_text() == "1.0"
    await world.until(lambda _: world.last("status").get("text") == "ok")
    assert world.last("status")["exit-code"] == "0"
    await world.order(order(Verb.STOP, 2, made))
    await world.until_states(*WALK, "terminated")
    assert not (await world.sliver.processes(APP)).pids
    await world.order(order(Verb.UNINSTALL, 3))
    await world.until(lambda _: f"application.{APP}" not in world.last("holdings"))
    assert not (world.place.root / "usr-local" / "demo").exists()
    assert not (world.place.root / "opt" / "dsmt" / APP).exists()
    assert world.states() == [*WALK, "terminated"]


def _made_for(arch: str, directory: Path) -> Package:
    spec = directory / "demo.spec"
    spec.write_text(SPEC)
    argv = ["rpmbuild", "-bb", "--quiet", "--target", arch, "--define", f"_topdir {directory}", str(spec)]
    subprocess.run(argv, check=True, capture_output=True)
    return package(next(directory.rglob("*.rpm")))


@pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="rpmbuild is missing")
@pytest.mark.parametrize("arch", ["i386", "x86_64", "noarch"])
async def test_a_package_for_each_kind_of_machine_runs_with_its_scriptlet(
    world: World, tmp_path: Path, arch: str
) -> None:
    made = _made_for(arch, tmp_path)
    assert inspect(made.path).arch == arch
    world.node.add(made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, (made,), version="1.0-1"))
    await world.until(lambda _: world.last("status").get("text") == f"made for {arch}")
    assert world.states() == [*WALK]
