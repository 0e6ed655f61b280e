"""Debian packages and wheels, really installed in a sliver."""

from __future__ import annotations

import asyncio
import io
import lzma
import shutil
import tarfile
from pathlib import Path

import pytest
import zstandard

from agents.deployment_agent.decide import Periods
from depot.reading import inspect
from dsmt_core.commands import Verb
from tests.integration.agent.made_formats import deb, wheel
from tests.integration.agent.sliver_world import APP, Package, World, order, package, tarball

WALK = ["requested", "instantiated", "initialized", "running"]
START = '#!/bin/sh\necho "$(demo-word)" > /app/started\nsleep 1000 &\n'
STATUS = "#!/bin/sh\ncat /app/started\n"
SCRIPTS = {"opt/dsmt/demo/start": START, "opt/dsmt/demo/status": STATUS}
WORD = {"usr/bin/demo-word": "#!/bin/sh\necho {}\n"}
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is missing")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Periods(proof_s=1.0)
    monkeypatch.setattr("agents.deployment_agent.service.Periods", lambda: whole)


def _word(word: str) -> dict[str, str]:
    return {path: text.format(word) for path, text in WORD.items()}


async def _ordered(world: World, generation: int, version: str, *paths: Path) -> tuple[Package, ...]:
    made = tuple(package(path) for path in paths)
    world.node.add(*made)
    await world.order(order(Verb.UPDATE, generation, made, version=version))
    return made


@needs_dpkg
async def test_a_debian_package_runs_and_its_maintainer_scripts_stay_in_the_sliver(
    world: World, tmp_path: Path
) -> None:
    scripts = {
        "preinst": '#!/bin/sh\necho "$0 $1" >> /app/told\n',
        "postinst": '#!/bin/sh\nset -e\ndemo-word\necho "$1 $DPKG_ROOT" >> /app/told\nsleep 999 &\n',
        "prerm": '#!/bin/sh\necho "gone $1" >> /app/told\n',
    }
    library = deb(
        tmp_path, "libword", "1:2.0-1", _word("hello"), links={"usr/bin/word": "/usr/bin/demo-word"}
    )
    program = deb(
        tmp_path, "demo", "1:1.0-1", SCRIPTS, scripts=scripts, control="Depends: libword (>= 1:1)\n"
    )
    assert inspect(program).requires == ("libword >= 1:1",)
    await world.start_agent()
    await _ordered(world, 1, "1:1.0-1", library, program)
    await world.until_states(*WALK)
    await world.until(lambda _: world.last("status").get("text") == "hello")
    app = world.place.root / "app"
    told = (app / "told").read_text().splitlines()
    assert told[0].endswith(" install")
    assert told[1:] == ["configure /app/demo/1_1.0-1"]
    assert (app / "demo" / "1_1.0-1" / "usr" / "bin" / "word").readlink() == Path("demo-word")
    # What a maintainer script left running is not taken for the application.
    assert len((await world.sliver.processes(APP)).pids) == 1
    newer = deb(tmp_path, "libword", "1:2.1-1", _word("newer"))
    second = deb(tmp_path, "demo", "1:1.1-1", SCRIPTS)
    await _ordered(world, 2, "1:1.1-1", newer, second)
    await world.until(lambda _: world.last("status").get("text") == "newer")
    async with asyncio.timeout(30):
        while (app / "demo" / "1_1.0-1").exists():  # noqa: ASYNC110 - it is files that are waited for
            await asyncio.sleep(0.05)
    assert (app / "told").read_text().splitlines()[-1] == "gone remove"


@needs_dpkg
async def test_a_maintainer_script_that_fails_brings_the_version_before(
    world: World, tmp_path: Path
) -> None:
    await world.start_agent()
    await _ordered(world, 1, "1.0", deb(tmp_path, "demo", "1.0", {**SCRIPTS, **_word("old")}))
    await world.until(lambda _: world.last("status").get("text") == "old")
    heard = len(world.events)
    await world.until(lambda events: sum(e.field == "status" for e in events[heard:]) > 2)
    bad = deb(tmp_path, "demo", "2.0", SCRIPTS, scripts={"postinst": "#!/bin/sh\necho no room\nexit 7\n"})
    await _ordered(world, 2, "2.0", bad)
    reason = "2.0 postinst of demo ended with exit code 7: no room"
    await world.until(lambda _: world.last("status").get("gave-up") == reason)
    await world.until(lambda _: world.last("status").get("text") == "old")


async def test_a_wheel_runs_in_an_environment_of_its_own(world: World, tmp_path: Path) -> None:
    words = wheel(tmp_path, "words", "2.0", {"words.py": "WORD = 'hello'\n"})
    text = (
        "import time, words\n\n\ndef main():\n"
        "    open('/app/started', 'w').write(words.WORD)\n    time.sleep(1000)\n"
    )
    demo = wheel(tmp_path, "demo", "1.0", {"demo.py": text}, requires=("words>=1",), console="demo:main")
    said = inspect(demo)
    assert (said.kind, said.application, said.requires) == ("wheel", "demo", ("words >= 1",))
    await world.start_agent()
    await _ordered(world, 1, "1.0", words, demo)
    await world.until_states(*WALK)
    started = world.place.root / "app" / "started"
    async with asyncio.timeout(30):
        while not started.exists() or started.read_text() != "hello":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await world.order(order(Verb.UNINSTALL, 2))
    await world.until_states(*WALK, "terminated")


async def test_a_wheel_without_what_it_needs_is_refused_by_name(world: World, tmp_path: Path) -> None:
    demo = wheel(tmp_path, "demo", "1.0", {"demo.py": ""}, requires=("words>=1",), console="demo:main")
    await world.start_agent()
    await _ordered(world, 1, "1.0", demo)
    await world.until(lambda _: "failed" in world.states())
    reason = next(event.pairs["reason"] for event in world.events if event.state == "failed")
    assert reason == "Could not find a version that satisfies the requirement words>=1 (from demo)"


@pytest.mark.parametrize("packed", ["xz", "zst"])
async def test_a_tar_archive_may_be_packed_by_each_tool(world: World, tmp_path: Path, packed: str) -> None:
    scripts = {"start": "sleep 1000 &", "status": "cat 'with a space é'"}
    whole = io.BytesIO()
    source = tarball(tmp_path / "demo.tgz", "1.0", scripts)
    with tarfile.open(source) as old, tarfile.open(fileobj=whole, mode="w") as new:
        for info in old:
            new.addfile(info, old.extractfile(info))
        told = tarfile.TarInfo("demo-1.0/with a space é")
        told.size = 5
        new.addfile(told, io.BytesIO(b"hello"))
    path = tmp_path / f"demo.{packed}"
    content = whole.getvalue()
    if packed == "xz":
        path.write_bytes(lzma.compress(content))
    else:
        path.write_bytes(zstandard.ZstdCompressor().compress(content))
    assert inspect(path).scripts == ("start", "status")
    await world.start_agent()
    await _ordered(world, 1, "1.0", path)
    await world.until(lambda _: world.last("status").get("text") == "hello")
