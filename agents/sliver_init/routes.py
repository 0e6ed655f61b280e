"""Where programs with a network of their own may not go: routes that lead nowhere (rtnetlink(7)).

Some addresses are barred always; all that are the node's own, for as long as they are. Who is in the name
space without a right over it cannot take a route away. The kernel is asked and told itself: not every
machine has the program ip.
"""

from __future__ import annotations

import os
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Prefix = tuple[str, int]

# Link-local, with the metadata of most clouds; Azure's, Alibaba's and Oracle's, which lie elsewhere.
BARRED = (
    ("169.254.0.0", 16),
    ("168.63.129.16", 32),
    ("100.100.100.200", 32),
    ("192.0.0.192", 32),
)
ADDRESSES_CHANGE = 0x10
_NEW_ROUTE, _DELETE_ROUTE, _GET_ROUTE = 24, 25, 26
_ERROR, _DONE = 2, 3
_REQUEST, _ACK, _DUMP, _CREATE, _REPLACE = 0x1, 0x4, 0x300, 0x400, 0x100
_MAIN, _LOCAL = 254, 255
_TO_THE_NODE, _NOWHERE = 2, 7
_STATIC = 4
_DESTINATION = 1
_HEAD = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_BYTES = 1 << 16


def own() -> set[Prefix]:
    """What leads to this machine itself, in the network name space of the caller; not its loopback.

    Raises:
        OSError: the kernel does not tell.
    """
    ask = _message(_GET_ROUTE, _REQUEST | _DUMP, _ROUTE.pack(socket.AF_INET, *[0] * 8))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(ask)
        found = {prefix for body in _answers(kernel) if (prefix := _local(body)) is not None}
    return {one for one in found if not one[0].startswith("127.")}


def bar(added: Iterable[Prefix], removed: Iterable[Prefix] = ()) -> None:
    """Lead these nowhere, and those again where all others go, in the name space of the caller.

    Raises:
        OSError: it may not, or the kernel refuses.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        for prefix in added:
            kernel.send(_change(_NEW_ROUTE, _CREATE | _REPLACE, prefix))
            list(_answers(kernel))
        for prefix in removed:
            kernel.send(_change(_DELETE_ROUTE, 0, prefix))
            list(_answers(kernel))


def changes() -> socket.socket:
    """Readable when addresses of the machine come and go.

    Raises:
        OSError: the kernel does not tell.
    """
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
    kernel.bind((0, ADDRESSES_CHANGE))
    return kernel


def _change(kind: int, flags: int, prefix: Prefix) -> bytes:
    address, length = prefix
    head = _ROUTE.pack(socket.AF_INET, length, 0, 0, _MAIN, _STATIC, 0, _NOWHERE, 0)
    attribute = _ATTRIBUTE.pack(_ATTRIBUTE.size + 4, _DESTINATION) + socket.inet_aton(address)
    return _message(kind, _REQUEST | _ACK | flags, head + attribute)


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEAD.pack(_HEAD.size + len(body), kind, flags, 1, 0) + body


def _answers(kernel: socket.socket) -> Iterator[bytes]:
    """The bodies of what the kernel answers, up to its last word."""
    while True:
        data = kernel.recv(_BYTES)
        while len(data) >= _HEAD.size:
            length, kind, _, _, _ = _HEAD.unpack_from(data)
            body = data[_HEAD.size : length]
            if kind == _DONE:
                return
            if kind == _ERROR:
                number = -struct.unpack_from("=i", body)[0]
                if number:
                    raise OSError(number, f"routes of a network: {os.strerror(number)}")
                return
            yield body
            data = data[(length + 3) & ~3 :]


def _local(body: bytes) -> Prefix | None:
    """The destination of a route to this machine; None for one that leads elsewhere."""
    _, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(body)
    if table != _LOCAL or kind != _TO_THE_NODE:
        return None
    rest = body[_ROUTE.size :]
    while len(rest) >= _ATTRIBUTE.size:
        size, name = _ATTRIBUTE.unpack_from(rest)
        if name == _DESTINATION:
            return socket.inet_ntoa(rest[_ATTRIBUTE.size : size]), length
        rest = rest[(max(size, _ATTRIBUTE.size) + 3) & ~3 :]
    return None
