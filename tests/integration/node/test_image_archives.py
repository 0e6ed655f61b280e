"""Archives of images on a node, by a real podman: had without a registry, known by their ids alone."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import state_file
from agents.container_manager.images.engine import Engine
from agents.container_manager.images.having import Images
from dsmt_core.errors import Full, Invalid, NotFound, Unavailable
from dsmt_core.images import ImageName
from tests.integration.node.engine import ImageEngine

VICTIM = "localhost/dsmt-victim:1"
MINE = "localhost/dsmt-archived:1"


class Saved:
    """An image that is in an archive and not in the engine, and the package that names it."""

    def __init__(self, engine: ImageEngine, folder: Path, form: str) -> None:
        self.calls = Engine(lambda: engine.socket)
        self.images = Images(folder / "podman", str(engine.socket))
        self.archive, self.package = folder / "archive", folder / "package"
        engine.make(MINE, 'CMD ["/bin/sleep", "1"]', files={"which": form})
        self.reference = f"sha256:{self.calls.image(MINE)['Id'].removeprefix('sha256:')}"
        # Somebody saves it by the name that another slice's image has elsewhere.
        engine.run("tag", MINE, VICTIM)
        engine.run("save", "--format", form, "--output", str(self.archive), VICTIM)
        self.calls.forget_image(MINE)
        self.calls.forget_image(self.reference)
        engine.make(VICTIM, files={"which": "the victim's"})
        self.victim = self.calls.image(VICTIM)["Id"]
        self.package.write_text(ImageName("web", "1", self.reference).text)


@pytest.fixture(params=["docker-archive", "oci-archive"])
def saved(request: pytest.FixtureRequest, engine: ImageEngine, tmp_path: Path) -> Iterator[Saved]:
    made = Saved(engine, tmp_path, request.param)
    yield made
    for name in (made.reference, VICTIM):
        made.calls.forget_image(name)


def test_it_is_loaded_without_its_name_and_pruned_as_others(saved: Saved, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        saved.calls.image(saved.reference)
    found = saved.images.have(saved.package, saved.archive)
    assert found["Config"]["Cmd"] == ["/bin/sleep", "1"]
    assert found["Id"].removeprefix("sha256:") == saved.reference.removeprefix("sha256:")
    assert not saved.calls.image(saved.reference)["RepoTags"]
    assert saved.calls.image(VICTIM)["Id"] == saved.victim
    assert list(state_file.load(tmp_path / "podman" / "pulled.json").value or {}) == [found["Id"]]
    # Again: it is here, and nothing is loaded.
    assert saved.images.have(saved.package, saved.archive) == found


def test_without_its_archive_nobody_has_it_even_where_it_is(saved: Saved, tmp_path: Path) -> None:
    saved.images.have(saved.package, saved.archive)
    with pytest.raises(Unavailable, match="did not come"):
        saved.images.have(saved.package)
    with pytest.raises(Unavailable, match="cannot be read"):
        saved.images.have(saved.package, tmp_path / "nothing")
    (tmp_path / "other").write_bytes(b"x" * 2000)
    with pytest.raises(Invalid, match="another image, or none"):
        saved.images.have(saved.package, tmp_path / "other")


def test_a_torn_one_is_refused_and_a_whole_one_is_had_after_it(saved: Saved, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    for cut in (1 << 10, 1 << 20):
        torn.write_bytes(saved.archive.read_bytes()[:cut])
        with pytest.raises(Invalid):
            saved.images.have(saved.package, torn)
    assert saved.images.have(saved.package, saved.archive)["Id"]


def test_another_machine_s_image_and_a_full_disk_are_told(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(saved.archive)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1))
    with pytest.raises(Full, match="no room"):
        saved.images.have(saved.package, saved.archive)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(Invalid, match="this node is riscv64"):
        saved.images.have(saved.package, saved.archive)


def test_other_layers_under_an_image_s_configuration_are_not_taken(
    engine: ImageEngine, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    saved = Saved(engine, tmp_path, "docker-archive")
    request.addfinalizer(lambda: saved.calls.forget_image(VICTIM))
    with tarfile.open(saved.archive) as archive:
        (manifest,) = json.loads(_content(archive, "manifest.json"))
        config = _content(archive, manifest["Config"])
    evil = io.BytesIO()
    with tarfile.open(fileobj=evil, mode="w") as layer:
        layer.addfile(tarfile.TarInfo("evil"))
    with tarfile.open(saved.archive, "w") as archive:
        files = {"manifest.json": json.dumps([manifest]).encode(), manifest["Config"]: config}
        for name, content in {**files, manifest["Layers"][0]: evil.getvalue()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert saved.reference == f"sha256:{hashlib.sha256(config).hexdigest()}"
    with pytest.raises(Unavailable, match="igest did not match"):
        saved.images.have(saved.package, saved.archive)
    with pytest.raises(NotFound):
        saved.calls.image(saved.reference)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    assert found is not None
    return found.read()
