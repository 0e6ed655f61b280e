"""Silences are raised once and cleared once, whatever is heard, forgotten or missed in between."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.events import Event
from dsmt_core.names import Host, Slice
from planner.place import Place, place_of
from planner.silences import KEPT_S, PATIENCE, Silence, Silences, Thing

AGENT = Channel("/org/dsmt/ns/deployment/xyz1/org.dsmt.component.deployment-agent/status/n1/")


def said(channel: str = AGENT, field: str = "status", **more: Any) -> Event:
    return Event(
        **{
            "channel": Channel(channel), "field": field, "service": "xyz1_mgr", "instance": "n1/xyz1/agent",
            "boot_id": "b", "seq": 1, "id": "1", "sent_at": 1.0, "emit_rate": 10.0, **more,
        }
    )  # fmt: skip


def ticked(watch: Silences, now: float, **more: Any) -> list[tuple[bool, float]]:
    """Tick second by second up to ``now``; what came of it, with when."""
    told, at = [], watch._ticked
    while at < now:
        at = min(at + 1, now)
        told += [(each.raised, at) for each in watch.tick(at, **more)]
    return told


def test_a_silence_is_raised_once_after_two_and_a_half_periods_and_cleared_once() -> None:
    watch = Silences(now=0)
    watch.heard(said(), now=0)
    assert ticked(watch, 24) == []
    assert ticked(watch, 200) == [(True, 25)]
    assert [one.thing.field for one in watch.silent()] == ["status"]
    watch.heard(said(), now=200)
    watch.heard(said(), now=201)
    assert ticked(watch, 210) == [(False, 201)]
    assert ticked(watch, 300) == [(True, 226)]


def test_what_is_not_repeated_is_not_watched_unless_its_service_described_how_often() -> None:
    watch = Silences(now=0)
    watch.heard(said(emit_rate=0.0), now=0)
    assert len(watch) == 0
    watch.heard(said(emit_rate=0.0), now=0, greatest_s=4)
    assert ticked(watch, 20) == [(True, 10)]


def test_two_things_of_one_instance_are_two() -> None:
    watch = Silences(now=0)
    for name in ("pinger", "ponger"):
        watch.heard(said(pairs={"application": name}), now=0)
    watch.heard(said(pairs={"application": "pinger"}), now=20)
    assert ticked(watch, 30) == [(True, 25)]
    assert [one.thing.about for one in watch.silent()] == ["ponger"]


def test_a_shorter_period_is_believed_at_once_and_a_longer_one_too() -> None:
    watch = Silences(now=0)
    watch.heard(said(emit_rate=100.0), now=0)
    watch.heard(said(emit_rate=2.0), now=1)
    assert ticked(watch, 10) == [(True, 6)]
    watch.heard(said(emit_rate=100.0), now=10)
    assert ticked(watch, 200) == [(False, 11)]


def test_deafness_a_start_and_a_slow_tick_start_the_clock_anew() -> None:
    watch = Silences(now=100)
    watch.heard(said(), now=90)
    assert ticked(watch, 124) == []
    for now in range(124, 200):
        watch.deafened(now)
        assert ticked(watch, now) == []
    assert ticked(watch, 223) == []
    # Slept through: what arrived meanwhile may not have been read.
    assert watch.tick(300) == []
    assert ticked(watch, 400) == [(True, 325)]


def test_what_ended_in_order_is_forgotten_and_a_silence_of_it_is_cleared() -> None:
    watch = Silences(now=0)
    watch.heard(said(pairs={"application": "pinger"}), now=0)
    watch.heard(said(field="holdings"), now=0)
    watch.ended(said(field="deployment-status", pairs={"managed": "pinger", "status": "terminated"}))
    assert len(watch) == 1
    assert ticked(watch, 30) == [(True, 25)]
    assert [one.thing.field for one in watch.silent()] == ["holdings"]
    watch.forget(slice_=Slice("xyz1"), host=Host("n1"))
    assert ticked(watch, 31) == [(False, 31)]
    assert len(watch) == 0
    assert ticked(watch, 100) == []


def test_what_an_application_says_itself_ends_with_it() -> None:
    watch = Silences(now=0)
    for name in ("pinger", "pinger/2", "pingers"):
        watch.heard(said("/com/example/pinger/", instance=f"n1/xyz1/{name}"), now=0)
    watch.ended(said(field="deployment-status", pairs={"managed": "pinger", "status": "terminated"}))
    assert ticked(watch, 26) == [(True, 25)]
    assert [one.thing.instance for one in watch.silent()] == ["n1/xyz1/pingers"]


def test_a_slice_or_a_host_is_forgotten_with_all_that_is_there_and_nothing_else() -> None:
    watch = Silences(now=0)
    other = AGENT.replace("xyz1", "other")
    elsewhere = AGENT.replace("/n1/", "/n2/")
    for channel in (AGENT, other, elsewhere):
        watch.heard(said(channel), now=0)
    watch.heard(said("/com/example/pinger/", instance="n1/xyz1/pinger"), now=0)
    watch.heard(said("/com/example/monitor/", instance="me"), now=0)
    watch.forget()
    assert len(watch) == 5
    watch.forget(slice_=Slice("other"))
    assert len(watch) == 4
    watch.forget(host=Host("n1"))
    assert len(watch) == 2
    ticked(watch, 30)
    assert {one.place.host for one in watch.silent()} == {"n2", ""}
    watch.forget(slice_=Slice("xyz1"), host=Host("nowhere"))
    assert len(watch) == 2


def test_before_something_is_called_silent_it_is_asked_whether_it_has_ended() -> None:
    watch = Silences(now=0)
    watch.heard(said(), now=0)
    assert ticked(watch, 100, has_ended=lambda watched: watched.place == ("xyz1", "n1")) == []
    assert len(watch) == 0


def test_what_is_not_repeated_any_more_has_ended() -> None:
    watch = Silences(now=0)
    watch.heard(said(), now=0)
    assert ticked(watch, 26) == [(True, 25)]
    watch.heard(said(emit_rate=0.0), now=26)
    assert ticked(watch, 27) == [(False, 27)]
    watch.heard(said(emit_rate=0.0), now=27)
    assert len(watch) == 0


def test_more_than_the_limit_is_counted_and_old_silences_go() -> None:
    watch = Silences(now=0, limit=1)
    watch.heard(said(), now=0)
    watch.heard(said(field="holdings"), now=0)
    watch.heard(said(field="facts"), now=0)
    assert (len(watch), watch.unwatched) == (1, 2)
    assert ticked(watch, 26) == [(True, 25)]
    watch.tick(26 + KEPT_S)
    assert len(watch) == 0


def test_places_come_from_the_channel_or_the_instance() -> None:
    assert place_of(said()) == Place(Slice("xyz1"), Host("n1"))
    command = AGENT.replace("status/n1/", "command/")
    assert place_of(said(command)) == Place(Slice("xyz1"), Host(""))
    assert place_of(said("/org/dsmt/ns/node/n1/facts/")) == Place(Slice(""), Host("n1"))
    assert place_of(said("/com/example/")) == Place(Slice("xyz1"), Host("n1"))
    assert place_of(said("/com/example/", instance="n1/pinger")) == Place(Slice(""), Host(""))


THINGS = [said(field=name, emit_rate=rate) for name, rate in (("a", 1.0), ("b", 3.0), ("c", 10.0))]
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.sampled_from(THINGS)),
        st.tuples(st.just("wait"), st.integers(1, 30)),
        st.tuples(st.just("deaf"), st.none()),
        st.tuples(st.just("end"), st.sampled_from(THINGS)),
    ),
    max_size=60,
)


class Judge:
    """Plays moves, and checks each change by what was really heard."""

    def __init__(self) -> None:
        self.watch, self.now, self.deaf_at = Silences(now=0), 0.0, 0.0
        self.open: set[Thing] = set()
        self.heard: dict[Thing, float] = {}

    def hear(self, event: Event) -> None:
        self.heard[Thing(event.channel, event.instance, event.field, "")] = self.now
        self.watch.heard(event, now=self.now)

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.check(self.watch.tick(self.now))

    def deaf(self, _: None) -> None:
        self.deaf_at = self.now
        self.watch.deafened(self.now)

    def end(self, event: Event) -> None:
        self.watch.ended(event)

    def check(self, changes: list[Silence]) -> None:
        for change in changes:
            thing = change.watched.thing
            assert (thing in self.open) is not change.raised
            if change.raised:
                since = max(self.heard[thing], self.deaf_at)
                assert self.now - since >= PATIENCE * change.watched.period
            (self.open.add if change.raised else self.open.discard)(thing)


@given(MOVES)
def test_raised_and_cleared_take_turns_and_nothing_is_called_silent_too_soon(
    moves: list[tuple[str, Any]],
) -> None:
    judge = Judge()
    for move, value in moves:
        getattr(judge, move)(value)
    judge.check(judge.watch.tick(judge.now))
    assert {one.thing for one in judge.watch.silent()} == judge.open


class Unscanned(dict[Thing, Any]):
    """Looked up one by one, and never gone through."""

    def __iter__(self) -> Any:
        raise AssertionError

    keys = values = items = __iter__


def test_many_things_cost_what_becomes_due() -> None:
    watch = Silences(now=0)
    events = [said(AGENT.replace("n1", f"n{number}"), emit_rate=60.0) for number in range(20_000)]
    for event in events:
        watch.heard(event, now=0)
    watch._watched = Unscanned(watch._watched)
    for now in range(1, 140):
        assert watch.tick(now) == []
    for event in events[1:]:
        watch.heard(event, now=140)
    told = [each for now in range(141, 200) for each in watch.tick(now)]
    assert [each.watched.thing.channel for each in told] == [events[0].channel]
    assert len(watch._due) < 2 * len(watch) + 1_000


N1 = frozenset({Host("n1")})


def test_silence_on_a_node_that_people_work_on_is_not_raised_and_counts_from_when_they_have_done() -> None:
    watch = Silences(now=0)
    watch.heard(said(), now=0)
    watch.heard(said(instance="n2/xyz1/agent", channel=AGENT.replace("n1", "n2")), now=0)
    assert ticked(watch, 100, maintained=N1) == [(True, 25)]
    assert [one.place.host for one in watch.silent()] == ["n2"]
    assert ticked(watch, 200) == [(True, 125)]


def test_what_was_silent_when_people_begin_is_so_no_longer_and_raised_again_if_it_stays_so() -> None:
    watch = Silences(now=0)
    watch.heard(said(), now=0)
    assert ticked(watch, 30) == [(True, 25)]
    (cleared,) = watch.tick(31, maintained=N1)
    assert (cleared.raised, cleared.reason) == (False, "people work on its node")
    assert list(watch.silent()) == []
    assert ticked(watch, 50, maintained=N1) == []
    watch.heard(said(), now=51)
    assert ticked(watch, 60, maintained=N1) == []
    assert ticked(watch, 200) == [(True, 85)]


def test_what_is_heard_after_a_window_counts_from_when_it_was_heard() -> None:
    watch = Silences(now=1e9)
    watch.heard(said(), now=1e9)
    assert ticked(watch, 1e9 + 50, maintained=N1) == []
    assert ticked(watch, 1e9 + 60) == []
    watch.heard(said(), now=1e9 + 60)
    assert ticked(watch, 1e9 + 100) == [(True, 1e9 + 85)]
    # The window is over since 50 s.
    again = Silences(now=1e9)
    again.heard(said(), now=1e9)
    ticked(again, 1e9 + 50, maintained=N1)
    assert ticked(again, 1e9 + 100) == [(True, 1e9 + 75)]


def test_each_change_says_why() -> None:
    watch = Silences(now=0)

    def told(now: float) -> list[str]:
        for at in range(int(watch._ticked) + 1, int(now)):
            assert watch.tick(at) == []
        return [change.reason for change in watch.tick(now)]

    watch.heard(said(), now=5)
    assert told(30) == ["not heard for 25.0 s; it comes every 10 s"]
    watch.heard(said(), now=31)
    assert told(31) == ["it is heard again"]
    assert told(56) == ["not heard for 25.0 s; it comes every 10 s"]
    watch.heard(said(emit_rate=0.0), now=57)
    assert told(57) == ["it is not repeated any more"]
    watch.heard(said(emit_rate=0.5), now=58)
    assert told(60) == ["not heard for 2.0 s; it comes every 0.5 s"]
    watch.forget(host=Host("n1"))
    assert told(61) == ["it has ended"]
    watch.heard(said(emit_rate=0.5), now=61)
    assert told(63) == ["not heard for 2.0 s; it comes every 0.5 s"]
    assert [change.reason for change in watch.tick(63 + KEPT_S)] == ["nobody has asked for it for long"]


def test_a_tick_that_comes_five_seconds_after_the_last_has_not_slept() -> None:
    watch = Silences(now=0)
    watch.heard(said(), now=0)
    assert [watch.tick(now) for now in (5, 10, 15, 20)] == [[]] * 4
    assert [change.raised for change in watch.tick(25)] == [True]


def test_what_is_said_ever_more_often_costs_no_memory_and_is_missed_in_time() -> None:
    watch = Silences(now=0)
    for period in range(5_000, 1, -1):
        watch.heard(said(emit_rate=float(period)), now=0)
        assert len(watch._due) <= 1_003
    assert ticked(watch, 10) == [(True, 5)]


def test_a_window_of_long_ago_is_forgotten() -> None:
    watch = Silences(now=0)
    watch.tick(1, maintained=N1)
    watch.tick(1 + KEPT_S)
    assert watch._excused == {}
