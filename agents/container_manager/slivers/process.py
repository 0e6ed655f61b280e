"""Slivers without walls: an init and its processes among those of the host, in directories of their own.

For machines where nothing better is allowed. Its processes run as the container manager's user, see one
another and the host, and find their directories by ``DSMT_RUN``, ``DSMT_APP`` and ``DSMT_ROOT``.
"""

from __future__ import annotations

import os
from pathlib import Path

from agents.container_manager.limits.confinement import Bounds
from agents.container_manager.slivers.directory_driver import DirectoryDriver
from agents.container_manager.slivers.launching import detached
from agents.container_manager.slivers.place import Inside, Place


class ProcessDriver(DirectoryDriver):
    """Keeps slivers apart by directory only."""

    @property
    def name(self) -> str:
        """See `SliverDriver.name`."""
        return "process"

    def probe(self) -> str:
        """It works wherever this runs."""
        return ""

    def inside(self, place: Place) -> Inside:
        """The host's own paths."""
        root = place.root
        return Inside(str(place.run), str(root / "app"), str(place.packages), str(root))

    def owner(self, place: Place) -> tuple[int, int] | None:  # noqa: ARG002 - the port's signature
        """None: it has no user of its own."""
        return None

    def _user(self, place: Place) -> tuple[int, int] | None:  # noqa: ARG002
        return None

    def _prepare(self, place: Place) -> None:
        """Nothing is mounted."""

    def _launch(self, place: Place, argv: list[str], bounds: Bounds) -> int:
        env = {"PATH": os.defpath, "LANG": "C.UTF-8", "DSMT_SLIVER": place.mark}
        inherited = bounds.doors.descriptors
        return detached(argv, env=env, log=place.boot_log, descriptors=inherited, entry=bounds.entry)

    def _is_init(self, pid: int) -> bool:
        try:
            return b"agents.sliver_init" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
