"""What was, for people and for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
from typing import Final

from dsmtc.client.past import Availability, Stood
from dsmtc.rendering.table import Table, View

_COLUMNS: Final = ("name", "share", "wanted_s", "running_s", "unknown_s", "outages", "longest_s")

_NAMED: Final = {"application": "APPLICATION", "node": "NODE", "site": "SITE"}


def availability(found: Availability) -> View:
    """A line for each, the worst first."""
    if not found["rows"]:
        return ["nothing was wanted in that time, as far as it is known"]
    named = _NAMED.get(found["by"], "NAME")
    columns = (named, "AVAILABLE", "OUTAGES", "LONGEST", "WANTED", "UNKNOWN")
    rows = [
        (
            one["name"],
            percent(one["share"]),
            str(one["outages"]),
            lasted(one["longest_s"]) if one["longest_s"] else "-",
            lasted(one["wanted_s"]),
            lasted(one["unknown_s"]) if one["unknown_s"] else "-",
        )
        for one in found["rows"]
    ]
    return [Table(columns, rows, wide=frozenset({"WANTED", "UNKNOWN"}))]


def as_csv(found: Availability) -> str:
    """For a spreadsheet; a share from 0 to 1, empty where nothing is known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(map(_cells, found["rows"]))
    return text.getvalue()


def percent(share: float | None) -> str:
    """A share for people: never rounded up to what it is not."""
    if share is None:
        return "unknown"
    return "100 %" if share >= 1 else f"{int(share * 100_000) / 1000:.3f} %"


def lasted(length_s: float) -> str:
    """A length of time in the two largest units that it has."""
    whole = round(length_s)
    days, hours, minutes = whole // 86_400, whole % 86_400 // 3600, whole % 3600 // 60
    if days:
        return f"{days}d {hours}h"
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {whole % 60}s" if minutes else f"{length_s:.0f}s"


def _cells(one: Stood) -> list[str]:
    return ["" if one[name] is None else str(one[name]) for name in _COLUMNS]
