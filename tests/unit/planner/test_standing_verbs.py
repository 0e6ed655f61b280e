"""What verbs of people make of the standing of a node."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import DsmtError
from dsmt_core.names import Host
from planner.standing import (
    IN_SERVICE,
    NEVER,
    Drain,
    Exclusion,
    Mark,
    Standing,
    Verb,
    Window,
    Wish,
    distrusted,
    read_standing,
    wished,
    written_standing,
)

NOW = 1_000_000.0
MARK = Mark(by="ann@example.com", since=NOW, reason="disk swap")
DAY = 86_400.0


def say(before: Standing, verb: Verb, *, mark: Mark = MARK, **more: object) -> Standing:
    return wished(before, Wish(verb=verb, mark=mark, **more), NOW)  # type: ignore[arg-type]


def window(begins: float, ends: float, *, every: float = 0.0, lead: float = 0.0) -> Window:
    return Window(by="ann", since=NOW, begins=NOW + begins, ends=NOW + ends, every=every, lead=lead)


def test_what_is_said_can_be_taken_back() -> None:
    said = asdict(MARK)
    standing = say(IN_SERVICE, Verb.CORDON)
    assert standing.cordoned == MARK
    standing = say(standing, Verb.DRAIN, deadline_s=600.0, force=True)
    assert standing.drain == Drain(deadline=NOW + 600, force=True, **said)
    standing = say(standing, Verb.EXCLUDE, at_once=True)
    assert standing.excluded == Exclusion(at_once=True, **said)
    standing = say(standing, Verb.WINDOW, window=window(10, 20))
    standing = say(standing, Verb.DISTRUST)
    assert distrusted({Host("n1"): standing, Host("n2"): IN_SERVICE}) == {Host("n1"): MARK}
    for verb in (Verb.INCLUDE, Verb.CANCEL_DRAIN, Verb.CANCEL_WINDOWS, Verb.TRUST):
        standing = say(standing, verb)
    assert standing == Standing(cordoned=MARK)
    assert say(standing, Verb.UNCORDON) == IN_SERVICE


def test_every_verb_forgets_windows_that_are_over() -> None:
    both = Standing(windows=(window(-20, -10), window(10, 20)))
    assert say(both, Verb.CORDON).windows == (window(10, 20),)


def test_a_node_that_was_drained_is_given_back_by_uncordon() -> None:
    assert say(say(IN_SERVICE, Verb.DRAIN), Verb.UNCORDON) == IN_SERVICE


@pytest.mark.parametrize(
    "verb", [Verb.INCLUDE, Verb.UNCORDON, Verb.CANCEL_DRAIN, Verb.CANCEL_WINDOWS, Verb.TRUST]
)
def test_taking_back_what_was_not_said_changes_nothing(verb: Verb) -> None:
    assert say(IN_SERVICE, verb) == IN_SERVICE


def test_windows_are_sorted_bounded_and_forgotten_when_they_are_over() -> None:
    standing = Standing(windows=(window(-20, -10),))
    for begin in range(200, 40, -10):
        standing = say(standing, Verb.WINDOW, window=window(begin, begin + 5))
    assert [one.begins - NOW for one in standing.windows] == list(range(50, 210, 10))
    with pytest.raises(DsmtError) as full:
        say(standing, Verb.WINDOW, window=window(1, 2))
    assert full.value.message == "a node has at most 16 windows"
    assert full.value.hint == "take them away: dsmtc nodes window HOST --cancel"
    again = say(standing, Verb.WINDOW, window=replace(window(50, 55), reason="other"))
    assert (len(again.windows), again.windows[0].reason) == (16, "other")


WHEN = "--from TIME and --to TIME or --for 2h"
LENGTH = "a window ends after it begins, and lasts at most 366 days"
LEAD = "the lead of a window is at least 0 s and at most 366 days"
NEAR = "a window begins within 366 days of now"
TOO_LONG = ("the window with its lead would never end", "make it shorter, or exclude the node")


@pytest.mark.parametrize(
    ("verb", "more", "message", "hint"),
    [
        (
            Verb.EXCLUDE,
            {"mark": replace(MARK, reason="")},
            "a node is excluded for a reason",
            'say which: --reason "disk fails"',
        ),
        (
            Verb.DISTRUST,
            {"mark": replace(MARK, reason="")},
            "a node is distrusted for a reason",
            'say which: --reason "it loses packets"',
        ),
        (
            Verb.CORDON,
            {"mark": replace(MARK, reason="x" * 257)},
            "the reason has 257 characters",
            "at most 256",
        ),
        (
            Verb.DRAIN,
            {"force": True},
            "force needs a deadline: what is left then is stopped",
            "such as --deadline 10m --force",
        ),
        (Verb.WINDOW, {}, "a window needs a time", WHEN),
        (Verb.WINDOW, {"window": window(20, 10)}, LENGTH, ""),
        (Verb.WINDOW, {"window": window(10, 10)}, LENGTH, ""),
        (Verb.WINDOW, {"window": window(10, 367 * DAY)}, LENGTH, ""),
        (Verb.WINDOW, {"window": window(10, float("nan"))}, LENGTH, ""),
        (Verb.WINDOW, {"window": window(400 * DAY, 401 * DAY)}, NEAR, ""),
        (Verb.WINDOW, {"window": window(-367 * DAY, 0, every=DAY)}, LENGTH, ""),
        (Verb.WINDOW, {"window": window(-367 * DAY, -366.5 * DAY, every=DAY)}, NEAR, ""),
        (Verb.WINDOW, {"window": window(10, 20, lead=-1)}, LEAD, ""),
        (Verb.WINDOW, {"window": window(10, 20, lead=367 * DAY)}, LEAD, ""),
        (
            Verb.WINDOW,
            {"window": window(10, 20, every=3600)},
            "a window comes once, every day or every week",
            "",
        ),
        (Verb.WINDOW, {"window": window(10, 20 + DAY / 2, every=DAY, lead=DAY / 2)}, *TOO_LONG),
        (Verb.WINDOW, {"window": window(0, DAY / 2, every=DAY, lead=DAY / 2)}, *TOO_LONG),
        (
            Verb.WINDOW,
            {"window": window(-20, -10)},
            "the window is over already",
            "without a time zone, times are UTC",
        ),
    ],
)
def test_what_is_not_legal_is_refused_with_the_cause_and_what_to_do(
    verb: Verb, more: dict[str, object], message: str, hint: str
) -> None:
    with pytest.raises(DsmtError) as refused:
        say(IN_SERVICE, verb, **more)  # type: ignore[arg-type]
    assert (refused.value.message, refused.value.hint) == (message, hint)


@pytest.mark.parametrize("within", [0.0, -1.0, float("nan"), 366 * DAY + 1])
def test_a_drain_takes_some_time_and_at_most_a_year_or_any_time(within: float) -> None:
    with pytest.raises(DsmtError) as refused:
        say(IN_SERVICE, Verb.DRAIN, deadline_s=within)
    assert refused.value.message == f"a drain within {within:g} s"
    assert refused.value.hint == "above 0 s and at most 366 days"


def test_a_reason_is_text() -> None:
    with pytest.raises(DsmtError, match="the reason holds a character"):
        say(IN_SERVICE, Verb.CORDON, mark=replace(MARK, reason="\x07"))


def test_the_bounds_themselves_are_legal() -> None:
    longest = replace(MARK, reason="x" * 256)
    assert say(IN_SERVICE, Verb.CORDON, mark=longest).cordoned == longest
    for within in (0.5, 366 * DAY, NEVER):
        drain = say(IN_SERVICE, Verb.DRAIN, deadline_s=within).drain
        assert drain is not None
        assert drain.deadline == NOW + within
    for one in (
        window(366 * DAY, 732 * DAY, lead=366 * DAY),
        window(-366 * DAY, 10 - 366 * DAY, every=DAY),
        window(10, 20, every=7 * DAY),
    ):
        assert say(IN_SERVICE, Verb.WINDOW, window=one).windows == (one,)


marks = {"by": st.text(max_size=5), "since": st.floats(0, 1e9), "reason": st.text(max_size=5)}
seconds = st.floats(0, 1e9)
standings = st.builds(
    Standing,
    excluded=st.none() | st.builds(Exclusion, at_once=st.booleans(), **marks),
    cordoned=st.none() | st.builds(Mark, **marks),
    drain=st.none() | st.builds(Drain, deadline=seconds | st.just(NEVER), force=st.booleans(), **marks),
    windows=st.lists(
        st.builds(Window, begins=seconds, ends=seconds, every=seconds, lead=seconds, **marks), max_size=3
    ).map(tuple),
    distrusted=st.none() | st.builds(Mark, **marks),
)


def test_a_standing_is_written_as_json_and_what_never_comes_as_null() -> None:
    standing = say(say(IN_SERVICE, Verb.DRAIN), Verb.WINDOW, window=window(10, 20))
    said = asdict(MARK)
    assert written_standing(standing) == {
        "drain": {**said, "deadline": None, "force": False},
        "windows": [asdict(window(10, 20))],
    }


def test_each_part_of_a_standing_is_read_by_its_name() -> None:
    said = asdict(MARK)
    each = {
        "excluded": Standing(excluded=Exclusion(at_once=True, **said)),
        "cordoned": Standing(cordoned=MARK),
        "drain": Standing(drain=Drain(deadline=NOW + 600, **said)),
        "windows": Standing(windows=(window(10, 20), window(30, 40))),
        "distrusted": Standing(distrusted=MARK),
    }
    for name, standing in each.items():
        assert written_standing(standing).keys() == {name}
        assert read_standing(written_standing(standing)) == standing
    assert read_standing({"drain": {**said, "deadline": None, "force": True}}) == Standing(
        drain=Drain(force=True, **said)
    )
    assert read_standing({}) == IN_SERVICE


@given(standings)
def test_what_is_written_is_read_again(standing: Standing) -> None:
    assert read_standing(written_standing(standing)) == standing
