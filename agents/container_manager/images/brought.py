"""DSMT's own Python, brought into a root file system that has none, or another libc.

A directory of the node holds the interpreter, its loader and the shared libraries that it and the standard
library need; the standard library and DSMT's packages are mounted into it, and the whole, read-only, into
the sliver. The loader is called by name and told where the libraries are, so nothing of this is in the
environment of what runs there: the image's programs go on with the image's own loader and libraries.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import ssl
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from agents.container_manager.slivers.visible import PACKAGES, interpreter, package_directory
from agents.sliver_init.outward import PATH
from agents.sliver_init.outward import PROGRAM as OUTWARD
from dsmt_core.errors import Unavailable

_VERSION: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
_LIBRARY: Final = re.compile(r"=> (/\S+) \(0x")
# Loaded by name when a host is looked up, by a libc that has them apart (glibc before 2.34).
_NAME_SERVICES: Final = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
_SETPRIV: Final = "setpriv"
_PT_INTERP: Final = 3


class _Layout(NamedTuple):
    """Where the numbers of an ELF file are, and how wide its addresses."""

    word: str
    table: int
    sizes: int
    offset: int
    length: int


_LAYOUTS: Final = {
    b"\x7fELF\x01": _Layout("I", 28, 42, 4, 16),
    b"\x7fELF\x02": _Layout("Q", 32, 54, 8, 32),
}
_LIST_S: Final = 10.0
_CERTIFICATES: Final = "certificates.pem"
_TEMPORARY: Final = ".new"


@dataclass(frozen=True, slots=True)
class Brought:
    """What is brought along.

    Attributes:
        directory: of the node, complete.
        mounts: host's path → where it goes below the directory.
        target: where the directory is in the sliver.
        loader: name of the loader in the directory; empty for an interpreter that needs none.
    """

    directory: Path
    mounts: tuple[tuple[Path, str], ...]
    target: str
    loader: str

    def python(self) -> list[str]:
        """Runs the interpreter in the sliver."""
        program = f"{self.target}/bin/{_VERSION}"
        if not self.loader:
            return [program]
        return [f"{self.target}/{self.loader}", "--library-path", f"{self.target}/shared", program]

    def setpriv(self) -> list[str]:
        """Runs setpriv of the node, which the tree need not have.

        Raises:
            Unavailable: the node has none.
        """
        program = f"bin/{_SETPRIV}"
        if not (self.directory / program).exists():
            raise Unavailable("setpriv is missing", hint="apt-get install util-linux")
        found = f"{self.target}/{program}"
        return [*self.python()[:-1], found]

    def command(self, module: str, *, site: bool = True) -> list[str]:
        """Runs ``run`` of a module of DSMT, with nothing of the environment's or the image's Python.

        Args:
            module: its name.
            site: with the packages of others that DSMT uses.
        """
        return [*self.python(), "-I", "-S", "-E", "-c", f"{self._paths(site=site)}; {_run(module)}"]

    def outward(self) -> list[str]:
        """Runs slirp4netns in the sliver; it is there if the node had it when this was brought."""
        return [*self.python()[:-1], f"{self.target}/bin/{OUTWARD}"]

    def launchers(self) -> dict[str, str]:
        """What the launchers of `slivers.programs` are here, for an image that has a shell."""
        python = shlex.join(self.python())
        event = shlex.join(self.command("broker.shell.main"))
        paths = f"{self.target}/code:{self.target}/site"
        return {
            "dsmt-event": f'exec {event} "$@"',
            "dsmt-python": f'PYTHONPATH={paths}${{PYTHONPATH:+:$PYTHONPATH}} exec {python} "$@"',
        }

    def environment(self) -> dict[str, str]:
        """What the agent needs besides: whom its TLS trusts, where the node has a list of that."""
        if not (self.directory / _CERTIFICATES).exists():
            return {}
        return {"SSL_CERT_FILE": f"{self.target}/{_CERTIFICATES}"}

    def binds(self) -> list[tuple[Path, str]]:
        """All that is mounted read-only, outermost first: host's path, and path in the sliver."""
        below = [(path, f"{self.target}/{name}") for path, name in self.mounts]
        return [(self.directory, self.target), *below]

    def _paths(self, *, site: bool) -> str:
        found = [f"{self.target}/code", *([f"{self.target}/site"] if site else [])]
        return f"import sys; sys.path += {found!r}"


def bring(base: Path, target: str) -> Brought:
    """Make the directory below ``base`` if this Python's is not there yet.

    Args:
        base: a directory of the node.
        target: where it is to be in the sliver.

    Raises:
        Unavailable: the libraries of this Python cannot be found.
        OSError: the directory cannot be made.
    """
    program = interpreter()
    loader = _loader(program)
    files = [program, *([Path(loader)] if loader else []), *_extensions(), *_tools()]
    directory = base / _key(files)
    mounts = _mounts()
    if not directory.exists():
        _make(directory, program, loader, [name for _, name in mounts])
    return Brought(directory, tuple(mounts), target, "loader" if loader else "")


