"""What was: passages, what instances went through, and what charts and reports make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.names import Application, Host, Slice
from planner.fleet import SeenRow
from planner.past import (
    AWAY,
    HERE,
    NODE,
    NOWHERE,
    PLANNER,
    Condition,
    Instance,
    Passage,
    Recorder,
    Span,
    availability,
    instances,
    series,
)
from planner.past.passages import REASON_MOST, plain
from planner.wanted import Placement, Run, Wanted, WantedSlice

H1, H2, WEB = Host("h1"), Host("h2"), Slice("web")
PINGER = Application("pinger")
NO_SLICE = Slice("")


def node(state: str, host: Host = H1) -> SeenRow:
    return SeenRow(host, NO_SLICE, {"state": state})


def layer(state: str, since: float) -> dict[str, object]:
    return {"state": state, "since": since}


def sliver(state: str, since: float) -> SeenRow:
    layers = {"container": layer("running", 1.0), "agent": layer("running", 2.0)}
    return SeenRow(H1, WEB, {**layers, "applications": {PINGER: {"layer": layer(state, since)}}})


def wanted(run: Run | None) -> Wanted:
    placed = Placement(
        slice=WEB, application=PINGER, host=H1, version="1", generation=1, run=run or Run.RUNNING
    )
    slice_ = WantedSlice(name=WEB, managed=True, generation=1)
    return Wanted({WEB: replace(slice_, placements=(placed,) if run else ())})


def told(passages: Sequence[Passage]) -> list[tuple[float, str, str]]:
    return [(one.at, one.part, one.state) for one in passages]


def test_a_change_is_told_once_and_with_the_time_that_was_said() -> None:
    recorder = Recorder()
    assert told(recorder.seen([node("alive")], 10.0)) == [(10.0, NODE, "alive")]
    assert recorder.seen([node("alive")], 11.0) == []
    parts = [
        (1.0, "container", "running"),
        (2.0, "agent", "running"),
        (5.0, "application:pinger", "requested"),
    ]
    assert told(recorder.seen([sliver("requested", 5.0)], 12.0)) == parts
    assert told(recorder.seen([sliver("running", 13.5)], 14.0)) == [(13.5, "application:pinger", "running")]


def test_why_is_told_with_what_changed() -> None:
    recorder = Recorder()
    recorder.seen([node("alive"), sliver("running", 5.0)], 6.0)
    (failed,) = recorder.seen([node("failed")], 7.0, lambda host, state: f"{host} is {state}, they say")
    assert failed.reason == "h1 is failed, they say"
    # Nothing speaks against one that is well.
    (alive,) = recorder.seen([node("alive")], 8.0, lambda _host, _state: "old")
    assert alive.reason == ""
    layers = {"container": layer("running", 1.0), "agent": layer("running", 2.0)}
    ended = {**layer("failed", 8.5), "reason": "it ended\n with\0 1 " + "x" * 2000}
    row = SeenRow(H1, WEB, {**layers, "applications": {PINGER: {"layer": ended}}})
    (ended_,) = recorder.seen([row], 9.0)
    assert ended_.reason == ("it ended with 1 " + "x" * 2000)[:REASON_MOST]
    again = {"layer": layer("requested", 9.5), "gave_up": "1.9-1 it never ran"}
    (given_up,) = recorder.seen([SeenRow(H1, WEB, {**layers, "applications": {PINGER: again}})], 10.0)
    assert given_up.reason == "it never ran"


@given(st.text(st.characters(), max_size=400))
def test_a_reason_is_a_line_that_can_be_written(text: str) -> None:
    line = plain(text)
    assert len(line) <= REASON_MOST
    assert line.encode().decode() == line
    assert "\0" not in line
    assert not {"\n", "\r", "\t"} & set(line)


def test_a_version_is_told_even_when_the_state_is_the_same_again() -> None:
    recorder = Recorder()

    def running(version: str, since: float) -> SeenRow:
        layers = {"container": layer("running", 1.0), "agent": layer("running", 2.0)}
        one = {"layer": layer("running", since), "version": version}
        return SeenRow(H1, WEB, {**layers, "applications": {PINGER: one}})

    recorder.seen([running("1.8-1", 5.0)], 6.0)
    assert told(recorder.seen([running("1.9-1", 7.5)], 8.0)) == [(7.5, "version:pinger", "1.9-1")]
    assert recorder.seen([running("1.9-1", 7.5)], 9.0) == []
    # The column of states holds no more.
    assert told(recorder.seen([running("2" * 40, 9.5)], 10.0)) == [(9.5, "version:pinger", "2" * 20)]


def test_a_time_that_cannot_be_is_not_believed() -> None:
    recorder = Recorder()
    recorder.seen([sliver("running", 13.0)], 14.0)
    # Before what was written, or to come.
    assert told(recorder.seen([sliver("failed", 3.0)], 20.0)) == [(20.0, "application:pinger", "failed")]
    assert told(recorder.seen([sliver("running", 99.0)], 21.0)) == [(21.0, "application:pinger", "running")]


def test_what_is_gone_is_told_and_what_is_wanted_stays() -> None:
    recorder = Recorder()
    recorder.wanted(wanted(Run.RUNNING), 9.0)
    recorder.seen([sliver("running", 9.0)], 10.0)
    gone = recorder.seen([SeenRow(H1, WEB, None)], 11.0)
    assert {one.part for one in gone} == {"container", "agent", "application:pinger"}
    assert {one.state for one in gone} == {""}
    assert told(recorder.wanted(wanted(None), 12.0)) == [(12.0, "wanted:pinger", "")]
    assert recorder.wanted(Wanted(), 13.0) == []


def test_wishes_are_told_when_they_change() -> None:
    recorder = Recorder()
    first = wanted(Run.RUNNING)
    assert told(recorder.wanted(first, 1.0)) == [(1.0, "wanted:pinger", "running")]
    assert recorder.wanted(first, 2.0) == []
    assert told(recorder.wanted(wanted(Run.STOPPED), 3.0)) == [(3.0, "wanted:pinger", "stopped")]


def test_a_recorder_goes_on_where_the_last_one_ended() -> None:
    first = Recorder()
    stored = [
        *first.seen([node("alive"), sliver("running", 3.0)], 4.0),
        *first.wanted(wanted(Run.RUNNING), 4.0),
    ]
    second = Recorder(stored)
    assert second.seen([node("alive"), sliver("running", 3.0)], 9.0) == []
    assert second.wanted(wanted(Run.RUNNING), 9.0) == []
    # What is wanted no more since then is noticed, too.
    assert told(Recorder(stored).wanted(Wanted(), 9.0)) == [(9.0, "wanted:pinger", "")]


def passage(at: float, part: str, state: str, host: Host = H1, slice_: Slice = WEB) -> Passage:
    return Passage(at, host, slice_, part, state)


COURSE = [
    Passage(0.0, *NOWHERE, PLANNER, HERE),
    passage(0.0, NODE, "alive", slice_=NO_SLICE),
    passage(10.0, "wanted:pinger", "running"),
    passage(20.0, "application:pinger", "running"),
    passage(30.0, NODE, "failed", slice_=NO_SLICE),
    passage(40.0, NODE, "alive", slice_=NO_SLICE),
    Passage(50.0, *NOWHERE, PLANNER, AWAY),
    Passage(60.0, *NOWHERE, PLANNER, HERE),
    passage(70.0, "wanted:pinger", "stopped"),
]
SPANS = (
    Span(10.0, 20.0, Condition.WAITING),
    Span(20.0, 30.0, Condition.RUNNING),
    Span(30.0, 40.0, Condition.FAILED),
    Span(40.0, 50.0, Condition.RUNNING),
    Span(50.0, 60.0, Condition.UNKNOWN),
    Span(60.0, 70.0, Condition.RUNNING),
)


def test_an_instance_is_as_its_node_its_agent_and_the_planner_say() -> None:
    assert instances(COURSE, 0.0, 100.0) == [Instance(H1, WEB, PINGER, SPANS)]


def test_a_time_cuts_what_goes_over_its_ends() -> None:
    (one,) = instances(COURSE[:4], 25.0, 28.0)
    assert one.spans == (Span(25.0, 28.0, Condition.RUNNING),)
    assert instances(COURSE, 80.0, 90.0) == []


def test_availability_leaves_out_what_nobody_saw() -> None:
    (stood,) = availability(instances(COURSE, 0.0, 100.0), lambda one: one.application)
    assert (stood.wanted_s, stood.running_s, stood.unknown_s) == (50.0, 30.0, 10.0)
    assert stood.share == 0.6
    # Coming up for the first time is none.
    assert (stood.outages, stood.longest_s) == (1, 10.0)


def test_an_outage_of_several_kinds_is_one() -> None:
    down = (
        Span(0.0, 1.0, Condition.RUNNING),
        Span(1.0, 2.0, Condition.FAILED),
        Span(2.0, 3.0, Condition.UNKNOWN),
        Span(3.0, 5.0, Condition.WAITING),
        Span(5.0, 6.0, Condition.RUNNING),
        Span(6.0, 7.0, Condition.FAILED),
    )
    (stood,) = availability([Instance(H1, WEB, PINGER, down)], lambda one: one.host)
    assert (stood.outages, stood.longest_s) == (2, 3.0)


def test_the_worst_comes_first_and_what_is_not_known_last() -> None:
    def one(host: str, *spans: Span) -> Instance:
        return Instance(Host(host), WEB, PINGER, spans)

    found = [
        one("good", Span(0.0, 9.0, Condition.RUNNING)),
        one("dark", Span(0.0, 9.0, Condition.UNKNOWN)),
        one("bad", Span(0.0, 9.0, Condition.FAILED)),
    ]
    stood = availability(found, lambda each: each.host)
    assert [(each.name, each.share) for each in stood] == [("bad", 0.0), ("good", 1.0), ("dark", None)]
    # What never ran has no outage, but the time is told.
    assert [(each.outages, each.longest_s) for each in stood] == [(0, 9.0), (0, 0.0), (0, 0.0)]


def test_a_chart_counts_at_equal_distances() -> None:
    samples = series(instances(COURSE, 0.0, 100.0), 0.0, 100.0, 11)
    assert [one.at for one in samples] == [10.0 * point for point in range(11)]
    assert [one.running for one in samples] == [0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0]
    assert [one.waiting for one in samples] == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert [one.failed for one in samples] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert [one.unknown for one in samples] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]


STATES = {
    "wanted:pinger": ["", "running", "stopped"],
    "application:pinger": ["", "requested", "running", "failed"],
    NODE: ["alive", "failed", "suspect"],
    PLANNER: [HERE, AWAY],
}


@st.composite
def courses(draw: st.DrawFn) -> list[Passage]:
    found = []
    for part, states in STATES.items():
        place = (H1, NO_SLICE) if part == NODE else NOWHERE if part == PLANNER else (H1, WEB)
        times = sorted(draw(st.lists(st.integers(0, 100), max_size=6, unique=True)))
        found += [Passage(float(at), *place, part, draw(st.sampled_from(states))) for at in times]
    return sorted(found)


@given(courses(), st.integers(0, 99), st.integers(1, 50), st.integers(2, 40))
def test_spans_tile_the_time_in_which_it_was_wanted(
    course: list[Passage], begin: int, length: int, points: int
) -> None:
    end = begin + length
    found = instances(course, begin, end)
    spans = [span for one in found for span in one.spans]
    assert all(begin <= span.begin < span.end <= end for span in spans)
    for first, second in pairwise(spans):
        assert first.end <= second.begin
        assert first.end < second.begin or first.condition is not second.condition
    for moment in range(begin, end):
        at = dict.fromkeys(STATES, "")
        for one in course:
            if one.at <= moment:
                at[one.part] = one.state
        here = [span.condition for span in spans if span.begin <= moment < span.end]
        assert here == expected(at)
    samples = series(found, begin, end, points)
    for sample in samples[:-1]:
        here = [
            span.condition
            for span in spans
            if span.begin <= sample.at + 1e-9 and sample.at + 1e-9 < span.end
        ]
        count = {each.value: here.count(each) for each in Condition}
        assert {name: getattr(sample, name) for name in count} == count


def expected(at: dict[str, str]) -> list[Condition]:
    if at["wanted:pinger"] != "running":
        return []
    if at[PLANNER] == AWAY:
        return [Condition.UNKNOWN]
    if "failed" in {at[NODE], at["application:pinger"]}:
        return [Condition.FAILED]
    return [Condition.RUNNING if at["application:pinger"] == "running" else Condition.WAITING]
