"""The directory of a little world: made anew each time, and never at the cost of somebody's files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from dsmt_core.errors import Conflict

_MARK: Final = ".dsmt-world"
# What is in there was built, so it can be built again.
_BUILD: Final = "build"


def made_anew(path: Path) -> Path:
    """``path``, absolute, as an empty directory.

    Raises:
        Conflict: it holds something that no little world has left there.
    """
    home = path.absolute()
    if not (_is_ours(home) or _is_free(home)):
        raise Conflict(
            f"{home} holds other things, which would be lost",
            hint="name a directory that does not exist, with --home",
        )
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / _MARK).touch()
    return home


def _is_ours(home: Path) -> bool:
    return home.parent.name == _BUILD or (home / _MARK).is_file()


def _is_free(home: Path) -> bool:
    return not home.exists() or (home.is_dir() and not any(home.iterdir()))
