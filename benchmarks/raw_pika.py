"""What a user would write instead of the port: bare pika, SelectConnection, pipelined confirms.

It publishes bodies that are encoded already and reads bodies that it does not decode: the least that can
be done, and so the measure of what the port adds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection

WINDOW = 1_000
PREFETCH = 1_000
_WITHIN_S = 120.0


class RawPika:
    """One connection with one channel, in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._url = url

    def publish(self, exchange: str, key: str, body: bytes, *, count: int, user: str) -> float:
        """Publish ``count`` persistent messages; seconds until the last confirm."""
        properties = pika.BasicProperties(delivery_mode=2, user_id=user, content_type="application/x")
        state = {"sent": 0, "confirmed": 0}

        def begin(channel: Any, done: Callable[[], None]) -> None:
            def fill() -> None:
                while state["sent"] < count and state["sent"] - state["confirmed"] < WINDOW:
                    channel.basic_publish(exchange, key, body, properties)
                    state["sent"] += 1

            def confirmed(frame: Any) -> None:
                method = frame.method
                state["confirmed"] = method.delivery_tag if method.multiple else state["confirmed"] + 1
                if state["confirmed"] >= count:
                    done()
                else:
                    fill()

            channel.confirm_delivery(confirmed, callback=lambda _frame: fill())

        return self._timed(begin)

    def consume(self, queue: str, *, count: int) -> float:
        """Read ``count`` messages, acknowledged in batches; seconds until the last."""
        state = {"read": 0}

        def begin(channel: Any, done: Callable[[], None]) -> None:
            def read(_channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
                state["read"] += 1
                if state["read"] % 100 == 0 or state["read"] == count:
                    channel.basic_ack(method.delivery_tag, multiple=True)
                if state["read"] == count:
                    done()

            channel.basic_qos(prefetch_count=PREFETCH)
            channel.basic_consume(queue, read)

        return self._timed(begin)

    def _timed(self, begin: Callable[[Any, Callable[[], None]], None]) -> float:
        """Connect, then time what ``begin`` starts until it calls its ``done``."""
        times: list[float] = []

        def done() -> None:
            times.append(time.perf_counter())
            connection.close()

        def opened(channel: Any) -> None:
            times.append(time.perf_counter())
            begin(channel, done)

        connection = SelectConnection(
            pika.URLParameters(self._url),
            on_open_callback=lambda open_: open_.channel(on_open_callback=opened),
            on_close_callback=lambda closed, _reason: closed.ioloop.stop(),
        )
        thread = threading.Thread(target=connection.ioloop.start, daemon=True)
        thread.start()
        thread.join(_WITHIN_S)
        if len(times) != 2:
            raise TimeoutError(f"raw pika did not finish within {_WITHIN_S:g} s")
        return times[1] - times[0]
