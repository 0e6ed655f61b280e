"""What happens in the engine's thread: a named world of exchanges and queues over kombu's memory transport.

kombu routes and stores. It neither bounds a queue, nor gives a message back to the queue that it came
from, nor forgets the bindings of a deleted queue, nor lets ``a.b.#`` match ``a.b``: that is done here.
No method may be called from another thread.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kombu.connection import Connection

from broker.embedded.history import History
from broker.reading import Message
from broker.topology import EXCHANGES, FEEDS, KEEP, Binding, Queue
from dsmt_core.errors import Conflict, NotFound
from dsmt_core.rights import HISTORY

_KEPT: Final = 100_000
_MAX_LENGTH: Final = "x-max-length"
_KEPT_FROM: Final = frozenset({*FEEDS, HISTORY})


@dataclass(eq=False, slots=True)
class Subscription:
    """The one reader of a queue.

    Attributes:
        deliver: called in the engine's thread with a tag and a message.
        ended: called there when the queue is gone.
        prefetch: how many may be unacknowledged; 0 is any number, acknowledged at once.
    """

    queue: str
    deliver: Callable[[int, Message], None]
    ended: Callable[[], None]
    prefetch: int
    tag: int = 0
    unacknowledged: OrderedDict[int, Message] = field(default_factory=OrderedDict)


class World:
    """Exchanges, queues and their readers.

    Args:
        name: worlds with different names share nothing.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.users = 0
        self.away = False
        self.members: set[Callable[[bool], None]] = set()
        self.history = History()
        self._queues: dict[str, Queue] = {}
        self._bindings: dict[str, set[Binding]] = {}
        self._returned: dict[str, deque[Message]] = {}
        self._readers: dict[str, Subscription] = {}
        self._connection: Any = None
        self._channel: Any = None

    def publish(self, message: Message) -> None:
        """Route ``message`` and hand it to the readers.

        Raises:
            NotFound: there is no such exchange.
        """
        channel = self._open()
        exchange = self._scoped(message.exchange)
        if exchange not in channel.state.exchanges:
            raise NotFound(f"there is no exchange {message.exchange!r}")
        prepared = channel.prepare_message(
            message.body,
            content_type=message.content_type,
            headers={**message.headers, "user_id": message.user_id, "expires_at": message.expires_at},
        )
        channel.basic_publish(prepared, exchange, message.routing_key)
        for queue in channel._lookup(exchange, message.routing_key):  # noqa: SLF001 - the routing itself
            self._pump(queue[len(self._scoped("")) :])
        if message.exchange in _KEPT_FROM and KEEP.items() <= message.headers.items():
            self.history.add(message)

    def declare(self, queues: Sequence[Queue], bindings: Sequence[Binding]) -> bool:
        """Make the exchanges, queues and bindings; doing it again changes nothing.

        Returns:
            True when an exchange was missing.

        Raises:
            Conflict: a queue of that name exists with other arguments.
            NotFound: a binding names an unknown queue or exchange.
        """
        channel = self._open()
        wanted = [self._scoped(exchange) for exchange in (*EXCHANGES, HISTORY)]
        missing = not channel.state.exchanges.keys() >= set(wanted)
        for exchange in wanted:
            channel.exchange_declare(exchange, "topic", durable=True)
        for queue in queues:
            known = self._queues.setdefault(queue.name, queue)
            if known.arguments != queue.arguments:
                raise Conflict(f"the queue {queue.name} exists with other arguments")
            channel.queue_declare(self._scoped(queue.name))
        for binding in bindings:
            self.bind(binding)
        return missing

    def bind(self, binding: Binding) -> None:
        """Make a binding.

        Raises:
            NotFound: it names an unknown queue or exchange.
        """
        channel = self._open()
        exchange = self._scoped(binding.exchange)
        if binding.queue not in self._queues or exchange not in channel.state.exchanges:
            raise NotFound(f"there is no queue {binding.queue!r} or no exchange {binding.exchange!r}")
        for key in _spelled_out(binding.key):
            channel.queue_bind(self._scoped(binding.queue), exchange, key)
        self._bindings.setdefault(binding.queue, set()).add(binding)

    def add_queue(self, queue: Queue) -> None:
        """Make one queue."""
        self._open().queue_declare(self._scoped(queue.name))
        self._queues.setdefault(queue.name, queue)

    def delete(self, name: str) -> None:
        """Delete a queue with what is in it; its reader is told. One that does not exist is no error."""
        if self._queues.pop(name, None) is None:
            return
        reader = self._readers.pop(name, None)
        channel = self._open()
        for binding in self._bindings.pop(name, set()):
            for key in _spelled_out(binding.key):
                channel.queue_unbind(self._scoped(name), self._scoped(binding.exchange), key)
        channel.queue_delete(self._scoped(name))
        channel._delete(self._scoped(name))  # noqa: SLF001 - without bindings kombu would keep it
        self._returned.pop(name, None)
        if reader is not None:
            reader.ended()

    def delete_exchange(self, name: str) -> None:
        """Delete an exchange with its bindings; the queues stay. One that does not exist is no error."""
        channel, scoped = self._open(), self._scoped(name)
        for queue, bindings in self._bindings.items():
            for binding in [each for each in bindings if each.exchange == name]:
                for key in _spelled_out(binding.key):
                    channel.queue_unbind(self._scoped(queue), scoped, key)
                bindings.discard(binding)
        channel.state.exchanges.pop(scoped, None)

    def subscribe(self, reader: Subscription) -> None:
        """Begin to read a queue.

        Raises:
            NotFound: there is no such queue.
            Conflict: somebody else reads it.
        """
        if reader.queue not in self._queues:
            raise NotFound(f"there is no queue {reader.queue!r}")
        if reader.queue in self._readers:
            raise Conflict(f"the queue {reader.queue} has a reader already")
        self._readers[reader.queue] = reader
        self._pump(reader.queue)

    def unsubscribe(self, reader: Subscription) -> None:
        """Read no longer; what was not acknowledged goes back, first in line."""
        if self._readers.get(reader.queue) is not reader:
            return
        del self._readers[reader.queue]
        returned = self._returned.setdefault(reader.queue, deque())
        again = [message._replace(redelivered=True) for message in reader.unacknowledged.values()]
        returned.extendleft(reversed(again))
        reader.unacknowledged.clear()

    def acknowledge(self, reader: Subscription, tag: int) -> None:
        """The message ``tag`` has been dealt with."""
        if reader.unacknowledged.pop(tag, None) is not None:
            self._pump(reader.queue)

    def cut(self, *, away: bool) -> None:
        """Play a broker that is away, or is back: all who are connected are told."""
        self.away = away
        for tell in list(self.members):
            tell(away)

    def size(self, queue: str) -> int:
        """How many messages wait in a queue."""
        return len(self._returned.get(queue, ())) + int(self._open()._size(self._scoped(queue)))  # noqa: SLF001

    def end(self) -> None:
        """Delete everything."""
        for name in list(self._queues):
            self.delete(name)
        if self._connection is not None:
            self._connection.release()
            self._connection = self._channel = None

    def _open(self) -> Any:
        if self._channel is None:
            self._connection = Connection("memory://")  # type: ignore[no-untyped-call]
            self._channel = self._connection.channel()
        return self._channel

    def _scoped(self, name: str) -> str:
        """Names are scoped here: kombu has one space of them for the whole process."""
        return f"{self.name}|{name}"

    def _pump(self, queue: str) -> None:
        """Hand over what the reader may have; without one, keep the queue within its bound."""
        reader = self._readers.get(queue)
        while reader is not None and (not reader.prefetch or len(reader.unacknowledged) < reader.prefetch):
            message = self.take(queue)
            if message is None:
                return
            reader.tag += 1
            if reader.prefetch:
                reader.unacknowledged[reader.tag] = message
            reader.deliver(reader.tag, message)
        declared = self._queues.get(queue)
        bound = declared.arguments.get(_MAX_LENGTH, _KEPT) if declared else 0
        while self.size(queue) > bound:
            self.take(queue)

    def take(self, queue: str) -> Message | None:
        """The first message of a queue whose time is not over, which it leaves; None when there is none."""
        while (message := self._first(queue)) is not None:
            if time.monotonic() < message.expires_at:
                break
        return message

    def _first(self, queue: str) -> Message | None:
        returned = self._returned.get(queue)
        if returned:
            return returned.popleft()
        got = self._open().basic_get(self._scoped(queue), no_ack=True)
        if got is None:
            return None
        info = got.delivery_info
        exchange = info["exchange"][len(self._scoped("")) :]
        headers = dict(got.headers)
        user = headers.pop("user_id")
        expires_at = headers.pop("expires_at")
        return Message(
            got.body,
            got.content_type or "",
            exchange,
            info["routing_key"],
            user,
            headers=headers,
            expires_at=expires_at,
        )


def _spelled_out(key: str) -> list[str]:
    """``key``, and once more without each ``#``: AMQP's ``#`` is also no word at all, kombu's is not."""
    keys = [""]
    for word in key.split("."):
        longer = [f"{known}.{word}" if known else word for known in keys]
        keys = [*longer, *keys] if word == "#" else longer
    return [known for known in keys if known]