def _mounts() -> list[tuple[Path, str]]:
    library = f"{sys.platlibdir}/{_VERSION}"
    found = [(Path(sysconfig.get_path("stdlib", vars=_base())), library)]
    found.append((Path(sysconfig.get_path("purelib")), "site"))
    return [*found, *((package_directory(name), f"code/{name}") for name in PACKAGES)]


def _base() -> dict[str, str]:
    return {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}


def _make(directory: Path, program: Path, loader: str, mount_points: Iterable[str]) -> None:
    """Make it beside its place, and move it there when it is whole."""
    new = directory.with_name(directory.name + _TEMPORARY)
    shutil.rmtree(new, ignore_errors=True)
    for name in ("bin", "shared", *mount_points):
        (new / name).mkdir(parents=True, exist_ok=True)
    _copy(program, new / "bin" / _VERSION)
    for tool in _tools():
        _copy(tool, new / "bin" / tool.name)
    if loader:
        _copy(Path(loader), new / "loader")
        for library in sorted(_libraries(loader, [program, *_tools(), *_extensions()])):
            _copy(Path(library), new / "shared" / Path(library).name)
    trusted = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    with contextlib.suppress(OSError):
        _copy(Path(trusted), new / _CERTIFICATES)
    new.chmod(0o755)
    new.rename(directory)


def _copy(source: Path, to: Path) -> None:
    shutil.copyfile(source, to)
    to.chmod(0o755)


def _tools() -> list[Path]:
    """Programs of the node that a sliver is begun with, or has its network by.

    Of a node that gets one later all is brought anew.
    """
    found = (shutil.which(_SETPRIV), shutil.which(OUTWARD, path=PATH))
    return [Path(path).resolve() for path in found if path]


def _extensions() -> list[Path]:
    """The parts of the standard library, and of what else DSMT uses, that are shared objects themselves."""
    standard = Path(sysconfig.get_path("stdlib", vars=_base())) / "lib-dynload"
    # What checks signatures is a library of others that is compiled, too.
    others = Path(sysconfig.get_path("platlib"))
    signing = [*others.glob("_cffi_backend*.so"), *others.glob("nacl/*.so")]
    return sorted([*standard.glob("*.so"), *signing])


def _libraries(loader: str, files: Iterable[Path]) -> set[str]:
    found: set[str] = set()
    for file in files:
        try:
            done = subprocess.run(
                [loader, "--list", str(file)], capture_output=True, text=True, timeout=_LIST_S, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"the libraries of {file} cannot be listed: {error}") from error
        found.update(_LIBRARY.findall(done.stdout))
    beside = {Path(library).parent for library in found if Path(library).name.startswith("libc.")}
    for name in _NAME_SERVICES:
        found.update(str(place / name) for place in beside if (place / name).exists())
    return found


def _loader(program: Path) -> str:
    """The loader that an ELF program names (``PT_INTERP``, elf(5)); empty for a static one."""
    with program.open("rb") as file:
        head = file.read(64)
        if head[:5] not in _LAYOUTS:
            raise Unavailable(f"{program} is not a program of this kind of system")
        layout, order = _LAYOUTS[head[:5]], "<" if head[5] == 1 else ">"
        (table,) = struct.unpack_from(order + layout.word, head, layout.table)
        size, count = struct.unpack_from(order + "HH", head, layout.sizes)
        for number in range(count):
            file.seek(table + number * size)
            entry = file.read(size)
            if struct.unpack_from(order + "I", entry)[0] == _PT_INTERP:
                file.seek(struct.unpack_from(order + layout.word, entry, layout.offset)[0])
                length = struct.unpack_from(order + layout.word, entry, layout.length)[0]
                return file.read(length).rstrip(b"\0").decode()
    return ""


def _key(files: Iterable[Path]) -> str:
    """Another one when a file was replaced: by an upgrade, for instance."""
    told = hashlib.blake2b(digest_size=8)
    for file in files:
        state = file.stat()
        told.update(f"{file} {state.st_size} {state.st_mtime_ns}\n".encode())
    return told.hexdigest()


def _run(module: str) -> str:
    return f"from {module} import run; run()"


def clean(base: Path, kept: Path, used: Iterable[Path]) -> None:
    """Remove what was brought by an earlier Python, and no sliver uses."""
    keep = {kept, *used}
    with contextlib.suppress(OSError):
        for path in list(os.scandir(base)):
            if Path(path.path) not in keep:
                shutil.rmtree(path.path, ignore_errors=True)
