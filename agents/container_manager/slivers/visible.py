"""What a sliver sees of the host besides the system: DSMT's own Python and the packages of a node.

Everything is bound read-only at the path that it has on the host, so that a virtual environment works
unchanged, wherever it lies; of a checkout only the three packages are seen, not what lies beside them.
"""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PACKAGES: Final = ("dsmt_core", "broker", "agents")
# A Python installed straight into these is bound piece by piece: as a whole they are the system's
# (bound already) or private to the sliver.
_SHARED_PREFIXES: Final = frozenset({"/usr", "/usr/local"})


def python_paths() -> list[Path]:
    """The paths of the host that DSMT's programs need, none inside another."""
    paths = [path for prefix in (sys.base_prefix, sys.prefix) for path in _of_prefix(Path(prefix))]
    paths += map(package_directory, PACKAGES)
    return _outermost(paths)


def package_directory(name: str) -> Path:
    """Where the code of a top-level package lies."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(name)
    return Path(spec.submodule_search_locations[0])


def interpreter() -> Path:
    """The interpreter without the virtual environment, for what needs the standard library only."""
    return Path(sys.executable).resolve()


def _of_prefix(prefix: Path) -> list[Path]:
    if str(prefix) not in _SHARED_PREFIXES:
        return [prefix]
    if str(prefix) == "/usr":
        return []
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    wanted = [
        prefix / "bin" / version,
        Path(sysconfig.get_path("stdlib")),
        Path(sysconfig.get_path("purelib")),
    ]
    wanted += prefix.glob("lib/libpython*.so*")
    return [path for path in wanted if path.exists()]


def _outermost(paths: Iterable[Path]) -> list[Path]:
    kept: list[Path] = []
    for path in sorted(set(paths), key=lambda each: len(each.parts)):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept
