"""The archive of an image, as ``podman save`` and ``docker save`` write it: what in it is the image.

Rule of this file: an archive is never handed on as it is. Taken of it are the configuration and the layers
alone, where its manifest says that they are; `nameless` writes these anew. So the names in it, its links
and whatever else lies there reach nobody, and what is loaded can only be known by its id: the SHA-256 of
the configuration, which names the SHA-256 of each layer.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Final, NamedTuple, cast

from dsmt_core.errors import Invalid
from dsmt_core.images import version_of

KIND: Final = "archive"
ID_PREFIX: Final = "sha256:"
MEMBERS: Final = 10_000
LAYERS: Final = 127
"""As many as an overlay of the kernel is made of."""
TEXT_BYTES: Final = 1 << 20
"""Of a manifest or a configuration, and of one read of the tar."""
_CHUNK: Final = 1 << 18
_BLOCK: Final = 512
_NAMES: Final = 8
_MARKS: Final = ("manifest.json", "oci-layout", "repositories")
_SHELLS: Final = ("bin/sh", "usr/bin/sh")
_DIGEST: Final = re.compile(r"sha256:(?P<hex>[0-9a-f]{64})\Z")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}\Z")
_WORD: Final = re.compile(r"[a-z0-9_]{1,32}\Z")
# As rpm calls them; others are called the same.
_MACHINES: Final = {"386": "i386", "amd64": "x86_64", "arm": "armv7hl", "arm64": "aarch64"}
_HINT: Final = "podman save --output FILE IMAGE, or docker save, writes one"


class Piece(NamedTuple):
    """Where the content of a member lies in the archive, in bytes."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class ImageArchive:
    """An image in an archive.

    Attributes:
        id: SHA-256 of the configuration, hex.
        names: by which it was known where it was saved; for people only.
        machine: for which machine it is, as rpm calls it.
        config: as it lies there.
        layers: the lowest first; each as it is, or compressed.
        diff_ids: SHA-256 of each layer, unpacked, hex.
    """

    id: str
    names: tuple[str, ...]
    machine: str
    config: bytes
    layers: tuple[Piece, ...]
    diff_ids: tuple[str, ...]

    @property
    def reference(self) -> str:
        """By which a container engine knows it."""
        return f"{ID_PREFIX}{self.id}"

    @property
    def title(self) -> tuple[str, str]:
        """A name and a version for lists: of its first name that tells them, else of its id."""
        for name in self.names:
            last = name.partition("@")[0].rpartition("/")[2].partition(":")[0]
            return last, version_of(name) or self.id[:12]
        return "image", self.id[:12]


def id_of(reference: str) -> str:
    """The id that a reference is; empty for one that is a name."""
    found = _DIGEST.match(reference)
    return found["hex"] if found else ""


def read_archive(file: BinaryIO, size: int) -> ImageArchive | None:
    """Find the image in an archive; its layers are not read.

    Args:
        file: seekable, not compressed.
        size: of it, in bytes.

    Returns:
        None when this is no such archive.

    Raises:
        Invalid: it is one that cannot be used; the sentence says why.
    """
    members = _Members(file, size)
    try:
        members.read()
    except (tarfile.TarError, UnicodeError, ValueError, OverflowError) as error:
        if not members.is_archive:
            return None
        raise Invalid("the archive of the image is damaged", hint=_HINT) from error
    if not members.is_archive:
        return None
    if members.outside:
        raise Invalid(f"its member {members.outside[:80]!r} lies outside of it", hint=_HINT)
    try:
        return _docker(members) if "manifest.json" in members.pieces else _oci(members)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        raise Invalid("the manifest of the image is damaged", hint=_HINT) from error


def nameless(file: BinaryIO, archive: ImageArchive) -> tuple[Iterator[bytes], int]:
    """An archive of the same image and nothing else, in which it has no name; and its size in bytes."""
    config = f"{archive.id}.json"
    layers = dict(zip((f"{one}.tar" for one in archive.diff_ids), archive.layers, strict=True))
    manifest = [{"Config": config, "RepoTags": None, "Layers": [f"{one}.tar" for one in archive.diff_ids]}]
    texts = {config: archive.config, "manifest.json": json.dumps(manifest).encode()}
    sizes = [len(text) for text in texts.values()] + [piece.size for piece in layers.values()]
    whole = sum(_BLOCK + size + -size % _BLOCK for size in sizes) + 2 * _BLOCK

    def written() -> Iterator[bytes]:
        for name, text in texts.items():
            yield _header(name, len(text)) + text + bytes(-len(text) % _BLOCK)
        for name, piece in layers.items():
            yield _header(name, piece.size)
            yield from content(file, piece)
            yield bytes(-piece.size % _BLOCK)
        yield bytes(2 * _BLOCK)

    return written(), whole


def content(file: BinaryIO, piece: Piece) -> Iterator[bytes]:
    """What a member holds.

    Raises:
        Invalid: the archive has become shorter.
    """
    at, end = piece.offset, piece.offset + piece.size
    while at < end:
        file.seek(at)
        data = file.read(min(_CHUNK, end - at))
        if not data:
            raise Invalid("the archive of the image is cut off")
        at += len(data)
        yield data


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


