"""A network name space of its own for everything in a sliver but its agent.

The agent has to reach the broker, so the sliver as a whole keeps the node's network. What is started for
applications goes into a name space that has a loopback device and nothing else: no port of the node, none
of its abstract sockets, no neighbour, no metadata of a cloud. It belongs to a user name space of its own,
so it needs no right on the node; who is in it has no way back. A way outwards is made by `outward`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

NONE = "none"
HOST = "host"
OWN = "own"
_NEW_USER = 0x10000000
_NEW_NET = 0x40000000
_SET_FLAGS = 0x8914
_UP = 0x1 | 0x40
_LONGEST = 4096


class Network:
    """What of the network the programs of a sliver have.

    Args:
        choice: ``host``, ``none`` or ``own``.

    Raises:
        OSError: the kernel does not allow it; nothing may be started then.
    """

    def __init__(self, choice: str) -> None:
        self._spaces: list[tuple[int, int]] = []
        self.is_outward = choice == OWN
        if choice in {NONE, OWN}:
            self._spaces = _made()
        elif choice != HOST:
            raise OSError(f"a network {choice!r} is not known here")

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Of the user name space, and of the network's in it; none with the node's."""
        return tuple(descriptor for descriptor, _ in self._spaces)

    def enter(self) -> None:
        """In a child, before it becomes the program: leave the node's network.

        Raises:
            OSError: it cannot; the program must not run then.
        """
        for descriptor, kind in self._spaces:
            _call("setns", descriptor, kind)

    def socket(self, family: int) -> socket.socket:
        """A socket in the network that the programs have, for this process.

        Raises:
            OSError: it cannot be made.
        """
        if not self._spaces:
            return socket.socket(family, socket.SOCK_STREAM)
        descriptors = from_child(lambda: [self._inside(family)])
        return socket.socket(fileno=descriptors[0])

    def _inside(self, family: int) -> int:
        self.enter()
        return socket.socket(family, socket.SOCK_STREAM).detach()


def _made() -> list[tuple[int, int]]:
    user, network = from_child(_new)
    return [(user, _NEW_USER), (network, _NEW_NET)]


def _new() -> list[int]:
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", _NEW_USER | _NEW_NET)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
    return [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("user", "net")]


def from_child(make: Callable[[], list[int]]) -> list[int]:
    """What a child makes elsewhere, as descriptors of this process.

    Raises:
        OSError: it could not.
    """
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _hand_over(make, there)
    there.close()
    try:
        told, descriptors, _, _ = socket.recv_fds(here, _LONGEST, 2)
    finally:
        here.close()
        # An init that reaps everything may have been quicker.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    if not descriptors:
        raise OSError(told.decode(errors="replace") or "a network name space cannot be made")
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return list(descriptors)


def _hand_over(make: Callable[[], list[int]], there: socket.socket) -> NoReturn:
    try:
        socket.send_fds(there, [b"made"], make())
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent is told
        with contextlib.suppress(OSError):
            there.send(str(error).encode()[:_LONGEST])
    os._exit(0)


def _call(name: str, *arguments: int) -> None:
    import ctypes  # noqa: PLC0415 - only where it is needed

    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
