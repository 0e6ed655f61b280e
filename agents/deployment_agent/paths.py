"""Where a sliver's directories are: for this process, and for the programs that run in the sliver.

Inside a sliver with walls both are the same (`/app`, `/opt`). From outside, and in a sliver without walls,
they differ: commands for the sliver's init name the paths **inside**, and only where the agent itself
reads or writes a file does it ask where that lies **here**.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

OWN: Final = ".dsmt"
_LITTLE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class SliverPaths:
    """Directories of one sliver.

    Attributes:
        run: init.sock, node.sock and agent.json, as this process sees them.
        app: what is ``<root>/app`` in the sliver, as this process sees it.
        own: where the agent keeps its own files; from outside not in the sliver's tree, which may be
            full of traps for a process with more rights.
        opt: what is ``<root>/opt`` there.
        var: what is ``<root>/var`` there.
        packages: what is ``<inside_packages>`` there.
        root: where the sliver's own tree begins for its programs: empty in a sliver with walls.
        inside_packages: where its programs find packages.
        inside_run: what is ``run`` there.
        inside_programs: where they find the programs of DSMT.
    """

    run: Path = Path("/run/dsmt")
    app: Path = Path("/app")
    opt: Path = Path("/opt")
    var: Path = Path("/var")
    packages: Path = Path("/packages")
    own: Path = Path("/app", OWN)
    root: str = ""
    inside_packages: str = "/packages"
    inside_run: str = "/run/dsmt"
    inside_programs: str = "/run/dsmt-bin"

    @classmethod
    def below(cls, directory: Path, *, walls: bool = True) -> SliverPaths:
        """The paths of a sliver seen from outside.

        Args:
            directory: the sliver's, ``slivers/$slice`` of a node's data.
            walls: its programs see `/app` and so on; without, they see what everybody sees.
        """
        root, packages = directory / "root", directory / "packages"
        outside = cls(
            directory / "run", root / "app", root / "opt", root / "var", packages, directory / "agent"
        )
        if walls:
            return outside
        return replace(
            outside,
            root=str(root),
            inside_packages=str(packages),
            inside_run=str(outside.run),
            inside_programs=str(directory / "bin"),
        )

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], run: Path) -> SliverPaths:
        """The paths for an agent in its sliver; ``DSMT_ROOT`` is set in one without walls."""
        root = environment.get("DSMT_ROOT", "")
        if not root:
            return cls(run=run, inside_run=str(run))
        paths = cls.below(Path(root).parent, walls=False)
        return replace(paths, run=run, inside_run=str(run), own=paths.app / OWN)

    @property
    def inside_app(self) -> str:
        """`/app` as the sliver's programs name it."""
        return f"{self.root}/app"

    @property
    def inside_var(self) -> str:
        """`/var` as the sliver's programs name it."""
        return f"{self.root}/var"

    @property
    def inside_opt(self) -> str:
        """`/opt` as the sliver's programs name it."""
        return f"{self.root}/opt"

    @property
    def full(self) -> bool:
        """Whether less than a megabyte is free where packages are unpacked and applications write."""
        return any(_free(place) < _LITTLE for place in (self.app, self.opt, self.var))

    def hold_applications(self) -> bool:
        """Whether anything was installed here: in a new sliver both places are empty."""
        entries = (*_names(self.opt / "dsmt"), *(name for name in _names(self.app) if name != OWN))
        return bool(entries)

    def here(self, inside: str) -> Path:
        """Where the path ``inside`` the sliver lies for this process."""
        path = PurePosixPath(inside)
        for top, place in (
            (self.inside_app, self.app),
            (self.inside_opt, self.opt),
            (self.inside_var, self.var),
            (self.inside_packages, self.packages),
        ):
            if path.is_relative_to(top):
                return place / path.relative_to(top)
        return Path(path)


def _free(directory: Path) -> int:
    try:
        found = os.statvfs(directory)
    except OSError:
        return _LITTLE
    return found.f_bavail * found.f_frsize


def _names(directory: Path) -> list[str]:
    try:
        return [entry.name for entry in directory.iterdir()]
    except OSError:
        return []
