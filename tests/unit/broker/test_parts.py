"""The small parts: waits, buffers, reading, the embedded world's bindings, what is imported."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid

import pytest

from broker import retry
from broker.buffer import Buffer
from broker.bus import Delivery, Health, Limits
from broker.embedded.world import World, _spelled_out
from broker.rabbit.refusals import ours
from broker.reading import Message, Refused, dead_letter, read
from broker.topology import Binding, Queue
from dsmt_core.channels import ROOT, Channel
from dsmt_core.errors import Unavailable
from dsmt_core.events import Event, Sender
from dsmt_core.wire import MSGPACK, encode

PINGER = Channel("/com/example/pinger/")


def event() -> Event:
    return Sender("s", "h/p", "b").event(PINGER, "status", now=1.0, id_="i")


def test_the_waits_grow_stay_bounded_and_begin_anew() -> None:
    backoff = retry.reconnection(Limits(retry_first_s=0.1, retry_most_s=2.0))
    for attempt in range(40):
        assert 0 <= backoff.next_s() <= min(2.0, 0.1 * 2 ** (attempt + 1))
    backoff.reset()
    assert backoff.next_s() <= 0.2


def test_attempts_that_a_slow_broker_accepts_take_longer_each_time_and_never_too_long() -> None:
    patience = retry.Patience(Limits(connect_s=4.0, connect_most_s=20.0))
    taken = []
    for _ in range(5):
        taken.append(patience.seconds)
        patience.failed(slow=True)
    assert taken == [4.0, 8.0, 16.0, 20.0, 20.0]
    patience.failed(slow=False)
    assert patience.seconds == 4.0
    patience.failed(slow=True)
    patience.reset()
    assert patience.seconds == 4.0
    least = retry.Patience(Limits(connect_s=4.0, connect_most_s=1.0))
    least.failed(slow=True)
    assert least.seconds == 4.0


def test_the_waits_of_many_differ() -> None:
    waits = set()
    for _ in range(50):
        backoff = retry.reconnection(Limits())
        backoff.next_s()
        waits.add(round(backoff.next_s(), 6))
    assert len(waits) > 40


async def test_a_buffer_drops_the_oldest_and_tells_before_the_next() -> None:
    health = Health()
    buffer = Buffer(2, health)
    deliveries = [Delivery(event(), "psepr", str(number)) for number in range(5)]
    for delivery in deliveries:
        buffer.put(delivery)
    assert health.lost == 3
    first = await anext(buffer)
    assert (first.user_id, first.lost) == ("3", 3)
    assert (await anext(buffer)).lost == 0


async def test_a_buffer_is_bounded_in_bytes_too_and_takes_at_least_one() -> None:
    health = Health()
    buffer = Buffer(0, health, limit_bytes=10)
    for number, size in enumerate((4, 6, 5, 50)):
        buffer.put(Delivery(event(), "psepr", str(number), size=size))
        if number == 2:
            assert health.lost == 1 + 1
    last = await anext(buffer)
    assert (last.user_id, last.lost) == ("3", 3)
    buffer.put(Delivery(event(), "psepr", "4", size=10))
    assert (await anext(buffer)).lost == 0


async def test_a_buffer_gives_what_it_has_before_it_ends() -> None:
    buffer = Buffer(0, Health())
    buffer.put(Delivery(event(), "psepr", "x"))
    buffer.end(Unavailable("gone"))
    await anext(buffer)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await anext(buffer)


async def test_a_reader_that_waits_is_woken_by_the_end() -> None:
    buffer = Buffer(0, Health())
    waiting = asyncio.ensure_future(anext(buffer, None))
    await asyncio.sleep(0)
    buffer.end()
    assert await waiting is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(b"\xc1", MSGPACK, "psepr", "com.example.pinger", "planner"), "msgpack"),
        (Message(encode(event()), "", "psepr", "com.example.pinger", "planner"), "content type"),
        (Message(encode(event()), MSGPACK, "psepr", b"\xff", "planner"), "UTF-8"),
        (Message(encode(event()), MSGPACK, "psepr", "com.example.pinger", ""), "no user"),
        (Message(encode(event()), MSGPACK, "psepr", "com.example.other", "planner"), "routing key"),
        (Message(encode(event()), MSGPACK, "psepr", "com.example.pinger", "node"), "may not speak"),
        (Message(None, MSGPACK, "psepr", "k", "planner"), "cannot be read"),  # type: ignore[arg-type]
        (
            Message(
                encode(event()),
                MSGPACK,
                "psepr",
                "com.example.pinger",
                "planner",
                headers={"x-death": [{"queue": "lease.sliver.beta.n1.x"}]},
            ),
            "another queue",
        ),
    ],
)
def test_what_is_not_believed_comes_with_the_reason(message: Message, reason: str) -> None:
    outcome = read(message, ROOT)
    assert isinstance(outcome, Refused)
    assert reason in outcome.reason


def test_a_dead_letter_is_bounded_and_has_a_legal_key() -> None:
    letter = dead_letter(Message(b"x", "c" * 5_000, "psepr", b"\xff", "u"), "r" * 5_000, "planner")
    assert letter.routing_key == "undecodable"
    assert len(letter.headers["reason"]) == 500
    assert letter.body == b"x"


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("a.b.#", {"a.b.#", "a.b"}),
        ("#", {"#"}),
        ("a.#.failed", {"a.#.failed", "a.failed"}),
        ("a.*", {"a.*"}),
    ],
)
def test_a_hash_is_also_no_word_at_all(key: str, keys: set[str]) -> None:
    assert set(_spelled_out(key)) == keys


def test_a_queue_of_the_embedded_world_does_not_grow_beyond_its_bound() -> None:
    world = World(uuid.uuid4().hex)
    world.declare([Queue("q", {"x-max-length": 3})], [Binding("q", "psepr", "#")])
    for number in range(10):
        world.publish(Message(str(number).encode(), "t", "psepr", "a.b", "planner"))
    assert world.size("q") == 3
    first = world.take("q")
    assert first is not None
    assert first.body == b"7"
    world.end()


def test_a_deleted_queue_is_forgotten_with_its_bindings() -> None:
    world = World(uuid.uuid4().hex)
    world.declare([Queue("q")], [Binding("q", "psepr", "a.#")])
    world.delete("q")
    world.publish(Message(b"x", "t", "psepr", "a.b", "planner"))
    world.declare([Queue("q")], [])
    assert world.size("q") == 0
    world.end()


def test_a_foreign_error_becomes_one_plain_line() -> None:
    error = ours(ConnectionRefusedError(111, "Connection refused\nand more"))
    assert isinstance(error, Unavailable)
    assert "\n" not in error.message


def test_the_room_itself_imports_neither_adapter() -> None:
    heavy = ("pika", "kombu", "tenacity")
    code = f"import sys, broker, broker.bus; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
