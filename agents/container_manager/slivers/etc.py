"""The sliver's own /etc: little, generated; what libraries look up on the host is bound beside it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from agents.container_manager.slivers import directories
from agents.container_manager.slivers.place import Place

# Bound read-only where the host has them: the loader's cache, awk and others by way of alternatives,
# certificates, names of services and the time zone.
BOUND: Final = (
    "alternatives",
    "ca-certificates",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "pki",
    "protocols",
    "services",
    "ssl",
)
RESOLVERS: Final = "/etc/resolv.conf"
PRELOAD: Final = "ld.so.preload"
"""Read by the loader of every program, those of DSMT in the sliver, too: it is empty, and the node's."""
_COPIED: Final = ("resolv.conf", "gai.conf")
_USER: Final = "sliver"


def write(place: Place, user: tuple[int, int]) -> None:
    """Write the files of /etc anew, as before each boot.

    Args:
        place: of the sliver.
        user: uid and gid inside the sliver.
    """
    for name, text in files(place, user).items():
        directories.put(place.root / "etc" / name, text)
    _os_release(place.root / "etc" / "os-release")


def files(place: Place, user: tuple[int, int]) -> dict[str, str]:
    """The files of /etc, by name."""
    uid, gid = user
    found = {
        "passwd": f"root:x:0:0:root:/:/usr/sbin/nologin\n"
        f"{_USER}:x:{uid}:{gid}:{place.slice}:/home:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
        "group": f"root:x:0:\n{_USER}:x:{gid}:\nnogroup:x:65534:\n",
        "hostname": f"{place.host}\n",
        "hosts": f"127.0.0.1 localhost\n127.0.1.1 {place.host}\n::1 localhost ip6-localhost\n" + _hosts(),
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
        "services: files\nprotocols: files\n",
        "shells": "/bin/sh\n",
    }
    for name in _COPIED:
        with contextlib.suppress(OSError):
            found[name] = Path("/etc", name).read_text()
    # Somebody may mount over it.
    found.setdefault("resolv.conf", "")
    return found


def host_resolvers() -> str:
    """The host's ``resolv.conf``; empty when it has none."""
    try:
        return Path(RESOLVERS).read_text()
    except OSError:
        return ""


def bound() -> list[Path]:
    """What of the host's /etc is bound."""
    return [path for name in BOUND if (path := Path("/etc", name)).exists()]


def _hosts() -> str:
    """The host's further names; its own lines for the loopback are written above."""
    try:
        lines = Path("/etc/hosts").read_text().splitlines()
    except OSError:
        return ""
    return "".join(
        f"{line}\n" for line in lines if line.strip() and not line.startswith(("127.", "::1", "#"))
    )


def _os_release(path: Path) -> None:
    directories.clear(path)
    path.symlink_to("../usr/lib/os-release")
