"""Reading a wheel, Python's binary package: a zip archive with a directory NAME-VERSION.dist-info.

Rule of this file: nothing in it is run or imported; each file is read to its end, within bounds, so that
its check sum is looked at.
"""

from __future__ import annotations

import configparser
import email.parser
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

from depot.elf import elf_machine
from depot.tarball import MEMBERS, clean_name
from depot.unpacking import unpacked_limit
from dsmt_core.errors import Invalid

MAGIC: Final = b"PK\x03\x04"
SCRIPTS: Final = ("start", "stop", "status")
_TEXT_BYTES: Final = 1 << 20
_CHUNK: Final = 1 << 18
_RELATIONS: Final = {"<": "<", "<=": "<=", "==": "=", ">=": ">=", ">": ">"}
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    OSError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFile:
    """What a wheel says.

    Attributes:
        name: normalized, as ``my-tool``.
        arch: of its programs and libraries, as rpm calls it; noarch for none.
        requires: each ``name`` or ``name RELATION version``: what it needs without extras.
        console_scripts: names of the programs that an installation makes.
        scripts: which of start.sh, stop.sh and status.sh it installs, without ``.sh``.
    """

    name: str
    version: str
    arch: str
    requires: tuple[str, ...]
    console_scripts: tuple[str, ...]
    scripts: tuple[str, ...]


def read_wheel(file: BinaryIO, size: int) -> WheelFile:
    """Read a wheel to its end and check all of it.

    Args:
        file: seekable.
        size: its bytes.

    Raises:
        Invalid: it is damaged, hostile, or a zip archive of something else.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(archive, unpacked_limit(size))
    except Invalid:
        raise
    except _UNREADABLE as error:
        raise Invalid("its zip archive is damaged", hint="copy or make it again") from error


def _read(archive: zipfile.ZipFile, limit: int) -> WheelFile:
    infos = archive.infolist()
    if len(infos) > MEMBERS or sum(info.file_size for info in infos) > limit:
        raise Invalid(f"it has more than {MEMBERS:,} files, or unpacks to more than {limit:,} bytes")
    names = [_checked(info) for info in infos]
    tops = {name.split("/")[0] for name in names if name.split("/")[0].endswith(".dist-info")}
    if len(tops) != 1 or f"{(top := tops.copy().pop())}/WHEEL" not in names:
        raise Invalid("it is a zip archive, and no wheel: there is no NAME-VERSION.dist-info/WHEEL in it")
    machines = {machine for info in infos if (machine := _machine(archive, info))}
    metadata = email.parser.Parser().parsestr(_text(archive, f"{top}/METADATA"), headersonly=True)
    try:
        name, version = (
            canonicalize_name(metadata["Name"] or ""),
            str(PythonVersion(metadata["Version"] or "")),
        )
    except InvalidVersion as error:
        raise Invalid(f"its version {str(metadata['Version'])[:60]!r} is not one of Python's") from error
    data = f"{top.removesuffix('.dist-info')}.data/scripts/"
    return WheelFile(
        name=name,
        version=version,
        arch=machines.copy().pop() if len(machines) == 1 else "noarch",
        requires=tuple(dict.fromkeys(_requires(metadata.get_all("Requires-Dist") or []))),
        console_scripts=tuple(_console_scripts(archive, f"{top}/entry_points.txt", names)),
        scripts=tuple(script for script in SCRIPTS if f"{data}{script}.sh" in names),
    )


def _checked(info: zipfile.ZipInfo) -> str:
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise Invalid(f"its file {info.filename[:80]!r} is a link or a device")
    return clean_name(info.filename)


def _machine(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    with archive.open(info) as content:
        head = content.read(64)
        while content.read(_CHUNK):
            pass
    return elf_machine(head) or ""


def _text(archive: zipfile.ZipFile, name: str) -> str:
    try:
        with archive.open(name) as content:
            return content.read(_TEXT_BYTES).decode()
    except KeyError:
        raise Invalid(f"there is no {name} in it") from None


def _console_scripts(archive: zipfile.ZipFile, name: str, names: list[str]) -> Iterator[str]:
    if name not in names:
        return
    parser = _Plain(delimiters=("=",), interpolation=None, strict=False)
    try:
        parser.read_string(_text(archive, name))
    except configparser.Error as error:
        raise Invalid("its entry_points.txt cannot be read") from error
    if parser.has_section("console_scripts"):
        yield from parser.options("console_scripts")


class _Plain(configparser.ConfigParser):
    """Names as they are written, capital letters and all."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _requires(texts: list[str]) -> Iterator[str]:
    """Conditions are judged as on the depot's machine; pip on the node has the last word."""
    for text in texts:
        try:
            required = Requirement(text)
        except InvalidRequirement as error:
            raise Invalid(f"its requirement {text[:80]!r} is not legal") from error
        if required.marker is not None and not required.marker.evaluate({"extra": ""}):
            continue
        name = canonicalize_name(required.name)
        told = [
            f"{name} {_RELATIONS[one.operator]} {one.version}"
            for one in required.specifier
            if one.operator in _RELATIONS and "*" not in one.version
        ]
        yield from told or [name]