class _Bounded:
    """A file of which nobody reads much at once: tarfile reads an extended header in one go."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell, self.seek = file.tell, file.seek

    def read(self, size: int) -> bytes:
        if not 0 <= size <= TEXT_BYTES:
            raise tarfile.HeaderError("a header that is too large")
        return self._file.read(size)


class _Members:
    """Where everything is in a tar; ``outside``: a member that is to lie elsewhere, if there is one."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.pieces: dict[str, Piece] = {}
        self.outside = ""
        self._links: dict[str, str] = {}
        self._file = file
        self._size = size
        self._shell = False

    @property
    def is_archive(self) -> bool:
        """Whether it has what only the archive of an image has; a root file system has a shell."""
        return not self._shell and any(mark in self.pieces for mark in _MARKS)

    def read(self) -> None:
        self._file.seek(0)
        bounded = cast("IO[bytes]", _Bounded(self._file))
        with tarfile.TarFile(mode="r", fileobj=bounded, errors="strict") as tar:
            for count, info in enumerate(tar):
                # Kept by tarfile, too: of a tar of anything else no more than this is looked at.
                if count >= MEMBERS:
                    if self.is_archive:
                        raise Invalid(f"the archive of the image has more than {MEMBERS:,} members")
                    return
                self._add(info)

    def text(self, name: str) -> bytes:
        """A small member.

        Raises:
            Invalid: it is not there, or not small.
        """
        piece = self.piece(name, "a part of it")
        if piece.size > TEXT_BYTES:
            raise Invalid(f"{name[:80]!r} in the archive of the image is too large")
        return b"".join(content(self._file, piece))

    def piece(self, name: str, what: str) -> Piece:
        """A member that is a file, or a link to one in the archive."""
        way = posixpath.normpath(posixpath.join(posixpath.dirname(name), self._links.get(name, name)))
        found = self.pieces.get(name) or (self.pieces.get(way) if name in self._links else None)
        if found is None:
            raise Invalid(f"the archive lacks {what} of the image: {name[:80]!r}", hint=_HINT)
        if found.offset + found.size > self._size:
            raise Invalid("the archive of the image is cut off", hint="copy or save it again")
        return found

    def _add(self, info: tarfile.TarInfo) -> None:
        name = info.name.removeprefix("./")
        if name.startswith("/") or ".." in name.split("/"):
            self.outside = self.outside or name
        elif info.isreg() and not info.issparse():
            self.pieces[name] = Piece(info.offset_data, info.size)
        elif info.issym():
            self._links[name] = info.linkname
        self._shell = self._shell or name in _SHELLS


def _docker(members: _Members) -> ImageArchive:
    images = json.loads(members.text("manifest.json"))
    if len(images) != 1:
        raise Invalid(f"the archive holds {len(images)} images", hint="save each in an archive of its own")
    (image,) = images
    names = image.get("RepoTags") or ()
    return _archive(members, members.text(image["Config"]), list(image["Layers"]), names)


def _oci(members: _Members) -> ImageArchive:
    if "index.json" not in members.pieces:
        raise Invalid("the archive of the image has no manifest", hint=_HINT)
    index = json.loads(members.text("index.json"))
    names: list[str] = []
    manifest: dict[str, Any] = {}
    # An index may name another one, which names the image for each kind of machine.
    for _ in range(3):
        named = [one for one in index["manifests"] if (one.get("platform") or {}).get("os") != "unknown"]
        if len(named) != 1:
            raise Invalid(
                f"the archive holds {len(named)} images", hint="save each in an archive of its own"
            )
        notes = named[0].get("annotations") or {}
        names += [text for key, text in notes.items() if key.endswith(("image.name", "image.ref.name"))]
        manifest = json.loads(_blob(members, named[0]["digest"]))
        if "manifests" not in manifest:
            break
        index = manifest
    layers = [_blob_name(layer["digest"]) for layer in manifest["layers"]]
    return _archive(members, _blob(members, manifest["config"]["digest"]), layers, names)


def _blob(members: _Members, digest: str) -> bytes:
    text = members.text(_blob_name(digest))
    if hashlib.sha256(text).hexdigest() != id_of(digest):
        raise Invalid("the archive of the image is damaged: its content is not what it says")
    return text


def _blob_name(digest: str) -> str:
    if not id_of(digest):
        raise Invalid(f"{digest[:80]!r} in the archive of the image is not a SHA-256")
    return f"blobs/sha256/{id_of(digest)}"


def _archive(members: _Members, config: bytes, layers: list[str], names: Any) -> ImageArchive:
    told = json.loads(config)
    diff_ids = tuple(id_of(one) for one in told["rootfs"]["diff_ids"])
    if not layers or len(layers) != len(diff_ids) or not all(diff_ids):
        raise Invalid("the manifest of the image does not fit its configuration", hint=_HINT)
    if len(layers) > LAYERS:
        raise Invalid(f"the image has {len(layers)} layers, and no more than {LAYERS} can be mounted")
    system, machine = str(told.get("os") or "linux"), str(told["architecture"])
    if system != "linux" or not _WORD.match(machine):
        raise Invalid(f"the image is for {system[:20]} {machine[:20]}, and nodes are Linux")
    return ImageArchive(
        id=hashlib.sha256(config).hexdigest(),
        names=tuple(name for name in names if isinstance(name, str) and _REFERENCE.match(name))[:_NAMES],
        machine=_MACHINES.get(machine, machine),
        config=config,
        layers=tuple(members.piece(layer, "a layer") for layer in layers),
        diff_ids=diff_ids,
    )
