"""``python -m depot.rpmgen.tarball DIRECTORY TOP FILE``: a reproducible ``.tgz`` of a directory.

Rule of this file: the same files give the same bytes, wherever and whenever it is made: sorted,
owned by root, dated by ``SOURCE_DATE_EPOCH`` (or the first of January 2026), modes 755 and 644.
"""

from __future__ import annotations

import gzip
import os
import sys
import tarfile
from pathlib import Path
from typing import Final

from dsmt_core.errors import DsmtError, Invalid, NotFound

_EPOCH: Final = 1_767_225_600


def make_tarball(directory: Path, top: str, result: Path, *, mtime: int = _EPOCH) -> Path:
    """Pack what is in ``directory`` as ``top/…`` into the gzip-compressed tarball ``result``.

    Args:
        directory: its hidden files and ``__pycache__`` are left out.
        top: such as ``pinger-1.8``.
        result: written beside itself first, then renamed.
        mtime: of every member, in seconds since 1970.

    Raises:
        NotFound: there is no such directory.
    """
    if not directory.is_dir():
        raise NotFound(f"there is no directory {directory}")
    result.parent.mkdir(parents=True, exist_ok=True)
    unfinished = result.with_name(f".{result.name}.{os.getpid()}")
    with (
        unfinished.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed,
        tarfile.TarFile(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in [directory, *_members(directory)]:
            _add(archive, path, _name(directory, top, path), mtime)
    unfinished.replace(result)
    return result


def _members(directory: Path) -> list[Path]:
    found = (path for path in directory.rglob("*") if not path.is_symlink())
    return sorted(
        path
        for path in found
        if not any(
            part.startswith(".") or part == "__pycache__" for part in path.relative_to(directory).parts
        )
    )


def _name(directory: Path, top: str, path: Path) -> str:
    return "/".join((top, *path.relative_to(directory).parts))


def _add(archive: tarfile.TarFile, path: Path, name: str, mtime: int) -> None:
    info = tarfile.TarInfo(name)
    info.mtime = mtime
    info.uname = info.gname = "root"
    if path.is_dir():
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(info)
        return
    info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    info.size = path.stat().st_size
    with path.open("rb") as content:
        archive.addfile(info, content)


def run(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    try:
        if len(arguments) != 3:
            raise Invalid(
                "three arguments are needed: DIRECTORY TOP FILE",
                hint="such as: python -m depot.rpmgen.tarball examples/pinger pinger-1.8 pinger-1.8.tgz",
            )
        mtime = int(os.environ.get("SOURCE_DATE_EPOCH", _EPOCH))
        make_tarball(Path(arguments[0]), arguments[1], Path(arguments[2]), mtime=mtime)
    except DsmtError as error:
        sys.stderr.write(f"tarball: {error}\n" + (f"  {error.hint}\n" if error.hint else ""))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
