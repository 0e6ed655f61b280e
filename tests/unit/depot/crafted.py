"""Tarballs and RPM files made by hand, member by member and tag by tag: also such as no tool would make."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Iterable

Entry = tuple[tarfile.TarInfo, bytes]
Values = list[str] | list[int] | bytes | str

LEAD = b"\xed\xab\xee\xdb\x03\x00\x00\x00\x00\x01" + b"pinger-1.8-1".ljust(66, b"\0") + b"\x00\x01\x00\x05"
LEAD = LEAD.ljust(96, b"\0")


def member(name: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, mode: int = 0o644) -> Entry:
    """One member; a name with a final slash is a directory."""
    info = tarfile.TarInfo(name.rstrip("/") or name)
    info.type = tarfile.DIRTYPE if name.endswith("/") and kind == tarfile.REGTYPE else kind
    info.mode = 0o755 if info.type == tarfile.DIRTYPE else mode
    info.mtime = 1_700_000_000
    info.size = len(content)
    return info, content


def link(name: str, target: str, *, kind: bytes = tarfile.SYMTYPE) -> Entry:
    """A symbolic link, or a hard one."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mtime = kind, target, 1_700_000_000
    return info, b""


def plain_tar(entries: Iterable[Entry]) -> bytes:
    """An uncompressed tarball."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def pinger(*more: Entry) -> list[Entry]:
    """A small legal application."""
    start = member("pinger-1.8/start.sh", b"#!/bin/sh\n", mode=0o755)
    return [member("pinger-1.8/"), start, member("pinger-1.8/README", b"read me"), *more]


def header(tags: dict[int, Values]) -> bytes:
    """A header of an RPM file; the type of a value decides the type of the tag."""
    index, store = b"", b""
    for tag, value in sorted(tags.items()):
        kind, count, data = _encoded(value)
        if kind == 4:
            store += b"\0" * (-len(store) % 4)
        index += struct.pack(">IIII", tag, kind, len(store), count)
        store += data
    return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", len(tags), len(store)) + index + store


def _encoded(value: Values) -> tuple[int, int, bytes]:
    if isinstance(value, str):
        return 6, 1, value.encode() + b"\0"
    if isinstance(value, bytes):
        return 7, len(value), value
    numbers = [one for one in value if isinstance(one, int)]
    if numbers:
        return 4, len(numbers), struct.pack(f">{len(numbers)}I", *numbers)
    return 8, len(value), b"".join(f"{one}\0".encode() for one in value)


BASIC: dict[int, Values] = {
    1000: "pinger",
    1001: "1.8",
    1002: "1",
    1022: "noarch",
    1047: ["pinger"],
    1112: [8],
    1113: ["1.8-1"],
    1048: [8, 16_777_226, 16_384],
    1049: ["libping", "rpmlib(FileDigests)", "/bin/sh"],
    1050: ["2:1.0-1", "4.6.0-1", ""],
    1116: [0, 0],
    1117: ["pinger", "start.sh"],
    1118: ["/usr/local/pinger/"],
}
PAYLOAD = gzip.compress(b"cpio", mtime=0)


def rpm_bytes(
    changed: dict[int, Values] | None = None, *, payload: bytes = PAYLOAD, old: bool = False
) -> bytes:
    """An RPM file with right digests; ``old``: MD5 only, as rpm before 4.14 wrote it."""
    tags = {**BASIC, **(changed or {})}
    if not old:
        tags = {5092: [hashlib.sha256(payload).hexdigest()], 5093: [8], **tags}
    main = header(tags)
    size = len(main) + len(payload)
    signature: dict[int, Values] = {1000: [size]}
    if old:
        signature[1004] = hashlib.md5(main + payload, usedforsecurity=False).digest()
    else:
        signature[273] = hashlib.sha256(main).hexdigest()
    signed = header(signature)
    return LEAD + signed + b"\0" * (-len(signed) % 8) + main + payload
