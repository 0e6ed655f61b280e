"""What is to be sent, in order and bounded: decided without a broker."""

from __future__ import annotations

import asyncio

import pytest

from broker.bus import Health, Limits
from broker.outgoing import Entry, Outgoing
from dsmt_core.errors import Denied, Unavailable

LIMITS = Limits(unconfirmed=3, unconfirmed_bytes=100, outbox=2, settle_s=10.0)


class Line:
    """An `Outgoing` with what a test asks of it."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.health = Health()
        self.out = Outgoing(limits, self.health)

    def add(self, key: str, *, posted: bool = False, size: int = 1, deadline: float = 10.0) -> Entry:
        waiter = asyncio.get_running_loop().create_future()
        entry = Entry("psepr", key, b"x" * size, waiter, deadline, posted=posted)
        self.out.add(entry)
        return entry

    def shelve(self, key: str) -> Entry:
        entry = Entry("psepr", key, b"x", None, 10.0, posted=True)
        self.out.shelve(entry)
        return entry

    def send(self) -> str:
        """The keys of all that may be sent now."""
        keys = []
        while (entry := self.out.next()) is not None:
            keys.append(entry.key)
        return "".join(keys)


@pytest.fixture
async def line() -> Line:
    return Line()


async def test_the_window_bounds_the_number(line: Line) -> None:
    for key in "abcde":
        line.add(key)
    assert line.send() == "abc"
    line.out.confirm(2, multiple=True)
    assert line.send() == "de"


async def test_the_window_bounds_the_bytes_but_lets_one_through(line: Line) -> None:
    for key, size in (("a", 500), ("b", 60), ("c", 60)):
        line.add(key, size=size)
    assert line.send() == "a"
    line.out.confirm(1, multiple=False)
    assert line.send() == "b"


async def test_confirms_may_come_one_by_one_out_of_order(line: Line) -> None:
    entries = [line.add(key) for key in "abc"]
    line.send()
    line.out.confirm(3, multiple=False)
    line.out.confirm(3, multiple=False)
    line.out.confirm(99, multiple=False)
    assert [entry.waiter is not None and entry.waiter.done() for entry in entries] == [False, False, True]
    line.out.confirm(2, multiple=True)
    assert line.out.empty


async def test_a_lost_channel_sends_again_from_the_first_unconfirmed(line: Line) -> None:
    for key in "abcd":
        line.add(key)
    line.send()
    line.out.confirm(1, multiple=False)
    line.out.rewind()
    assert line.send() == "bcd"


async def test_what_nobody_waits_for_any_more_is_not_sent_again(line: Line) -> None:
    first, second = line.add("a"), line.add("b")
    line.send()
    assert first.waiter is not None
    first.waiter.cancel()
    line.out.rewind()
    assert line.send() == "b"
    assert second.waiter is not None


def looks(line: Line, *times: float, excused: bool = False) -> list[bool]:
    return [line.out.stalled(now, excused=excused) for now in times]


async def test_a_first_that_stays_unconfirmed_is_noticed_whatever_is_confirmed_behind(
    line: Line,
) -> None:
    for key in "abcd":
        line.add(key)
    line.send()
    assert looks(line, 100.0, 105.0) == [False, False]
    line.out.confirm(2, multiple=False)
    line.out.confirm(3, multiple=False)
    line.send()
    assert looks(line, 110.0, 110.1) == [False, True]


async def test_it_does_not_stall_while_the_first_is_confirmed_again_and_again(line: Line) -> None:
    for key in "abcd":
        line.add(key)
    line.send()
    for tag in range(1, 5):
        assert looks(line, 9.0 * tag) == [False]
        line.out.confirm(tag, multiple=False)
        line.send()
    assert looks(line, 100.0, 200.0) == [False, False]


async def test_a_new_channel_and_a_known_reason_have_all_their_time(line: Line) -> None:
    line.add("a")
    line.send()
    assert looks(line, 0.0, 9.0) == [False, False]
    line.out.rewind()
    line.send()
    assert looks(line, 18.0) == [False]
    assert looks(line, 50.0, excused=True) == [False]
    assert looks(line, 59.0, 60.1) == [False, True]


async def test_a_lost_connection_leaves_what_was_posted_in_the_outbox(line: Line) -> None:
    posted, published = line.add("a", posted=True), line.add("b")
    waiter = posted.waiter
    line.send()
    line.out.rewind()
    line.out.disconnected()
    assert waiter is not None
    assert waiter.result() is False
    assert line.health.outbox == 1
    assert line.send() == "ab"
    line.out.confirm(2, multiple=True)
    assert line.health.outbox == 0
    assert published.waiter is not None
    assert published.waiter.result() is True


async def test_the_outbox_drops_the_oldest_and_counts(line: Line) -> None:
    for key in "abcd":
        line.shelve(key)
    assert (line.health.outbox, line.health.dropped) == (2, 2)
    assert line.send() == "cd"
    line.out.confirm(2, multiple=True)
    assert line.health.outbox == 0


async def test_the_outbox_is_bounded_in_bytes_too() -> None:
    line = Line(Limits(unconfirmed=3, outbox=100, outbox_bytes=100))
    for key, size in (("a", 60), ("b", 40), ("c", 30), ("d", 50)):
        line.out.shelve(Entry("psepr", key, b"x" * size, None, 10.0, posted=True))
    assert (line.health.outbox, line.health.dropped) == (2, 2)
    assert line.send() == "cd"
    line.out.confirm(2, multiple=True)
    assert line.health.outbox == 0
    # What was confirmed has made room.
    line.out.shelve(Entry("psepr", "e", b"x" * 100, None, 10.0, posted=True))
    assert (line.health.outbox, line.health.dropped) == (1, 2)


async def test_with_one_sent_the_refusal_is_its_own() -> None:
    line = Line()
    entry = line.add("a")
    line.send()
    line.out.blame(Denied("no"), keep_posted=False)
    line.out.rewind()
    assert entry.waiter is not None
    with pytest.raises(Denied):
        entry.waiter.result()
    assert line.out.empty


async def test_with_several_sent_they_go_one_by_one_until_it_is_found(line: Line) -> None:
    entries = [line.add(key) for key in "abc"]
    line.add("d")
    assert line.send() == "abc"
    line.out.blame(Denied("no"), keep_posted=False)
    line.out.rewind()
    assert line.send() == "a"
    line.out.confirm(1, multiple=False)
    assert line.send() == "b"
    line.out.blame(Denied("no"), keep_posted=False)
    line.out.rewind()
    assert line.send() == "c"
    line.out.confirm(1, multiple=False)
    assert line.send() == "d"
    states = [type(e.waiter.exception()) if e.waiter else None for e in entries]
    assert states == [type(None), Denied, type(None)]


async def test_what_was_posted_is_kept_when_the_cause_may_go_away(line: Line) -> None:
    entry = line.add("a", posted=True)
    waiter = entry.waiter
    line.send()
    line.out.blame(Unavailable("no exchange"), keep_posted=True)
    line.out.rewind()
    assert waiter is not None
    assert waiter.result() is False
    assert line.send() == "a"


async def test_a_wait_that_is_over_fails_and_a_post_stays(line: Line) -> None:
    published, posted = line.add("a", deadline=5.0), line.add("b", posted=True, deadline=5.0)
    waiter = posted.waiter
    line.send()
    line.out.expire(4.9)
    assert published.waiter is not None
    assert not published.waiter.done()
    line.out.expire(5.1)
    assert isinstance(published.waiter.exception(), Unavailable)
    assert waiter is not None
    assert waiter.result() is False
    line.out.rewind()
    assert line.send() == "b"


async def test_the_end_tells_all_who_wait(line: Line) -> None:
    entries = [line.add(key) for key in "abcde"]
    line.send()
    line.out.end(Unavailable("closed"))
    assert all(isinstance(e.waiter.exception(), Unavailable) for e in entries if e.waiter)
    assert line.out.empty
