"""What a sliver with a network of its own needs besides: slirp4netns, the tun device, who resolves names.

slirp4netns is run inside the sliver by its init (`agents.sliver_init.outward`).
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Final

from agents.container_manager.slivers import directories
from agents.container_manager.slivers.place import Place
from agents.sliver_init.outward import PATH, PROGRAM, RESOLVER

INSTALL_HINT: Final = "apt-get install slirp4netns"
TUN: Final = Path("/dev/net/tun")
_TUN_NUMBER: Final = os.makedev(10, 200)
_FOR_ALL: Final = 0o006
# More than three the C library does not ask (resolv.conf(5)).
_OTHERS: Final = 2


def lacking() -> str:
    """Why no sliver can have a network of its own here; empty when nothing is seen that is missing."""
    if shutil.which(PROGRAM, path=PATH) is None:
        return f"{PROGRAM} is missing ({INSTALL_HINT})"
    if not TUN.exists():
        return f"{TUN} is missing (modprobe tun)"
    if not os.access(TUN, os.R_OK | os.W_OK):
        return f"{TUN} may not be opened by this user (chmod 666 {TUN}, as udev has it)"
    return ""


def device(place: Place, owner: tuple[int, int] | None) -> Path:
    """The tun device for the sliver's user: the machine's, or one of its own where that is root's alone.

    To open it gives no right over any network: that is the network name space's to give.

    Raises:
        OSError: it cannot be made.
    """
    if owner is None or TUN.stat().st_mode & _FOR_ALL == _FOR_ALL:
        return TUN
    made = place.directory / "tun"
    directories.clear(made)
    os.mknod(made, stat.S_IFCHR | 0o600, _TUN_NUMBER)
    os.chown(made, *owner)
    return made


def resolvers(text: str) -> str:
    """A ``resolv.conf`` that serves both: the agent with the node's network, programs with their own.

    The node's come first: to the agent nobody else answers. A program whose node asks itself is refused at
    once there, and asks slirp4netns next, which asks the node's first in its stead. Neither can change
    this file, and so no program can have slirp4netns ask somebody else.

    Args:
        text: the node's.
    """
    lines = text.splitlines()
    servers = [line for line in lines if line.split()[:1] == ["nameserver"]]
    others = [line for line in lines if line.split()[:1] != ["nameserver"]]
    return "".join(f"{line}\n" for line in (*others, *servers[:_OTHERS], f"nameserver {RESOLVER}"))
