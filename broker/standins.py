"""Stand-ins: what a queue is called while the host of a cluster that it lives on is down. Pure.

A classic queue lives on one host. While that is down the broker lets nobody read, declare or delete it: it
answers "not found". So whoever declares it then makes a queue of another name with the same bindings, and
whoever reads it looks there. Both know the names from the queue's own, so that nobody has to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from broker.topology import Binding, Queue

# In a cluster of five two hosts may be down: the first stand-in may have lived on the second of them.
_MOST: Final = 2
_MARK: Final = "~"
# RabbitMQ's rabbit_amqqueue.erl: "home node '…' of durable queue '…' in vhost '…' is down or inaccessible".
_DOWN: Final = "is down or inaccessible"
# Nobody reads a stand-in once the host is back and the readers have come again.
_UNREAD_MS: Final = 600_000
_REPLICATED: Final = {"quorum", "stream"}


def is_down(refusal: str) -> bool:
    """Whether the broker refused because the host that a queue lives on is down."""
    return _DOWN in refusal


def names(queue: str) -> list[str]:
    """All names of a queue, its own first."""
    return [queue, *(f"{queue}{_MARK}{number}" for number in range(1, _MOST + 1))]


def called(queue: Queue, bindings: Sequence[Binding], name: str) -> tuple[Queue, list[Binding]]:
    """``queue`` with its own bindings under one of its names."""
    if name == queue.name:
        return queue, list(bindings)
    own = [replace(binding, queue=name) for binding in bindings]
    return Queue(name, queue.arguments | {"x-expires": _UNREAD_MS}), own


def by_queue(bindings: Sequence[Binding]) -> dict[str, list[Binding]]:
    """The bindings of each queue."""
    sorted_: dict[str, list[Binding]] = {}
    for binding in bindings:
        sorted_.setdefault(binding.queue, []).append(binding)
    return sorted_


def has_one_host(queue: Queue) -> bool:
    """Whether it lives on one host, and may need a stand-in; a replicated queue outlives its leader's."""
    return queue.arguments.get("x-queue-type") not in _REPLICATED


class Seat:
    """By which name a queue is read: each look begins with its own, and goes on while a host is down.

    Args:
        queue: its own name.
    """

    def __init__(self, queue: str) -> None:
        self._names = names(queue)
        self._at = 0

    @property
    def name(self) -> str:
        """The name to try now."""
        return self._names[self._at]

    def refused(self, refusal: str) -> None:
        """The broker said "not found" to `name`: behind a host that is down comes the next name."""
        self._at = (self._at + 1) % len(self._names) if is_down(refusal) else 0

    def taken(self) -> None:
        """`name` is read: when that ends, the queue's own name is the first again."""
        self._at = 0
