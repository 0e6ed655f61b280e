"""Which bytes a header asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.ranges import Beyond, Span, span

TAG = '"abc"'


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("", None),
        ("bytes=0-", Span(0, 10)),
        ("bytes=3-", Span(3, 10)),
        ("bytes=3-5", Span(3, 6)),
        ("bytes=3-500", Span(3, 10)),
        ("bytes=-4", Span(6, 10)),
        ("bytes=-400", Span(0, 10)),
        (" bytes=3- ", Span(3, 10)),
        ("bytes=5-3", None),
        ("bytes=-", None),
        ("bytes=--4", None),
        ("bytes=0-1,3-4", None),
        ("bytes=" + "0-," * 10_000, None),
        ("bytes=" + "9" * 19 + "-", None),
        ("bytes=\N{ARABIC-INDIC DIGIT ONE}-", None),
        ("lines=0-1", None),
        ("bytes=1-x", None),
    ],
)
def test_one_range_or_the_whole(asked: str, wanted: Span | None) -> None:
    assert span(asked, "", size=10, tag=TAG) == wanted


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_behind_the_end_is_told(asked: str) -> None:
    with pytest.raises(Beyond):
        span(asked, "", size=10, tag=TAG)


def test_nothing_has_no_range() -> None:
    for asked in ("bytes=0-", "bytes=-5"):
        with pytest.raises(Beyond):
            span(asked, "", size=0, tag=TAG)


def test_a_range_of_another_content_is_the_whole() -> None:
    assert span("bytes=3-", '"other"', size=10, tag=TAG) is None
    assert span("bytes=300-", "Sat, 01 Jan 2000 00:00:00 GMT", size=10, tag=TAG) is None
    assert span("bytes=3-", TAG, size=10, tag=TAG) == Span(3, 10)


@given(st.text(max_size=30), st.integers(0, 100))
def test_whatever_is_asked_the_answer_lies_within(asked: str, size: int) -> None:
    for text in (asked, f"bytes={asked}"):
        try:
            found = span(text, "", size=size, tag=TAG)
        except Beyond:
            continue
        assert found is None or 0 <= found.begin < found.end <= size
