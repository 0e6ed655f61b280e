"""One JSON line a request, one JSON line an answer, over a socket of this node; blocking, for threads.

The paths of slivers grow longer than the 107 bytes that a socket's address may have; by way of the
descriptor of its directory every path is short enough.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dsmt_core.errors import Invalid, Unavailable

LINE_BYTES: Final = 4 << 20
_CHUNK: Final = 1 << 16
_AGAIN_S: Final = 0.01


def listen(path: Path, *, backlog: int = 32) -> socket.socket:
    """A listening socket at ``path``, replacing what lies there.

    Raises:
        OSError: the directory is missing or not ours.
    """
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path.name, dir_fd=directory)
        listening.bind(f"/proc/self/fd/{directory}/{path.name}")
        listening.listen(backlog)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    finally:
        os.close(directory)
    return listening


def connect(path: Path, *, timeout_s: float) -> socket.socket:
    """A connection to the socket at ``path``; a symbolic link is not followed.

    Raises:
        Unavailable: nobody listens there.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        # Opened as a path only, so that a link laid in its place leads nowhere.
        place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _connect(connection, f"/proc/self/fd/{place}", time.monotonic() + timeout_s)
        finally:
            os.close(place)
    except OSError as error:
        connection.close()
        raise Unavailable(
            f"{path.name} of {path.parent} does not answer: {error.strerror or error}"
        ) from error
    return connection


def ask(path: Path, request: Mapping[str, Any], *, timeout_s: float = 5.0) -> dict[str, Any]:
    """Send one request and return its answer.

    Raises:
        Unavailable: nobody answers within ``timeout_s``.
        Invalid: the answer is no JSON object, or is too long, or is an error.
    """
    deadline = time.monotonic() + timeout_s
    with connect(path, timeout_s=timeout_s) as connection:
        try:
            connection.sendall(json.dumps(dict(request)).encode() + b"\n")
            line = _line(connection, deadline)
        except OSError as error:
            raise Unavailable(f"{path.name} of {path.parent} does not answer: {error}") from error
    return _answer(line)


def peer(connection: socket.socket) -> int:
    """The pid, as this process counts, of who listens at the other end."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def _connect(connection: socket.socket, address: str, deadline: float) -> None:
    while True:
        try:
            connection.connect(address)
        except BlockingIOError:
            # Whoever listens is busy and its queue full: the kernel does not wait for us.
            if time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _line(connection: socket.socket, deadline: float) -> bytes:
    received = bytearray()
    while b"\n" not in received:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = connection.recv(_CHUNK)
        if not chunk or len(received) > LINE_BYTES:
            break
        received += chunk
    return bytes(received)


def _answer(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Invalid("the answer is not a JSON object") from error
    if not isinstance(answer, dict):
        raise Invalid("the answer is not a JSON object")
    if "error" in answer and "hint" in answer:
        raise Invalid(str(answer["error"]), hint=str(answer["hint"]))
    return answer
