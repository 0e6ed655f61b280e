"""Where an agent finds its sliver: by the sliver's own paths from inside, by others from outside.

Commands for the sliver's init and records always name the paths **inside** (`/app`, `/packages`, `/opt`);
only when the agent itself reads or writes a file does it need to know where that lies for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

INSIDE_APP: Final = PurePosixPath("/app")
INSIDE_PACKAGES: Final = PurePosixPath("/packages")
INSIDE_OPT: Final = PurePosixPath("/opt")
OWN: Final = ".dsmt"


@dataclass(frozen=True, slots=True)
class SliverPaths:
    """Directories of one sliver, as this process sees them.

    Attributes:
        run: init.sock, node.sock and agent.json.
        app: what is `/app` in the sliver; the agent keeps its own files in `/app/.dsmt`.
        packages: what is `/packages` there.
        opt: what is `/opt` there.
    """

    run: Path = Path("/run/dsmt")
    app: Path = Path(INSIDE_APP)
    packages: Path = Path(INSIDE_PACKAGES)
    opt: Path = Path(INSIDE_OPT)

    @classmethod
    def below(cls, directory: Path) -> SliverPaths:
        """The paths of a sliver seen from outside, given its directory (``slivers/$slice``)."""
        root = directory / "root"
        return cls(directory / "run", root / "app", directory / "packages", root / "opt")

    @property
    def own(self) -> Path:
        """Where the agent keeps its own files."""
        return self.app / OWN

    def here(self, inside: str) -> Path:
        """Where the path ``inside`` the sliver lies for this process."""
        path = PurePosixPath(inside)
        for top, place in (
            (INSIDE_APP, self.app),
            (INSIDE_PACKAGES, self.packages),
            (INSIDE_OPT, self.opt),
        ):
            if path.is_relative_to(top):
                return place / path.relative_to(top)
        return Path(path)
