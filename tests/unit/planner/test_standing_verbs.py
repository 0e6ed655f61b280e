"""What verbs of people make of the standing of a node."""

from __future__ import annotations

from dataclasses import replace

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
    standing = say(IN_SERVICE, Verb.CORDON)
    assert standing.cordoned == MARK
    standing = say(standing, Verb.DRAIN, deadline_s=600.0, force=True)
    assert standing.drain is not None
    assert (standing.drain.deadline, standing.drain.force) == (NOW + 600, True)
    standing = say(standing, Verb.EXCLUDE, at_once=True)
    assert standing.excluded is not None
    assert standing.excluded.at_once
    standing = say(standing, Verb.WINDOW, window=window(10, 20))
    standing = say(standing, Verb.DISTRUST)
    assert distrusted({Host("n1"): standing, Host("n2"): IN_SERVICE}) == {Host("n1"): MARK}
    for verb in (Verb.INCLUDE, Verb.CANCEL_DRAIN, Verb.CANCEL_WINDOWS, Verb.TRUST):
        standing = say(standing, verb)
    assert standing == Standing(cordoned=MARK)
    assert say(standing, Verb.UNCORDON) == IN_SERVICE


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
    with pytest.raises(DsmtError, match="at most 16"):
        say(standing, Verb.WINDOW, window=window(1, 2))
    again = say(standing, Verb.WINDOW, window=replace(window(50, 55), reason="other"))
    assert (len(again.windows), again.windows[0].reason) == (16, "other")


@pytest.mark.parametrize(
    ("verb", "more", "words"),
    [
        (Verb.EXCLUDE, {"mark": replace(MARK, reason="")}, "for a reason"),
        (Verb.DISTRUST, {"mark": replace(MARK, reason="")}, "for a reason"),
        (Verb.CORDON, {"mark": replace(MARK, reason="x" * 257)}, "257 characters"),
        (Verb.CORDON, {"mark": replace(MARK, reason="\x07")}, "the reason"),
        (Verb.DRAIN, {"deadline_s": 0.0}, "a drain within 0 s"),
        (Verb.DRAIN, {"deadline_s": float("nan")}, "a drain within"),
        (Verb.DRAIN, {"deadline_s": 367 * DAY}, "a drain within"),
        (Verb.DRAIN, {"force": True}, "needs a deadline"),
        (Verb.WINDOW, {}, "needs a time"),
        (Verb.WINDOW, {"window": window(20, 10)}, "ends after it begins"),
        (Verb.WINDOW, {"window": window(10, 367 * DAY)}, "ends after it begins"),
        (Verb.WINDOW, {"window": window(10, float("nan"))}, "ends after it begins"),
        (Verb.WINDOW, {"window": window(400 * DAY, 401 * DAY)}, "within 366 days"),
        (Verb.WINDOW, {"window": window(10, 20, lead=-1)}, "the lead"),
        (Verb.WINDOW, {"window": window(10, 20, every=3600)}, "every day or every week"),
        (Verb.WINDOW, {"window": window(10, 20 + DAY / 2, every=DAY, lead=DAY / 2)}, "never end"),
        (Verb.WINDOW, {"window": window(-20, -10)}, "over already"),
    ],
)
def test_what_is_not_legal_is_refused_with_the_cause(
    verb: Verb, more: dict[str, object], words: str
) -> None:
    with pytest.raises(DsmtError, match=words):
        say(IN_SERVICE, verb, **more)  # type: ignore[arg-type]


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


@given(standings)
def test_what_is_written_is_read_again(standing: Standing) -> None:
    assert read_standing(written_standing(standing)) == standing
