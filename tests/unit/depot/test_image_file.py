"""Archives of images in the depot: known by their content, checked to the last layer, or refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from depot import image_file
from depot.reading import inspect
from dsmt_core import image_archives
from dsmt_core.errors import Invalid
from dsmt_core.image_archives import nameless, read_archive
from dsmt_core.images import ImageName

WriteFile = Callable[[bytes], Path]
Files = dict[str, bytes]
NAME = "docker.io/library/httpd:2.4-alpine"
INDEX = "application/vnd.oci.image.index.v1+json"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return made.getvalue()


LAYERS = (tar({"bin/sh": b"#!"}), tar({"etc/motd": b"hello " * 1000}))


def config(**more: Any) -> bytes:
    layers = {"type": "layers", "diff_ids": [f"sha256:{sha(one)}" for one in LAYERS]}
    return json.dumps({"architecture": "amd64", "os": "linux", "rootfs": layers, **more}).encode()


def docker(**more: Any) -> Files:
    manifest = {"Config": "c.json", "RepoTags": [NAME], "Layers": ["0.tar", "b/layer.tar"], **more}
    return {
        "0.tar": LAYERS[0],
        "b/layer.tar": LAYERS[1],
        "c.json": config(),
        "manifest.json": json.dumps([manifest]).encode(),
        "repositories": b"{}",
    }


def oci(*, nested: bool = False) -> Files:
    packed = [gzip.compress(one) for one in LAYERS]
    manifest = json.dumps(
        {
            "config": {"digest": f"sha256:{sha(config())}"},
            "layers": [{"digest": f"sha256:{sha(one)}"} for one in packed],
        }
    ).encode()
    notes = {"org.opencontainers.image.ref.name": NAME}
    named = {"digest": f"sha256:{sha(manifest)}", "annotations": notes}
    blobs = [config(), manifest, *packed]
    if nested:
        said = {"digest": f"sha256:{sha(b'{}')}", "platform": {"os": "unknown"}}
        inner = json.dumps({"manifests": [named, said]}).encode()
        blobs.append(inner)
        named = {"digest": f"sha256:{sha(inner)}", "mediaType": INDEX}
    index = json.dumps({"manifests": [named]}).encode()
    return {
        **{f"blobs/sha256/{sha(one)}": one for one in blobs},
        "index.json": index,
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
    }


@pytest.mark.parametrize("files", [docker(), oci(), oci(nested=True)], ids=["docker", "oci", "nested"])
def test_it_says_which_image_it_has(file_of: WriteFile, files: Files) -> None:
    said = inspect(file_of(tar(files)))
    assert (said.kind, said.name, said.version) == ("archive", "httpd", "2.4_alpine")
    assert (said.arch, said.application) == ("x86_64", "")
    assert said.provides == (f"sha256:{sha(config())}", NAME)


def test_what_names_the_image_requires_it(file_of: WriteFile) -> None:
    reference = f"sha256:{sha(config())}"
    assert inspect(file_of(ImageName("web", "1", reference).text.encode())).requires == (reference,)
    assert inspect(file_of(ImageName("web", "1", NAME).text.encode())).requires == ()


@pytest.mark.parametrize("names", [None, [], ["<none>:<none>"], [7], ["x y"]])
def test_without_a_name_it_is_told_by_its_id(file_of: WriteFile, names: object) -> None:
    said = inspect(file_of(tar(docker(RepoTags=names))))
    assert (said.name, said.version) == ("image", sha(config())[:12])
    assert len(said.provides) == 1


def test_a_layer_may_be_a_link_in_the_archive_and_no_other(file_of: WriteFile) -> None:
    files = docker(Layers=["0.tar", "l/layer.tar"])
    assert inspect(file_of(tar(files, {"l/layer.tar": "../b/layer.tar"}))).kind == "archive"
    for target in ("/etc/shadow", "../../b/layer.tar", "../l/layer.tar", "../x"):
        with pytest.raises(Invalid, match="lacks a layer"):
            inspect(file_of(tar(files, {"l/layer.tar": target})))


def without(name: str) -> Files:
    return {key: content for key, content in docker().items() if key != name}


def of(**more: Any) -> Files:
    return {**docker(), "c.json": config(**more)}


BAD: list[tuple[Files, str]] = [
    (without("manifest.json"), "no manifest"),
    (without("c.json"), "lacks a part"),
    (without("0.tar"), "lacks a layer"),
    ({**docker(), "manifest.json": b"[{"}, "manifest of the image is damaged"),
    ({**docker(), "manifest.json": b"[" * 100_000}, "manifest of the image is damaged"),
    ({**docker(), "manifest.json": b'[{"Config": 1}]'}, "manifest of the image is damaged"),
    ({**docker(), "manifest.json": b"[{}, {}]"}, "holds 2 images"),
    ({**docker(), "manifest.json": b" " * (2 << 20)}, "too large"),
    (docker(Layers=["0.tar"]), "does not fit"),
    (docker(Layers=["b/layer.tar", "0.tar"]), "layer 1 of the image is not what"),
    ({**docker(), "0.tar": b"no tar"}, "layer 1 of the image"),
    ({**docker(), "0.tar": gzip.compress(LAYERS[0])[:-9]}, "layer 1 of the image is damaged"),
    ({**docker(), "/etc/passwd": b"x"}, "lies outside"),
    ({**docker(), "a/../../x": b"x"}, "lies outside"),
    (of(os="windows"), "nodes are Linux"),
    (of(architecture="../x"), "nodes are Linux"),
    (of(rootfs={"diff_ids": []}), "does not fit"),
    (of(rootfs={"diff_ids": ["md5:1", "md5:2"]}), "does not fit"),
    ({**oci(), f"blobs/sha256/{sha(config())}": config(os="linux", x=1)}, "content is not what it says"),
    ({**oci(), "index.json": b'{"manifests": [{"digest": "sha256:../../x"}]}'}, "not a SHA-256"),
    ({**oci(), "index.json": b'{"manifests": []}'}, "holds 0 images"),
]


@pytest.mark.parametrize(("files", "why"), BAD, ids=[why + str(at) for at, (_, why) in enumerate(BAD)])
def test_what_no_node_could_use_is_refused_with_the_reason(
    file_of: WriteFile, files: Files, why: str
) -> None:
    with pytest.raises(Invalid, match=why):
        inspect(file_of(tar(files)))


def test_a_torn_one_is_refused_wherever_it_is_torn(file_of: WriteFile) -> None:
    files = docker()
    # As docker writes it, the manifest is first or last.
    for order in (list(files), [*list(files)[::-1]]):
        whole = tar({name: files[name] for name in order})
        for size in range(600, len(whole) - 12_000, 1800):
            with pytest.raises(Invalid):
                inspect(file_of(whole[:size]))


def test_compressed_it_is_known_and_refused(file_of: WriteFile) -> None:
    with pytest.raises(Invalid, match="compressed") as refused:
        inspect(file_of(gzip.compress(tar(docker()))))
    assert "gunzip" in refused.value.hint


def test_what_unpacks_to_too_much_is_refused(file_of: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(tar({"zeros": bytes(70 << 20)}))
    with pytest.raises(Invalid, match="unpacks to more than"):
        inspect(file_of(tar({**docker(), "0.tar": bomb})))
    monkeypatch.setattr(image_file, "UNPACKED_BYTES", len(LAYERS[0]))
    with pytest.raises(Invalid, match="unpacks to more than"):
        inspect(file_of(tar(docker())))


def test_more_members_and_layers_than_an_image_has_are_refused(
    file_of: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_archives, "LAYERS", 1)
    with pytest.raises(Invalid, match="2 layers"):
        inspect(file_of(tar(docker())))
    monkeypatch.setattr(image_archives, "MEMBERS", 5)
    many = tar({**docker(), **{f"x{number}": b"" for number in range(5)}})
    with pytest.raises(Invalid, match="more than 5 members"):
        inspect(file_of(many))


def test_a_root_file_system_with_such_a_file_is_one_all_the_same(file_of: WriteFile) -> None:
    assert inspect(file_of(tar({"bin/sh": b"#!", "manifest.json": b"[]"}))).kind == "rootfs"


@pytest.mark.parametrize("files", [docker(), oci()], ids=["docker", "oci"])
def test_what_is_written_anew_is_the_image_and_has_no_name(files: Files) -> None:
    whole = tar(files, {"link": "/etc/shadow"})
    found = read_archive(io.BytesIO(whole), len(whole))
    assert found is not None
    pieces, size = nameless(io.BytesIO(whole), found)
    anew = b"".join(pieces)
    assert len(anew) == size
    assert NAME.encode() not in anew
    with tarfile.open(fileobj=io.BytesIO(anew)) as archive:
        assert all(member.isreg() for member in archive)
        assert len(archive.getnames()) == 4
    again = read_archive(io.BytesIO(anew), size)
    assert again is not None
    assert (again.id, again.names, again.diff_ids) == (found.id, (), found.diff_ids)


def test_a_layer_that_is_there_twice_is_written_once() -> None:
    layers = {"diff_ids": [f"sha256:{sha(LAYERS[0])}"] * 2}
    whole = tar({**docker(Layers=["0.tar", "0.tar"]), "c.json": config(rootfs=layers)})
    found = read_archive(io.BytesIO(whole), len(whole))
    assert found is not None
    anew = b"".join(nameless(io.BytesIO(whole), found)[0])
    with tarfile.open(fileobj=io.BytesIO(anew)) as archive:
        assert len(archive.getnames()) == 3
