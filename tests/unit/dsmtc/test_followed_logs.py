"""Logs that are taken up again: whatever comes twice is shown once, and nothing is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dsmtc.client.looked_in import LogLine
from dsmtc.followed_logs import Shown

PRINTED = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=40)


def lines_of(printed: list[tuple[str, int]]) -> list[LogLine]:
    """As nodes print them: the times of each grow, and several lines may have the same."""
    at = {"a": 0, "b": 0}
    lines = []
    for number, (host, later) in enumerate(printed):
        at[host] += later
        lines.append(LogLine(host=host, at=f"{at[host]:06d}", text=str(number)))
    return lines


def of(lines: list[LogLine], host: str) -> list[LogLine]:
    return [one for one in lines if one["host"] == host]


@given(printed=PRINTED, cuts=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=3))
def test_each_line_is_shown_once(printed: list[tuple[str, int]], cuts: list[tuple[int, int]]) -> None:
    lines, shown = lines_of(printed), Shown(0.0)
    got: list[LogLine] = []
    upto = 0
    for cut, overlap in [*sorted(cuts), (len(lines), 0)]:
        upto = max(upto, min(cut, len(lines)))
        since = {host: max((int(one["at"]) for one in of(got, host)), default=0) - overlap for host in "ab"}
        shown.again()
        # As a node begins: at the first line of a time, never in the middle of it.
        told = [one for one in lines[:upto] if int(one["at"]) >= since[one["host"]]]
        got += [one for one in told if shown.takes(one, 1.0)]
    assert [of(got, host) for host in "ab"] == [of(lines, host) for host in "ab"]


def test_what_is_no_line_of_a_log_is_always_shown() -> None:
    shown = Shown(0.0)
    trouble = LogLine(host="a", trouble="it did not answer")
    assert shown.takes(LogLine(host="a", at="2", text="x"), 1.0)
    shown.again()
    assert shown.takes(trouble, 2.0)
    assert not shown.takes(LogLine(host="a", at="2", text="x"), 2.0)
    assert shown.takes(trouble, 2.0)
    assert shown.takes(LogLine(host="a", at="2", text="y"), 2.0)


def test_it_is_asked_again_since_the_last_was_heard_or_one_was_silent() -> None:
    shown = Shown(5.0)
    assert shown.again() == 5.0
    shown.takes(LogLine(host="a", at="1", text="x"), 7.0)
    shown.takes(LogLine(host="b", trouble="it did not answer"), 8.0)
    shown.takes(LogLine(host="a", at="2", text="y"), 20.0)
    assert shown.again() == 8.0
    shown.takes(LogLine(host="b", at="1", text="z"), 21.0)
    assert shown.again() == 21.0
