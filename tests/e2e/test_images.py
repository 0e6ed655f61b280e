"""Applications that are images, through all layers: command, planner, depot, node, podman, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsmt_core.errors import Conflict
from dsmt_core.image_archives import read_archive
from dsmt_core.images import ImageName
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage
from tests.integration.node import engine

SAYS = 'ENTRYPOINT ["/bin/sh", "-c", "echo $GREETING from $(pwd); exec sleep 100000"]'
FAILS = 'ENTRYPOINT ["/bin/sh", "-c", "echo no luck; exit 3"]'


def image(number: int) -> ImageName:
    return ImageName("web", str(number), f"localhost/dsmt-test-web:{number}")


async def put(stage: Stage, named: ImageName) -> None:
    file = stage.home / named.filename
    file.write_text(named.text)
    await stage.ask(lambda client: client.put_package("s1", file))


def log(stage: Stage) -> Path:
    return stage.home / stage.hosts[0] / "slivers" / "s1" / "root" / "var" / "log" / "web.log"


def memory(stage: Stage) -> Path:
    return stage.home / stage.hosts[0] / "slivers" / "s1" / "root" / "app" / ".dsmt" / "applications.json"


async def test_an_image_is_deployed_updated_given_up_and_removed(stages: Stages) -> None:
    with engine.running() as made:
        for number, command in ((1, SAYS), (2, SAYS), (3, FAILS)):
            made.make(image(number).reference, command, f"ENV GREETING=v{number}", "WORKDIR /bin")
        async with stages(hosts=1).by_podman(made.socket) as stage:
            await stage.ask(lambda client: client.create("s1"))
            await put(stage, image(1))
            with pytest.raises(Conflict, match="web is an image"):
                await stage.put("s1", App("other"))
            await stage.ask(lambda client: client.set_plan("s1", "all_nodes", {}))
            await stage.states("web", "running")
            await stage.eventually(lambda: log(stage).read_text().endswith(" v1 from /bin\n"))
            await update(stage, 2)
            await stage.eventually(lambda: log(stage).read_text().endswith(" v2 from /bin\n"))
            # What has proved well is gone back to.
            await stage.eventually(lambda: '"mature": true' in memory(stage).read_text())
            await update(stage, 3)
            await stage.eventually(lambda: "no luck" in log(stage).read_text())
            await stage.eventually(lambda: log(stage).read_text().endswith(" v2 from /bin\n"))
            await stage.ask(lambda client: client.act("s1", "web", "uninstall"))
            kept = stage.home / stage.hosts[0] / "slivers" / "s1" / "image.json"
            await stage.eventually(lambda: not kept.exists())
            await stage.put("s1", App("other"))
            await stage.states("other", "running")


async def update(stage: Stage, number: int) -> None:
    await put(stage, image(number))
    await stage.ask(lambda client: client.act("s1", "web", "update"))


async def test_an_image_comes_out_of_an_archive_without_a_registry(stages: Stages) -> None:
    with engine.running() as made:
        made.make(image(1).reference, SAYS, "ENV GREETING=v1", "WORKDIR /bin")
        async with stages(hosts=1).by_podman(made.socket) as stage:
            archive = stage.home / "saved.tar"
            made.run("save", "--output", str(archive), image(1).reference)
            made.run("rmi", image(1).reference)
            with archive.open("rb") as file:
                found = read_archive(file, archive.stat().st_size)
            assert found is not None
            await stage.ask(lambda client: client.create("s1"))
            await put(stage, ImageName("web", "1", found.reference))
            await stage.ask(lambda client: client.set_plan("s1", "all_nodes", {}))
            kept = await stage.ask(lambda client: client.put_package("s1", archive))
            assert kept["kind"] == "archive"
            await stage.states("web", "running")
            await stage.eventually(lambda: log(stage).read_text().endswith(" v1 from /bin\n"))
            with pytest.raises(Conflict, match="in use"):
                await stage.ask(lambda client: client.remove_package("s1", "saved.tar"))
