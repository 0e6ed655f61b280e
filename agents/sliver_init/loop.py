"""A minimal event loop: descriptors, timers, and signals as a descriptor."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import signal
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[], None]
    Ready = Callable[[int], None]

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE
_LONGEST_S = 30.0


class Loop:
    """Calls back when a descriptor is ready, a time has come or a signal arrived; one thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Call]] = []
        self._count = itertools.count()
        self._signals: dict[int, Call] = {}
        self._ended = False
        self._woken, wake = socket.socketpair()
        self._woken.setblocking(False)
        wake.setblocking(False)
        self._wake = wake
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self.watch(self._woken.fileno(), READ, self._signalled)

    def on_signal(self, number: int, call: Call) -> None:
        """Have ``call`` run after the signal has arrived, outside its handler."""
        self._signals[number] = call
        signal.signal(number, lambda *_: None)

    def watch(self, descriptor: int, events: int, call: Ready) -> None:
        """Call back with the events that ``descriptor`` is ready for; with no events, no longer."""
        known = descriptor in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(descriptor)
        elif known:
            self._selector.modify(descriptor, events, call)
        else:
            self._selector.register(descriptor, events, call)

    def later(self, seconds: float, call: Call) -> None:
        """Call once, after ``seconds``; never taken back, so the call looks whether it still applies."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._count), call))

    def end(self) -> None:
        """Let `run` return after the present callback."""
        self._ended = True

    def run(self) -> None:
        """Serve until `end`."""
        while not self._ended:
            for key, events in self._selector.select(self._wait()):
                # A callback may have ended the watch of a descriptor that was ready with it.
                if key.fd in self._selector.get_map():
                    key.data(events)
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()

    def _wait(self) -> float:
        if not self._timers:
            return _LONGEST_S
        return min(_LONGEST_S, max(0.0, self._timers[0][0] - time.monotonic()))

    def _signalled(self, _events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            for number in set(self._woken.recv(4096)):
                if number in self._signals:
                    self._signals[number]()
