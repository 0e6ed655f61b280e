"""``dsmtc image --archive``: the archive goes into the depot, and beside it what names the image in it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

from dsmt_core.images import ImageName
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_slice

CONFIG = json.dumps(
    {"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [f"sha256:{'1' * 64}"]}}
).encode()


def archive(file: Path, *names: str) -> Path:
    manifest = json.dumps([{"Config": "c", "RepoTags": names, "Layers": ["l"]}]).encode()
    with tarfile.open(file, "w") as made:
        for name, content in {"c": CONFIG, "l": b"x", "manifest.json": manifest}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return file


def test_the_archive_and_what_names_its_image_are_put(dsmtc: Dsmtc, fake: Fake, tmp_path: Path) -> None:
    fake.slices["s"] = a_slice("s")
    file = archive(tmp_path / "site.tar", "docker.io/library/httpd:2.4")
    assert dsmtc("image", "--slice", "s", "site", "--archive", str(file)).code == 0
    reference = f"sha256:{hashlib.sha256(CONFIG).hexdigest()}"
    assert fake.packages["site.tar"] == file.read_bytes()
    assert fake.packages["site-2.4.image"].decode() == ImageName("site", "2.4", reference).text


def test_what_is_no_archive_or_tells_no_version_is_not_even_sent(
    dsmtc: Dsmtc, fake: Fake, tmp_path: Path
) -> None:
    fake.slices["s"] = a_slice("s")
    (tmp_path / "no.tar").write_bytes(b"no tar")
    nameless = archive(tmp_path / "site.tar")
    for words, why in (
        (["--archive", str(nameless)], "tells no version"),
        (["--archive", str(tmp_path / "no.tar")], "not the archive of an image"),
        (["--archive", str(tmp_path / "missing.tar")], "cannot be read"),
        (["localhost/web:1", "--archive", str(nameless)], "a name, or an archive"),
        ([], "a name, or an archive"),
    ):
        ended = dsmtc("image", "--slice", "s", "site", *words)
        assert ended.code != 0
        assert why in ended.err
    assert not fake.packages
    assert dsmtc("image", "--slice", "s", "site", "--archive", str(nameless), "--version", "1").code == 0
    assert set(fake.packages) == {"site.tar", "site-1.image"}
