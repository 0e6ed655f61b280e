"""How applications stood, as people and spreadsheets see it."""

from __future__ import annotations

import pytest

from dsmtc.client.past import Availability, Stood
from dsmtc.rendering.past import as_csv, availability, lasted, percent
from dsmtc.rendering.table import lines


def stood(name: str, share: float | None, *, outages: int = 0, longest_s: float = 0.0) -> Stood:
    return {
        "name": name,
        "share": share,
        "wanted_s": 86_400.0,
        "running_s": 0.0 if share is None else 86_400.0 * share,
        "unknown_s": 0.0,
        "outages": outages,
        "longest_s": longest_s,
    }


def some(*rows: Stood) -> Availability:
    return {"since": 0.0, "until": 86_400.0, "by": "node", "rows": list(rows)}


def test_people_see_a_line_for_each() -> None:
    written = lines(availability(some(stood("h1", 0.98, outages=2, longest_s=61.0), stood("h2", 1.0))))
    assert [line.split() for line in written] == [
        ["NODE", "AVAILABLE", "OUTAGES", "LONGEST"],
        ["h1", "98.000", "%", "2", "1m", "1s"],
        ["h2", "100", "%", "0", "-"],
    ]
    assert lines(availability(some())) == ["nothing was wanted in that time, as far as it is known"]


def test_a_spreadsheet_reads_it() -> None:
    assert as_csv(some(stood("h,1", None))).splitlines() == [
        "name,share,wanted_s,running_s,unknown_s,outages,longest_s",
        '"h,1",,86400.0,0.0,0.0,0,0.0',
    ]


@pytest.mark.parametrize(
    ("share", "shown"),
    [(1.0, "100 %"), (0.999999, "99.999 %"), (0.5, "50.000 %"), (0.0, "0.000 %"), (None, "unknown")],
)
def test_a_share_is_never_more_than_it_is(share: float | None, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("length_s", "shown"),
    [(0.4, "0s"), (59.0, "59s"), (60.0, "1m 0s"), (3700.0, "1h 1m"), (90_000.0, "1d 1h")],
)
def test_a_length_of_time_has_two_units(length_s: float, shown: str) -> None:
    assert lasted(length_s) == shown
