"""The fork server: it is asked over the one socket that it was started with, until the other end closes.

It lives through an agent's life that happens nowhere, and from then on forks. Nothing that it ever has is
worth stealing: its environment is empty, it has no connection, and the descriptor by which an agent gets
its configuration passes through it unread. It has one thread and no event loop.

A request: one message, JSON with ``owner`` ([uid, gid], or null), and the descriptors: pidfd of the
sliver's first process, where the agent prints to, where it reads its configuration, and the gates of its
cgroups. The answer: ``pid`` as the sliver counts, or ``error``. It begins with ``ready``.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import signal
import socket
import sys
from typing import Any, Final, NoReturn

from agents.deployment_agent import main as agent
from agents.forks import warming
from agents.forks.entering import Kernel
from dsmt_core.errors import DsmtError

NAME: Final = "dsmt-agent"
OWN_NAME: Final = "dsmt-forks"
REQUEST_BYTES: Final = 1 << 12
_DESCRIPTORS_MOST: Final = 32
_ALL_DESCRIPTORS: Final = 1 << 16
_SAID_BYTES: Final = 1 << 9
_CONFIG_BYTES: Final = 1 << 20
_FAILED: Final = 1


class Request:
    """One agent to be forked.

    Args:
        owner: uid and gid of the sliver; None when they are this process's.
        descriptors: see the module; closed by `close`.
    """

    def __init__(self, owner: tuple[int, int] | None, descriptors: list[int]) -> None:
        self.owner = owner
        self.init, self.output, self.config, *self.gates = descriptors
        self._descriptors = descriptors

    def close(self) -> None:
        """Whoever was forked has its own copies."""
        for descriptor in self._descriptors:
            os.close(descriptor)


def run() -> None:
    """Entry point: ``dsmt-forks DESCRIPTOR``."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    kernel = Kernel()
    kernel.hide()
    kernel.call_oneself(OWN_NAME)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        warming.rehearse()
    except (OSError, DsmtError, RuntimeError) as error:
        # Its forks then begin with less, and cost more.
        sys.stderr.write(f"{OWN_NAME}: the rehearsal failed: {error}\n")
    gc.collect()
    # What lives now is looked at by no collector any more: looking writes into every page.
    gc.freeze()
    channel.send(json.dumps({"ready": True}).encode())
    while _served(channel, kernel):
        pass


def _served(channel: socket.socket, kernel: Kernel) -> bool:
    """Answer one request; False when there will be none."""
    message, descriptors, _, _ = socket.recv_fds(channel, REQUEST_BYTES, _DESCRIPTORS_MOST)
    if not message:
        return False
    try:
        owner = json.loads(message)["owner"]
        request = Request((int(owner[0]), int(owner[1])) if owner else None, descriptors)
        try:
            answer: dict[str, Any] = {"pid": forked(kernel, request)}
        finally:
            request.close()
    except (OSError, ValueError, KeyError, TypeError) as error:
        answer = {"error": str(error) or type(error).__name__}
    channel.send(json.dumps(answer).encode())
    return True


def forked(kernel: Kernel, request: Request) -> int:
    """Have an agent in a sliver; its pid as the sliver counts.

    Raises:
        OSError: it did not come so far.
    """
    told, tell = os.pipe()
    between = os.fork()
    if between == 0:
        _enter(kernel, request, tell)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        said = pipe.read(_SAID_BYTES)
    os.waitpid(between, 0)
    if not said.isdigit():
        raise OSError(said.decode(errors="replace") or "the sliver could not be entered")
    return int(said)


def _enter(kernel: Kernel, request: Request, tell: int) -> NoReturn:
    """Enter the sliver; then two forks: only the child of one that is inside is its init's to reap."""
    try:
        _keep(request.init, request.output, request.config, tell, *request.gates)
        kernel.enter(request.init, request.gates, request.owner)
        # What is born in the sliver has, at no moment, more than what the agent is to have.
        _keep(request.output, request.config, tell)
        inside = os.fork()
        if inside == 0:
            _agent_or_end(kernel, request, tell)
        os.waitpid(inside, 0)
    except BaseException as error:  # noqa: BLE001 - nothing may come back from here
        os.write(tell, f"{type(error).__name__}: {error}".encode()[:_SAID_BYTES])
    os._exit(0)


def _keep(*descriptors: int) -> None:
    """Close all others."""
    first = 0
    for descriptor in sorted(descriptors):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, _ALL_DESCRIPTORS)


def _agent_or_end(kernel: Kernel, request: Request, tell: int) -> NoReturn:
    try:
        pid = os.fork()
        if pid == 0:
            _be_agent(kernel, request)
        # What dies is open to others of its user for a moment: there is nothing left in it by then.
        _keep(tell)
        os.write(tell, str(pid).encode())
    except OSError as error:
        os.write(tell, str(error).encode()[:_SAID_BYTES])
    finally:
        os._exit(0)


def _be_agent(kernel: Kernel, request: Request) -> NoReturn:
    code = _FAILED
    try:
        config = _alone(request)
        kernel.call_oneself(NAME)
        given = _read(config)
        if given:
            os.environ.clear()
            os.environ.update(given["env"])
            sys.argv = [NAME]
            agent.run(given["config"])
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else _FAILED
    except BaseException:  # noqa: BLE001 - whatever it is, it is told in the agent's log
        sys.excepthook(*sys.exc_info())
    finally:
        # The server's own clean-up is not the agent's.
        sys.stderr.flush()
        os._exit(code)


def _alone(request: Request) -> int:
    """A session of its own and no descriptor but its log and its configuration; the latter's number."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(0o022)
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    # Out of the way first: either may have a number that another is to get.
    config = fcntl.fcntl(request.config, fcntl.F_DUPFD, 4)
    output = fcntl.fcntl(request.output, fcntl.F_DUPFD, 4)
    os.dup2(nothing, 0)
    os.set_inheritable(0, True)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(config, 3)
    os.closerange(4, _ALL_DESCRIPTORS)
    return 3


def _read(descriptor: int) -> dict[str, Any]:
    """What the sliver's init gives it; nothing when the init has thought better of it."""
    with os.fdopen(descriptor, "rb") as pipe:
        text = pipe.read(_CONFIG_BYTES)
    given = json.loads(text) if text else {}
    return given if isinstance(given, dict) else {}


if __name__ == "__main__":
    run()
