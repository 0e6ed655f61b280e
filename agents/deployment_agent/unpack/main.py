"""The program: ``rpm`` or ``tar`` unpacks, ``remove`` takes away what a list names. Prints one JSON line.

Exit code 65 means that the archive is refused, and no further attempt will help.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from agents.deployment_agent.unpack import wheel
from agents.deployment_agent.unpack.deb import control, deb_entries
from agents.deployment_agent.unpack.entry import Entry, bounded
from agents.deployment_agent.unpack.entry_points import relocate
from agents.deployment_agent.unpack.placing import Placer
from agents.deployment_agent.unpack.rpm import rpm_entries
from agents.deployment_agent.unpack.tar import TORN, tar_entries
from dsmt_core.errors import DsmtError, Invalid

REFUSED: Final = 65
_MEMORY: Final = 1 << 30
_LIST_BYTES: Final = 32 << 20
# Where a package may put files in a sliver; the rest of its tree is the system's.
ALLOWED: Final = ("usr/local", "opt", "app", "var", "home")


def run() -> None:
    """Entry point."""
    arguments = _parser().parse_args()
    # A decompression bomb ends this program, not the machine.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.umask(0o022)
    try:
        answer = arguments.act(arguments)
    except Invalid as error:
        sys.stdout.write(f"{error.message}\n")
        sys.exit(REFUSED)
    except (DsmtError, OSError, MemoryError) as error:
        sys.stdout.write(f"{str(error) or type(error).__name__}\n")
        sys.exit(1)
    sys.stdout.write(json.dumps(answer) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="unpack", description=__doc__)
    acts = parser.add_subparsers(required=True)
    rpm = acts.add_parser("rpm", help="the files of RPMs below a root, without scriptlets")
    rpm.set_defaults(act=_rpm)
    rpm.add_argument("--into", type=Path, required=True)
    rpm.add_argument("--list", type=Path, required=True, help="where to write down what was placed")
    rpm.add_argument("packages", type=Path, nargs="+")
    trial = acts.add_parser("try-rpm", help="the files of RPMs below a directory that is removed then")
    trial.set_defaults(act=_try_rpm)
    trial.add_argument("--into", type=Path, required=True)
    trial.add_argument("packages", type=Path, nargs="+")
    for kind, act in (("deb", _deb), ("wheel", _wheel)):
        beside = acts.add_parser(kind, help=f"{kind} packages as a directory of their own")
        beside.set_defaults(act=act)
        beside.add_argument("--into", type=Path, required=True)
        beside.add_argument("packages", type=Path, nargs="+")
    tar = acts.add_parser("tar", help="an archive with one top directory as a directory")
    tar.set_defaults(act=_tar)
    tar.add_argument("--into", type=Path, required=True)
    tar.add_argument("package", type=Path)
    remove = acts.add_parser("remove", help="what a list names")
    remove.set_defaults(act=_remove)
    remove.add_argument("--list", type=Path, required=True)
    return parser


def _rpm(arguments: argparse.Namespace) -> dict[str, Any]:
    placer = Placer(arguments.into, ALLOWED)
    before = _listed(arguments.list)
    try:
        for package in arguments.packages:
            placer.place(bounded(rpm_entries(package)))
    finally:
        # Also what was placed before a failure is known, and goes with the removal.
        _write_list(arguments.list, {*before, *map(str, placer.placed)})
    if placer.root != Path("/"):
        relocate(placer.root, placer.placed)
    placed = set(map(str, placer.placed))
    _take_away([path for path in before if path not in placed and not Path(path).is_dir()])
    _write_list(arguments.list, placed | {path for path in before if Path(path).is_dir()})
    return {"files": len(placed)}


def _try_rpm(arguments: argparse.Namespace) -> dict[str, Any]:
    into: Path = arguments.into
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    try:
        placer = Placer(into, ALLOWED)
        for package in arguments.packages:
            placer.place(bounded(rpm_entries(package)))
    finally:
        shutil.rmtree(into, ignore_errors=True)
    return {"files": len(placer.placed)}


def _tar(arguments: argparse.Namespace) -> dict[str, Any]:
    with _whole(arguments.into) as placer:
        _place(placer, tar_entries(arguments.package))
    return {"files": len(placer.placed)}


def _deb(arguments: argparse.Namespace) -> dict[str, Any]:
    names = []
    with _whole(arguments.into) as placer:
        for package in arguments.packages:
            read = control(package)
            names.append(read.name)
            _place(placer, deb_entries(package))
            for script, content in read.scripts.items():
                size, body = len(content), io.BytesIO(content)
                name = PurePosixPath(".dsmt", f"{read.name}.{script}")
                placer.place(iter([Entry(name, stat.S_IFREG | 0o755, size, content=body)]))
    return {"files": len(placer.placed), "names": names}


def _wheel(arguments: argparse.Namespace) -> dict[str, Any]:
    arguments.into.parent.mkdir(parents=True, exist_ok=True)
    wheel.install(arguments.into, arguments.packages)
    return {}


@contextlib.contextmanager
def _whole(into: Path) -> Iterator[Placer]:
    """Beside its place first, then renamed: a directory of this name is always whole."""
    into.parent.mkdir(parents=True, exist_ok=True)
    beside = into.with_name(f".{into.name}.new")
    # Also what an unpacking that was cut short has left of another version.
    for torn in into.parent.glob(".*.new"):
        shutil.rmtree(torn, ignore_errors=True)
    beside.mkdir()
    try:
        yield Placer(beside)
        if into.exists():
            shutil.rmtree(into)
        beside.rename(into)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _place(placer: Placer, entries: Iterator[Entry]) -> None:
    try:
        placer.place(bounded(entries))
    except TORN as error:
        raise Invalid(f"the tar archive cannot be read: {error}") from error


def _remove(arguments: argparse.Namespace) -> dict[str, Any]:
    listed = _listed(arguments.list)
    _take_away(listed)
    arguments.list.unlink(missing_ok=True)
    return {"files": len(listed)}


def _take_away(paths: list[str]) -> None:
    """Files, then the directories that were made for them and are empty now, the deepest first."""
    for path in sorted(map(Path, paths), key=lambda each: len(each.parts), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        else:
            path.unlink(missing_ok=True)


def _listed(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            names = json.loads(file.read(_LIST_BYTES))
    except (FileNotFoundError, ValueError):
        return []
    return [str(name) for name in names]


def _write_list(path: Path, names: set[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps(sorted(names)), encoding="utf-8")
    beside.replace(path)


if __name__ == "__main__":
    run()
