"""What else a user would write instead of the port: kombu, with confirms, and acknowledgements in batches.

kombu awaits each confirm, so it publishes as fast as one round trip to the broker allows.
"""

from __future__ import annotations

import time
from typing import Any

from kombu.connection import Connection
from kombu.entity import Queue

PREFETCH = 1_000
_WITHIN_S = 120.0


class RawKombu:
    """One connection with one channel, blocking."""

    def __init__(self, url: str) -> None:
        self._url = url

    def publish(self, exchange: str, key: str, body: bytes, *, count: int, user: str) -> float:
        """Publish ``count`` persistent messages, each confirmed; seconds until the last confirm."""
        options = {"confirm_publish": True}
        connected: Any = Connection(self._url, transport_options=options)  # type: ignore[no-untyped-call]
        with connected as connection:
            producer = connection.Producer(auto_declare=False)
            began = time.perf_counter()
            for _ in range(count):
                producer.publish(
                    body,
                    exchange=exchange,
                    routing_key=key,
                    content_type="application/x",
                    content_encoding="binary",
                    delivery_mode=2,
                    user_id=user,
                )
            return time.perf_counter() - began

    def consume(self, queue: str, *, count: int) -> float:
        """Read ``count`` messages, acknowledged in batches; seconds until the last."""
        state = {"read": 0}

        def read(message: Any) -> None:
            state["read"] += 1
            if state["read"] % 100 == 0 or state["read"] == count:
                message.ack(multiple=True)

        connected: Any = Connection(self._url)  # type: ignore[no-untyped-call]
        there = Queue(queue, no_declare=True)  # type: ignore[no-untyped-call]
        with connected as connection, connection.channel() as channel:
            consumer = connection.Consumer(there, channel=channel, on_message=read, auto_declare=False)
            consumer.qos(prefetch_count=PREFETCH)
            began = time.perf_counter()
            with consumer:
                while state["read"] < count:
                    connection.drain_events(timeout=_WITHIN_S)
            return time.perf_counter() - began
