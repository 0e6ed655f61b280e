"""The way outwards of a network name space of its own: slirp4netns, kept running.

It is a process of the sliver, with the sliver's user, inside its walls and in its group; only the network
that it speaks to is the node's. The programs cannot look into it: their user name space lies below its
own. It is told to reach nothing of the node's loopback, and before it runs all addresses of the node, and
of a cloud's metadata, lead nowhere. Without that it does not run.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time

from agents.sliver_init import programs, routes
from agents.sliver_init.census import SLIVER_MARK
from agents.sliver_init.loop import READ
from agents.sliver_init.network import Network, from_child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agents.sliver_init.children import Children
    from agents.sliver_init.loop import Loop

PROGRAM = "slirp4netns"
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
DEVICE = "tap0"
# Of the block for measurements between networks (RFC 2544), which no network uses for itself.
CIDR = "198.18.0.0/24"
RESOLVER = "198.18.0.3"
READY_S = 10.0
FIRST_S = 0.1
MOST_S = 5.0
HEALTHY_S = 10.0
_MTU = "65520"
_SAID_BYTES = 4096


class Outward:
    """Keeps one slirp4netns for the programs of a sliver.

    Args:
        network: theirs.
        mark: of the sliver, for its environment.
        command: how it is called here.
    """

    def __init__(self, network: Network, mark: str, command: Sequence[str] = (PROGRAM,)) -> None:
        self._command = command
        self._network = network
        self._env = {"PATH": PATH, SLIVER_MARK: mark}
        self._barred: set[routes.Prefix] = set()
        self._changes = routes.changes()
        self._wait = FIRST_S
        self._since = 0.0
        self._given_up = False
        self._words = -1
        self.pid = 0
        self.starts = 0

    def begin(self) -> None:
        """Start it, and wait until it carries.

        Raises:
            OSError: it does not; the message is what it said last.
        """
        ready, tell = os.pipe()
        self._words, say = os.pipe()
        try:
            self.pid = self._start(tell, say)
        except programs.CannotStart as error:
            raise OSError(str(error)) from error
        finally:
            os.close(tell)
            os.close(say)
        with os.fdopen(ready, "rb") as pipe:
            if select.select([pipe], [], [], READY_S)[0] and pipe.read(1):
                return
        self.end()
        with os.fdopen(self._words, "rb") as words:
            raise OSError(f"{PROGRAM}: {_reason(words.read(_SAID_BYTES))}")

    def bind(self, loop: Loop, children: Children) -> None:
        """Keep it running from now on, and its bars true."""
        self._loop, self._children = loop, children
        loop.watch(self._changes.fileno(), READ, lambda _events: self._changed())
        loop.watch(self._words, READ, lambda _events: self._listen())
        children.when_ended(self.pid, self._ended)

    def give_up(self) -> None:
        """Start it no more."""
        self._given_up = True

    def end(self) -> None:
        """End it; who keeps it running starts it again."""
        if self.pid:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)

    def _start(self, tell: int, say: int) -> int:
        self._bar()
        user, network = self._network.descriptors
        inherited = (user, network, tell)

        def prepare() -> None:
            for descriptor in inherited:
                os.set_inheritable(descriptor, True)

        argv = (
            *self._command,
            *("--configure", f"--mtu={_MTU}", f"--cidr={CIDR}", f"--ready-fd={tell}"),
            *("--disable-host-loopback", "--enable-seccomp"),
            *(f"--userns-path=/proc/self/fd/{user}", "--netns-type=path"),
            *(f"/proc/self/fd/{network}", DEVICE),
        )
        pid = programs.start(argv, env=self._env, cwd="/", output=say, prepare=prepare)
        self.starts += 1
        self._since = time.monotonic()
        return pid

    def _bar(self) -> None:
        wanted = routes.own() | set(routes.BARRED)
        added, removed = wanted - self._barred, self._barred - wanted
        if added or removed:
            self._inside(lambda: routes.bar(sorted(added), sorted(removed)))
        self._barred = wanted

    def _inside(self, call: Callable[[], None]) -> None:
        def there() -> list[int]:
            self._network.enter()
            call()
            return [os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)]

        for descriptor in from_child(there):
            os.close(descriptor)

    def _listen(self) -> None:
        """Take what it says, so that it never waits for somebody to read it."""
        if not os.read(self._words, _SAID_BYTES):
            self._loop.watch(self._words, 0, lambda _events: None)
            os.close(self._words)

    def _changed(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._changes.recv(1 << 16):
                pass
        try:
            self._bar()
        except OSError:
            # What cannot be barred must not be reached: it starts again when it can.
            self._barred = set()
            self.end()

    def _ended(self, _pid: int, _code: int) -> None:
        self.pid = 0
        if time.monotonic() - self._since >= HEALTHY_S:
            self._wait = FIRST_S
        self._again()

    def _again(self) -> None:
        if self._given_up:
            return
        self._loop.later(self._wait, self._restart)
        self._wait = min(self._wait * 2, MOST_S)

    def _restart(self) -> None:
        if self._given_up or self.pid:
            return
        nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self.pid = self._start(nothing, nothing)
        except (programs.CannotStart, OSError):
            self._again()
            return
        finally:
            os.close(nothing)
        self._children.when_ended(self.pid, self._ended)


def _reason(said: bytes) -> str:
    """What it complained of first: what follows is that it gives up."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
    return next((line for line in lines if line and not line.startswith("WARNING")), "it says nothing")
