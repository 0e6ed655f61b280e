"""An RPM file: what it says about itself, believed only when its digests agree.

Rule of this file: rpm's own digests decide whether a file is whole: SHA-256 (or SHA-1) over the header
and the payload's SHA-256 (or MD5 over both, as rpm before 4.14 wrote it). A file without them is
refused. A signature is another matter: the digests say that a file is whole, not whose it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from depot.header import Header, read_header
from dsmt_core.errors import Invalid

MAGIC: Final = b"\xed\xab\xee\xdb"
_LEAD_BYTES: Final = 96
_SOURCE_LEAD: Final = 1
_CHUNK: Final = 1 << 20
# A header holds each directory's name once: a small one could stand for paths of gigabytes.
_PATHS_BYTES: Final = 64 << 20

# Tags of the signature header.
_HEADER_SHA1, _HEADER_SHA256, _BOTH_MD5 = 269, 273, 1004
_SIGNATURES: Final = (267, 268, 1002, 1005, 278)
_BOTH_SIZE, _BOTH_LONG_SIZE = 1000, 270
# Tags of the header.
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_OLD_FILES, _DIRECTORY_INDEXES, _BASE_NAMES, _DIRECTORIES = 1027, 1116, 1117, 1118
_SOURCE = 1106
_PAYLOAD_DIGEST, _PAYLOAD_ALGORITHM = 5092, 5093
_REQUIRES: Final = (1049, 1048, 1050)
_PROVIDES: Final = (1047, 1112, 1113)

_ALGORITHMS: Final = {8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_LESS, _GREATER, _EQUAL, _RPMLIB = 2, 4, 8, 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RpmFile:
    """What an RPM file says about itself.

    Attributes:
        requires: capabilities as ``pinger = 1.8-1``, without those of rpm itself (``rpmlib(…)``).
        provides: the same.
        files: the paths of its files and directories.
        is_signed: it carries a signature; of whom, and whether it is true, only rpm can say.
    """

    name: str
    epoch: int
    version: str
    release: str
    arch: str
    requires: tuple[str, ...]
    provides: tuple[str, ...]
    files: frozenset[str]
    is_signed: bool = False


def read_rpm(file: BinaryIO) -> RpmFile:
    """Read an RPM file from its beginning to its end.

    Raises:
        Invalid: it is not one, is cut off or damaged, or is a source package.
    """
    lead = file.read(_LEAD_BYTES)
    if not lead.startswith(MAGIC) or len(lead) < _LEAD_BYTES:
        raise Invalid("it is not an RPM package, or cut off")
    signature = read_header(file)
    file.read(-len(signature.raw) % 8)
    header = read_header(file)
    if lead[7] == _SOURCE_LEAD or header.number(_SOURCE) is not None:
        raise Invalid("it is a source package", hint="build it: rpmbuild --rebuild FILE")
    _check_header(signature, header)
    _check_payload(file, signature, header)
    return replace(_described(header), is_signed=any(signature.blob(tag) for tag in _SIGNATURES))


def _check_header(signature: Header, header: Header) -> None:
    for tag, algorithm in ((_HEADER_SHA256, "sha256"), (_HEADER_SHA1, "sha1")):
        if expected := signature.text(tag):
            found = hashlib.new(algorithm, header.raw, usedforsecurity=False).hexdigest()
            if found != expected:
                raise _altered("header")
            return
    if not signature.blob(_BOTH_MD5):
        raise _undigested()


def _check_payload(file: BinaryIO, signature: Header, header: Header) -> None:
    algorithm = _ALGORITHMS.get(header.number(_PAYLOAD_ALGORITHM) or 0, "")
    expected = header.text(_PAYLOAD_DIGEST) if algorithm else ""
    # Without a digest of the payload alone it is MD5 over header and payload, which old packages have.
    old = signature.blob(_BOTH_MD5).hex()
    if not expected and not old:
        raise _undigested()
    digest = hashlib.new(algorithm if expected else "md5", usedforsecurity=False)
    if not expected:
        digest.update(header.raw)
    size = len(header.raw)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    recorded = signature.number(_BOTH_LONG_SIZE) or signature.number(_BOTH_SIZE)
    if recorded is not None and recorded != size:
        raise Invalid(
            f"it has {size:,} bytes after its signature instead of {recorded:,}: cut off or damaged",
            hint="copy it again; rpm -K FILE says more",
        )
    if digest.hexdigest() != (expected or old):
        raise _altered("content")


def _described(header: Header) -> RpmFile:
    name, version, release, arch = map(header.text, (_NAME, _VERSION, _RELEASE, _ARCH))
    if not (name and version and release and arch):
        raise Invalid("it is damaged: its name, version, release or architecture is missing")
    return RpmFile(
        name=name,
        epoch=header.number(_EPOCH) or 0,
        version=version,
        release=release,
        arch=arch,
        requires=_capabilities(header, _REQUIRES),
        provides=_capabilities(header, _PROVIDES),
        files=_files(header),
    )


def _capabilities(header: Header, tags: tuple[int, int, int]) -> tuple[str, ...]:
    names, flags, versions = header.texts(tags[0]), header.numbers(tags[1]), header.texts(tags[2])
    if not len(names) == len(flags) == len(versions):
        raise Invalid("it is damaged: its dependencies have not as many names as versions")
    found = (
        _capability(name, flag, version)
        for name, flag, version in zip(names, flags, versions, strict=True)
        if not flag & _RPMLIB and not name.startswith("rpmlib(")
    )
    return tuple(dict.fromkeys(found))


def _capability(name: str, flag: int, version: str) -> str:
    signs = ((_LESS, "<"), (_GREATER, ">"), (_EQUAL, "="))
    relation = "".join(sign for bit, sign in signs if flag & bit)
    return f"{name} {relation} {version}" if relation and version else name


def _files(header: Header) -> frozenset[str]:
    names, indexes = header.texts(_BASE_NAMES), header.numbers(_DIRECTORY_INDEXES)
    directories = header.texts(_DIRECTORIES)
    if len(names) != len(indexes) or any(index >= len(directories) for index in indexes):
        raise Invalid("it is damaged: its list of files does not fit together")
    pairs = list(zip(indexes, names, strict=True))
    if sum(len(directories[index]) + len(name) for index, name in pairs) > _PATHS_BYTES:
        raise Invalid("the paths of its files are too long")
    whole = (directories[index] + name for index, name in pairs)
    return frozenset([*whole, *header.texts(_OLD_FILES)])


def _altered(what: str) -> Invalid:
    return Invalid(
        f"it was altered or damaged: its {what} does not have the digest that it states",
        hint="copy or build it again; rpm -K FILE says more",
    )


def _undigested() -> Invalid:
    return Invalid(
        "it carries no digest of its content, so nobody can tell whether it is whole",
        hint="build it with rpm 4.14 or newer",
    )
