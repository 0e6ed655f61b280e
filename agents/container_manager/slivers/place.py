"""Where the files of one sliver are, on the host (docs/reference/protocol.md, section 6)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsmt_core.names import Host, Slice

# Name in slivers/$slice/root → where the sliver sees it.
PRIVATE: Final = {
    "app": "/app",
    "var": "/var",
    "tmp": "/tmp",  # noqa: S108 - the sliver's own
    "home": "/home",
    "usr-local": "/usr/local",
    "opt": "/opt",
    "etc": "/etc",
}


@dataclass(frozen=True, slots=True)
class Place:
    """The directory ``slivers/$slice`` of a node's data."""

    slice: Slice
    host: Host
    directory: Path

    @property
    def root(self) -> Path:
        """What is private to the sliver, by the names of `PRIVATE`."""
        return self.directory / "root"

    @property
    def run(self) -> Path:
        """The sockets, and what the agent needs."""
        return self.directory / "run"

    @property
    def packages(self) -> Path:
        """Hard links into the node's cache."""
        return self.directory / "packages"

    @property
    def programs(self) -> Path:
        """DSMT's programs for the scripts; the node's, and read only in the sliver."""
        return self.directory / "bin"

    @property
    def init_socket(self) -> Path:
        """Served by the init."""
        return self.run / "init.sock"

    @property
    def node_socket(self) -> Path:
        """Served by the container manager."""
        return self.run / "node.sock"

    @property
    def agent_file(self) -> Path:
        """What the deployment agent needs, and no application may see."""
        return self.directory / "agent.json"

    @property
    def shown_agent_file(self) -> Path:
        """The same, where an init of an older DSMT has its agent look for it."""
        return self.run / "agent.json"

    @property
    def order_file(self) -> Path:
        """The container manager's order, and how far it is."""
        return self.directory / "order.json"

    @property
    def init_file(self) -> Path:
        """The record by which the init is found again."""
        return self.directory / "init.json"

    @property
    def image_file(self) -> Path:
        """The image that the sliver is made of, where it is."""
        return self.directory / "image.json"

    @property
    def root_file(self) -> Path:
        """The root file system that the sliver is made over, where it is not the node's."""
        return self.directory / "root.json"

    @property
    def sliver_file(self) -> Path:
        """The user of the sliver; written when the directory is complete."""
        return self.directory / "sliver.json"

    @property
    def nothing(self) -> Path:
        """An empty file of the node's, mounted where the sliver is to have none of its own."""
        return self.directory / "nothing"

    @property
    def resolvers(self) -> Path:
        """Who resolves names for a sliver with a network of its own."""
        return self.directory / "resolv.conf"

    @property
    def boot_log(self) -> Path:
        """What the last boot printed."""
        return self.directory / "boot.log"

    @property
    def mark(self) -> str:
        """What the sliver's processes carry in ``DSMT_SLIVER``; unique among the nodes of one machine."""
        place = hashlib.blake2b(str(self.directory).encode(), digest_size=4).hexdigest()
        return f"{self.slice}.{place}"


@dataclass(frozen=True, slots=True)
class Inside:
    """The same directories as the sliver's processes name them."""

    run: str
    app: str
    packages: str
    root: str
