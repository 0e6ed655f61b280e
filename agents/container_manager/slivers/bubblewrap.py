"""Slivers by bubblewrap: mount, pid, ipc and uts name spaces, no capabilities, a user of their own.

As root bubblewrap does the mounts without a user name space and setpriv then drops to the sliver's uid:
``--unshare-user --uid`` started by root would still be uid 0 outside. As an ordinary user a user name
space is needed, and the sliver runs as that user. The network is the host's; its init has another one for
programs, if they are to have one.

bwrap runs without ``--die-with-parent``: a sliver survives its container manager.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agents.container_manager.limits.confinement import Bounds
from agents.container_manager.limits.groups import Groups
from agents.container_manager.slivers import directories, etc, mounts, outward, programs, users
from agents.container_manager.slivers.directory_driver import DirectoryDriver, init_command
from agents.container_manager.slivers.launching import detached
from agents.container_manager.slivers.place import PRIVATE, Inside, Place
from agents.container_manager.slivers.visible import python_paths
from agents.sliver_init.census import SLIVER_MARK
from dsmt_core.errors import DsmtError, Unavailable
from dsmt_core.limits import Network
from dsmt_core.names import Host, Slice

INSTALL_HINT: Final = "apt-get install bubblewrap"
USER_NAMESPACE_HINT: Final = (
    "run dsmt-node as root, or allow user name spaces: sysctl"
    " kernel.apparmor_restrict_unprivileged_userns=0 kernel.unprivileged_userns_clone=1"
    " user.max_user_namespaces=10000"
)
# Words of bwrap's where the machine forbids; the last: their number is bounded, to none perhaps.
_FORBIDDEN: Final = ("ermission", "not permitted", "namespaces exceeded")

_UNSHARED: Final = (
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--new-session",
    "--clearenv",
    "--as-pid-1",
)
# What setpriv needs to drop the rest, and drops with it.
_FOR_DROPPING: Final = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
_HOSTNAME_BYTES: Final = 64
_PID_S: Final = 30.0
_PROBE_S: Final = 20.0


class BubblewrapDriver(DirectoryDriver):
    """Keeps slivers apart by name spaces and users.

    Args:
        groups: where cgroups can be made; None: nowhere.
        user: uid of this process; 0 gives each sliver a uid of its own.
    """

    def __init__(self, groups: Groups | None = None, *, user: int | None = None) -> None:
        super().__init__(groups)
        self._root = (os.geteuid() if user is None else user) == 0
        self._can = {Network.HOST}

    @property
    def name(self) -> str:
        """See `SliverDriver.name`."""
        return "bubblewrap"

    def probe(self) -> str:
        """Make a sliver's walls for real, run DSMT's Python inside, and see whether it ended well."""
        if shutil.which("bwrap") is None:
            return f"bwrap is missing ({INSTALL_HINT})"
        if self._root and shutil.which("setpriv") is None:
            return "setpriv is missing (apt-get install util-linux)"
        return self._in_walls(lambda place: [*self._init_command(place)[:-1], "import json, os, socket"])

    def lacks(self, network: Network) -> str:
        """See `SliverDriver.lacks`; what could be had once is not tried again."""
        why = outward.lacking() if network is Network.OWN else ""
        if not why and network not in self._can:
            trial = [*init_command("agents.sliver_init.trial"), network]
            why = self._in_walls(lambda _place: trial, network)
            if not why:
                self._can.add(network)
        return why

    def _in_walls(self, argv: Callable[[Place], list[str]], network: Network = Network.HOST) -> str:
        """Why a program does not end well in a sliver; empty when it does."""
        with tempfile.TemporaryDirectory(prefix="dsmt-probe-") as scratch:
            place = Place(Slice("probe"), Host("probe"), Path(scratch).resolve() / "slivers" / "probe")
            try:
                self.create(place)
                programs.write(place)
                self._prepare(place)
                return _tried([*self._walls(place, network=network), *argv(place)])
            except (OSError, DsmtError) as error:
                return str(error)

    def inside(self, place: Place) -> Inside:  # noqa: ARG002 - the same in each sliver
        """The same paths in every sliver."""
        return Inside(mounts.RUN, PRIVATE["app"], mounts.PACKAGES, "")

    def owner(self, place: Place) -> tuple[int, int] | None:
        """See `SliverDriver.owner`."""
        return users.owner_of(place)

    def _user(self, place: Place) -> tuple[int, int] | None:
        return users.owner_for(place) if self._root else None

    def exists(self, place: Place) -> bool:
        """Made, and with a user of its own if this process can give it one."""
        return super().exists(place) and (not self._root or self.owner(place) is not None)

    def _prepare(self, place: Place) -> None:
        # A manager killed in the middle of a boot leaves an init that no record names, and a log of that
        # boot. Where none was ever begun nobody is looked for: it means to look at every process there is.
        if place.boot_log.exists():
            self._sweep(place)
        etc.write(place, self.owner(place) or (os.geteuid(), os.getegid()))
        directories.put(place.nothing, "")
        for path in [*etc.bound(), Path("/etc", etc.PRELOAD), *python_paths()]:
            private = mounts.private(path)
            if private is not None:
                base, relative = private
                directories.mount_point(place.root / base, relative, directory=path.is_dir())

    def _launch(self, place: Place, argv: list[str], bounds: Bounds) -> int:
        told, tell = os.pipe()
        with os.fdopen(told, "rb") as pipe:
            try:
                walls = self._walls(place, "--info-fd", str(tell), network=bounds.network)
                env = {"PATH": os.environ.get("PATH", os.defpath)}
                inherited = (tell, *bounds.doors.descriptors)
                detached(
                    [*walls, *argv],
                    env=env,
                    log=place.boot_log,
                    descriptors=inherited,
                    entry=bounds.entry,
                )
            finally:
                os.close(tell)
            return _child_pid(pipe.fileno())

    def _is_init(self, pid: int) -> bool:
        """First of a pid name space of its own: a line ``NSpid: <here> 1``."""
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return False
        return any(line.startswith("NSpid:") and line.split()[1:][1:] == ["1"] for line in lines)

    def _walls(self, place: Place, *more: str, network: Network = Network.HOST) -> list[str]:
        """The command up to the program that runs inside."""
        return [
            *self._before(place),
            "bwrap",
            *_UNSHARED,
            *more,
            *("--setenv", SLIVER_MARK, place.mark),
            "--hostname",
            place.host[:_HOSTNAME_BYTES],
            *self._rights(),
            *self._tree(place, network),
            *("--chdir", "/", "--"),
            *self._dropping(place),
        ]

    def _before(self, place: Place) -> list[str]:  # noqa: ARG002 - for who differs
        """What runs the whole, where the walls need something before."""
        return []

    def _tree(self, place: Place, network: Network) -> list[str]:
        """What the sliver sees of files."""
        seen = [
            *mounts.system(),
            *mounts.own_and_etc(place),
            *self._outward(place, network),
            *mounts.python(),
        ]
        return [*seen, "--remount-ro", "/"]

    def _outward(self, place: Place, network: Network) -> list[str]:
        if network is not Network.OWN:
            return []
        if why := outward.lacking():
            raise Unavailable(f"a network of its own cannot be had here: {why}")
        directories.put(place.resolvers, outward.resolvers(etc.host_resolvers()))
        device = outward.device(place, self.owner(place))
        return [
            *("--perms", "0755", "--dir", str(outward.TUN.parent)),
            *("--dev-bind", str(device), str(outward.TUN)),
            *("--ro-bind", str(place.resolvers), etc.RESOLVERS),
        ]

    def _rights(self) -> list[str]:
        if not self._root:
            user, group = str(os.geteuid()), str(os.getegid())
            return ["--unshare-user", "--uid", user, "--gid", group, "--cap-drop", "ALL"]
        added = [word for name in _FOR_DROPPING for word in ("--cap-add", name)]
        return ["--cap-drop", "ALL", *added]

    def _dropping(self, place: Place) -> list[str]:
        if not self._root:
            return []
        owner = self.owner(place)
        if owner is None:
            # Never by default as root.
            raise Unavailable(
                f"the sliver {place.slice} has no user of its own", hint="it is to be made anew"
            )
        return [
            "setpriv",
            *("--reuid", str(owner[0]), "--regid", str(owner[1]), "--clear-groups"),
            *("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"),
            "--",
        ]


def _child_pid(descriptor: int) -> int:
    """What bwrap tells of its child; it says nothing when it failed before."""
    text, deadline = b"", time.monotonic() + _PID_S
    # select() itself knows no descriptor beyond 1023, and a node of many slivers may have more.
    readable = select.poll()
    readable.register(descriptor, select.POLLIN)
    while readable.poll(max(0.0, deadline - time.monotonic()) * 1_000):
        chunk = os.read(descriptor, 4096)
        if not chunk:
            break
        text += chunk
    try:
        return int(json.loads(text)["child-pid"])
    except (ValueError, KeyError, TypeError):
        return 0


def _tried(argv: list[str]) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, timeout=_PROBE_S, check=False, text=True, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return "bwrap did not end in time"
    if done.returncode == 0:
        return ""
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1].removeprefix("bwrap: ")
    forbidden = any(words in said for words in _FORBIDDEN)
    return f"bwrap: {said}" + (f" ({USER_NAMESPACE_HINT})" if forbidden else "")
