"""Hosts of one machine: each a network name space, joined by switches, and cut off when asked.

A switch is a bridge in a name space of its own, so that nothing of it shows in the machine's network.
Cutting a host takes its port out of the bridge: packets vanish both ways and nobody is told, as with a dead
switch. Needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN), `ip` and `nsenter`. Blocking, for milliseconds.

Source: network_namespaces(7), veth(4), ip-netns(8).
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from dsmt_core.errors import Unavailable

_NAMES: Final = Path("/run/netns")
_PREFIX: Final = "dsmt-lab"
_NEW_NET: Final = 0x40000000
_COMMAND_S: Final = 20.0
_MOST_HOSTS: Final = 250


@dataclass(frozen=True, slots=True)
class Switch:
    """A bridge; ``subnet`` are the first three numbers of its addresses."""

    space: str
    subnet: str


@dataclass(slots=True)
class Host:
    """One name space; ``ports`` are its addresses, by subnet."""

    name: str
    space: str
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Its first address."""
        return next(iter(self.addresses.values()))

    @property
    def enter(self) -> tuple[str, ...]:
        """What to put before a command that is to run there."""
        # Not "ip netns exec", which hides /sys/fs/cgroup.
        return ("nsenter", f"--net={_NAMES / self.space}", "--")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread, and what it starts, there; sockets stay where they were made."""
        with Path("/proc/thread-self/ns/net").open() as here, (_NAMES / self.space).open() as there:
            _set_network(there.fileno())
            try:
                yield
            finally:
                _set_network(here.fileno())


class Network:
    """Hosts and switches of one owner; leaving the context removes them.

    What an owner that was killed left behind is removed by the next one.

    Raises:
        Unavailable: name spaces cannot be made here, with the reason.
    """

    def __init__(self) -> None:
        self._own = f"{_PREFIX}.{os.getpid()}.{secrets.token_hex(3)}"
        self._spaces: list[str] = []
        self._hosts = 0

    def __enter__(self) -> Self:
        for program in ("ip", "nsenter"):
            if shutil.which(program) is None:
                raise Unavailable(f"{program} is missing", hint="apt-get install iproute2 util-linux")
        _sweep()
        return self

    def __exit__(self, *_: object) -> None:
        while self._spaces:
            with suppress(Unavailable):
                _ip("netns", "del", self._spaces.pop())

    def switch(self, subnet: str) -> Switch:
        """A switch of addresses ``subnet``.N, as in ``10.77.1``."""
        space = self._space(f"switch-{subnet}")
        _ip("-n", space, "link", "add", "bridge", "type", "bridge")
        _ip("-n", space, "link", "set", "bridge", "up")
        return Switch(space, subnet)

    def host(self, name: str, *switches: Switch) -> Host:
        """A host with a port and an address on each of ``switches``."""
        if self._hosts >= _MOST_HOSTS:
            raise Unavailable(f"a switch has room for {_MOST_HOSTS} hosts")
        self._hosts += 1
        host = Host(name, self._space(name))
        _ip("-n", host.space, "link", "set", "lo", "up")
        for number, switch in enumerate(switches):
            host.addresses[switch.subnet] = f"{switch.subnet}.{self._hosts}"
            inside, port = f"eth{number}", _port(host)
            _ip(
                "-n",
                host.space,
                "link",
                "add",
                inside,
                "type",
                "veth",
                "peer",
                "name",
                port,
                "netns",
                switch.space,
            )
            _ip("-n", host.space, "address", "add", f"{host.addresses[switch.subnet]}/24", "dev", inside)
            _ip("-n", host.space, "link", "set", inside, "up")
            _ip("-n", switch.space, "link", "set", port, "master", "bridge", "up")
        return host

    def cut(self, host: Host, switch: Switch) -> None:
        """Take the host off the switch: what is under way is lost, and nobody is told."""
        _ip("-n", switch.space, "link", "set", _port(host), "nomaster")

    def join(self, host: Host, switch: Switch) -> None:
        """Have it on the switch again."""
        _ip("-n", switch.space, "link", "set", _port(host), "master", "bridge")

    def _space(self, name: str) -> str:
        space = f"{self._own}.{name}"
        _ip("netns", "add", space)
        self._spaces.append(space)
        return space


def _port(host: Host) -> str:
    """The switch's side of a host's cable; Linux takes 15 characters."""
    return f"p{next(iter(host.addresses.values())).rpartition('.')[2]}"


def _sweep() -> None:
    """Remove the name spaces of owners that are gone."""
    with suppress(FileNotFoundError):
        for path in _NAMES.iterdir():
            prefix, _, rest = path.name.partition(".")
            pid = rest.partition(".")[0]
            if prefix == _PREFIX and pid.isdigit() and not Path("/proc", pid).exists():
                with suppress(Unavailable):
                    _ip("netns", "del", path.name)


def _ip(*arguments: str) -> None:
    done = subprocess.run(
        ["ip", *arguments], capture_output=True, text=True, timeout=_COMMAND_S, check=False
    )
    if done.returncode:
        raise Unavailable(
            f"ip {' '.join(arguments)}: {done.stderr.strip()[-200:]}",
            hint="network name spaces need root and a kernel that allows them",
        )


def _set_network(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _NEW_NET):
        number = ctypes.get_errno()
        raise Unavailable(f"the name space cannot be entered: {os.strerror(number)}", hint="it needs root")
