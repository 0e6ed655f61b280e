"""The manager's end of the fork server: a child of the manager, begun when it is first worth it, and again.

Every failure means that a sliver's init forks its agent in the ordinary way: nothing depends on it but
memory. What was forked lives on when the server or the manager ends.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from agents.container_manager.slivers.visible import package_directory
from dsmt_core.errors import Unavailable

_READY_S: Final = 20.0
_ANSWER_S: Final = 10.0
_ENDS_S: Final = 5.0
# One that could not be begun is not tried again at once.
_AGAIN_S: Final = 60.0
_BYTES: Final = 1 << 12
log = logging.getLogger(__name__)


class ForkServer:
    """Starts agents in slivers; blocking, for threads."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._not_before = 0.0

    @property
    def pid(self) -> int:
        """Of the server; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    def fork(self, owner: tuple[int, int] | None, descriptors: Sequence[int]) -> int:
        """Have an agent in a sliver; its pid as the sliver counts.

        Args:
            owner: uid and gid of the sliver; None when it has those of this process.
            descriptors: as `agents.forks.main` takes them; the caller closes its own.

        Raises:
            Unavailable: it could not be had this way.
        """
        with self._turn:
            try:
                answer = self._asked({"owner": owner}, descriptors)
            except (OSError, ValueError) as error:
                self._end()
                self._not_before = time.monotonic() + _AGAIN_S
                raise Unavailable(f"the fork server does not answer: {error}") from error
        if not isinstance(answer.get("pid"), int):
            raise Unavailable(f"the fork server: {answer.get('error')}")
        return int(answer["pid"])

    def close(self) -> None:
        """End it; the agents live on."""
        with self._turn:
            self._end()

    def _asked(self, request: dict[str, Any], descriptors: Sequence[int]) -> dict[str, Any]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._begin()
        channel = self._channel
        assert channel is not None  # noqa: S101 - it was begun
        channel.settimeout(_ANSWER_S)
        socket.send_fds(channel, [json.dumps(request).encode()], list(descriptors))
        return _received(channel)

    def _begin(self) -> None:
        if time.monotonic() < self._not_before:
            raise OSError("it could not be begun a moment ago")
        own, given = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with given:
            self._channel = own
            self._process = _started(given)
        own.settimeout(_READY_S)
        if not _received(own).get("ready"):
            raise OSError("it does not begin")

    def _end(self) -> None:
        process, self._process = self._process, None
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
        if process is not None:
            # It ends when its socket does.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_S)
                return
            process.kill()
            process.wait()


def _started(given: socket.socket) -> subprocess.Popen[bytes]:
    parent = str(package_directory("agents").parent)
    code = f"import sys; sys.path.insert(0, {parent!r}); from agents.forks.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-I", "-c", code, str(given.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # One arena for all threads: what an agent allocates lies together.
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},
        cwd="/",
        pass_fds=(given.fileno(),),
        start_new_session=True,
    )


def _received(channel: socket.socket) -> dict[str, Any]:
    message = channel.recv(_BYTES)
    if not message:
        raise OSError("it has ended")
    answer = json.loads(message)
    return answer if isinstance(answer, dict) else {}
