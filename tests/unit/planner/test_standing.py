"""Standing: what holds at a moment, and when time alone changes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dsmt_core.errors import Invalid
from dsmt_core.names import Host
from planner.budget import DEFAULT, budget
from planner.moments import moment, written
from planner.standing import (
    IN_SERVICE,
    NEVER,
    Drain,
    Exclusion,
    Kind,
    Mark,
    Standing,
    Window,
    bar_of,
    bars_at,
    maintained,
    next_change,
)

ONE = Host("n1.org")
BY = {"by": "ann@example.com", "since": 0.0, "reason": "disk swap"}
CORDON = Standing(cordoned=Mark(**BY))  # type: ignore[arg-type]


def window(begins: float, ends: float, *, every: float = 0.0, lead: float = 0.0) -> Window:
    return Window(by="ann", since=0.0, begins=begins, ends=ends, every=every, lead=lead)


def test_a_node_of_which_nothing_is_wanted_is_in_service() -> None:
    assert bar_of(IN_SERVICE, 5.0) is None
    assert not IN_SERVICE
    assert bars_at({ONE: IN_SERVICE}, 5.0) == {}
    assert next_change({ONE: IN_SERVICE}, 5.0) == NEVER


def test_a_bar_says_why_by_whom_and_since_when() -> None:
    bar = bar_of(CORDON, 5.0)
    assert bar is not None
    assert bar.sentence == "cordoned: disk swap (by ann@example.com, since 1970-01-01 00:00 UTC)"
    assert not bar.leaves


def test_a_bar_for_maintenance_says_until_when() -> None:
    bar = bar_of(Standing(windows=(replace(window(60, 120), reason="new disk"),)), 90.0)
    assert bar is not None
    assert bar.until == 120.0
    assert bar.sentence == (
        "maintenance: new disk (by ann, since 1970-01-01 00:00 UTC, until 1970-01-01 00:02 UTC)"
    )


def test_the_strongest_bar_holds() -> None:
    every = replace(
        CORDON,
        drain=Drain(by="ann", since=0.0),
        windows=(window(0, 10),),
        excluded=Exclusion(by="ann", since=0.0),
    )
    kinds = []
    for one in (every, replace(every, excluded=None), replace(every, excluded=None, drain=None), CORDON):
        bar = bar_of(one, 5.0)
        assert bar is not None
        kinds.append((bar.kind, bar.leaves))
    assert kinds == [
        (Kind.EXCLUDED, True),
        (Kind.DRAINING, True),
        (Kind.MAINTENANCE, True),
        (Kind.CORDONED, False),
    ]


def test_a_drain_is_late_at_its_deadline_and_forced_only_when_asked() -> None:
    drain = Drain(by="ann", since=0.0, deadline=60.0)
    for forced in (False, True):
        standing = Standing(drain=replace(drain, force=forced))
        before, after = bar_of(standing, 59.9), bar_of(standing, 60.0)
        assert before is not None
        assert after is not None
        assert (before.late, before.forced) == (False, False)
        assert before.until == after.until == 60.0
        assert (after.late, after.forced) == (True, forced)
        assert next_change({ONE: standing}, 5.0) == 60.0
        assert next_change({ONE: standing}, 60.0) == NEVER


@pytest.mark.parametrize(
    ("now", "barred", "open_"),
    [
        (79.9, False, False),
        (80.0, True, False),
        (100.0, True, True),
        (149.9, True, True),
        (150.0, False, False),
    ],
)
def test_a_window_bars_from_its_lead_on_and_ends_by_itself(
    now: float,
    barred: bool,  # noqa: FBT001
    open_: bool,  # noqa: FBT001
) -> None:
    for days in (0, 3):
        standing = Standing(windows=(window(100, 150, every=86_400.0 if days else 0.0, lead=20),))
        then = now + days * 86_400.0
        assert (bar_of(standing, then) is not None) is barred
        assert maintained({ONE: standing}, then) == (frozenset({ONE}) if open_ else frozenset())


def test_the_times_of_a_window_are_told_one_after_the_other() -> None:
    standings = {ONE: Standing(windows=(window(100, 150, every=1000, lead=20),))}
    now, times = 0.0, []
    for _ in range(4):
        now = next_change(standings, now)
        times.append(now)
    assert times == [80, 150, 1080, 1150]


def test_the_next_change_is_the_first_of_all_windows_and_deadlines() -> None:
    drained = Standing(
        windows=(window(100, 150), window(200, 250)), drain=Drain(by="ann", since=0.0, deadline=500.0)
    )
    times = [next_change({ONE: drained}, now) for now in (0.0, 100.0, 150.0, 200.0, 250.0, 500.0)]
    assert times == [100.0, 150.0, 200.0, 250.0, 500.0, NEVER]


def test_a_window_that_comes_again_is_never_over() -> None:
    standings = {ONE: Standing(windows=(window(100, 150, every=1000, lead=20),))}
    assert not standings[ONE].windows[0].is_over(1e9)
    assert window(100, 150).is_over(150)


@pytest.mark.parametrize(
    ("text", "wanted", "least"),
    [
        ("", 1, 0),
        ("", 9, 8),
        ("", 40, 36),
        ("keep 80%", 4, 4),
        ("keep 80%", 5, 4),
        ("keep 80 %", 6, 5),
        ("keep 50%", 1, 1),
        ("keep 10%", 10, 1),
        ("keep 99%", 100, 99),
        ("keep 3", 5, 3),
        ("keep 3", 2, 3),
        ("max-unavailable 1", 5, 4),
        ("max-unavailable 7", 5, 0),
        ("max-unavailable 10%", 5, 4),
        ("max-unavailable 50%", 5, 3),
        ("max-unavailable 0", 5, 5),
        ("max-unavailable 0%", 5, 5),
        ("keep 100%", 5, 5),
    ],
)
def test_a_budget_says_how_many_have_to_be_up(text: str, wanted: int, least: int) -> None:
    assert budget(text).least(wanted) == least
    assert budget(budget(text).text) == budget(text)


@pytest.mark.parametrize(
    "text",
    ["keep", "80%", "keep -1", "keep 101%", "keep 1.5", "keep all", "lose 1", "keep " + "9" * 99],
)
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        budget(text)
    assert refused.value.message == f"{text[:60]!r} is no disruption budget"
    assert refused.value.hint == (
        "keep N, keep N%, max-unavailable N or max-unavailable N%, such as keep 80%, at most 100%"
    )


def test_the_default_budget_is_one_in_ten_or_one_at_a_time() -> None:
    assert DEFAULT.text == "max-unavailable 10%"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01", 60.0),
        ("1970-01-01T00:01Z", 60.0),
        ("1970-01-01T02:01+02:00", 60.0),
        ("1970-01-02", 86_400.0),
    ],
)
def test_moments_are_iso_8601_and_utc_where_no_zone_is_named(text: str, seconds: float) -> None:
    assert moment(text, "the begin") == seconds


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine's clock is hours from UTC."""
    monkeypatch.setenv("TZ", "XYZ+7")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_away")
def test_moments_are_the_same_wherever_the_machine_stands() -> None:
    assert moment("1970-01-01T00:01", "the begin") == 60.0
    assert written(60.0) == "1970-01-01 00:01 UTC"


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "22:00", "2026-13-01", "1970-01-01T00:00 CET", "60", "soon" * 20]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        moment(text, "the begin")
    assert refused.value.message == f"the begin {text[:40]!r} is no moment"
    assert refused.value.hint == (
        "ISO 8601, such as 2026-05-01T22:00Z or 2026-05-01T22:00+02:00; without a zone it is UTC"
    )


def test_any_number_of_seconds_can_be_written() -> None:
    assert written(60.0) == "1970-01-01 00:01 UTC"
    assert written(1e30).endswith("after 1970")
    assert written(NEVER).endswith("after 1970")
