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
    lines, shown = lines_of(printed), Shown()
    got: list[LogLine] = []
    upto = 0
    for cut, overlap in [*sorted(cuts), (len(lines), 0)]:
        upto = max(upto, min(cut, len(lines)))
        since = {host: max((int(one["at"]) for one in of(got, host)), default=0) - overlap for host in "ab"}
        shown.again()
        # As a node begins: at the first line of a time, never in the middle of it.
        got += filter(shown.takes, [one for one in lines[:upto] if int(one["at"]) >= since[one["host"]]])
    assert [of(got, host) for host in "ab"] == [of(lines, host) for host in "ab"]


def test_what_is_no_line_of_a_log_is_always_shown() -> None:
    shown = Shown()
    trouble = LogLine(host="a", trouble="it did not answer")
    assert shown.takes(LogLine(host="a", at="2", text="x"))
    shown.again()
    assert shown.takes(trouble)
    assert not shown.takes(LogLine(host="a", at="2", text="x"))
    assert shown.takes(trouble)
    assert shown.takes(LogLine(host="a", at="2", text="y"))
