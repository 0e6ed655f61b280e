"""Quotas, for people: each bound with what is used of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dsmt_core.limits import shown_size
from dsmtc.client.quotas import Bound, Preview, SiteQuota, SliceQuota
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import size

_HEAD: Final = ("QUOTA", "USED", "MOST", "OF")


def of_slice(found: SliceQuota) -> View:
    """All bounds that count for a slice."""
    if not found["bounds"]:
        return [f"nothing bounds what {found['slice']} uses"]
    return [Table(_HEAD, _rows(found["bounds"])), *_beyond(found["bounds"])]


def of_site(found: SiteQuota) -> View:
    """The bounds of a site."""
    together = [*_rows(found["bounds"])]
    each = [
        (_name(what), "", _amount(what, most), "each slice") for what, most in found["each"].items() if most
    ]
    if not (together or each):
        return [f"the site {found['site']} bounds nothing"]
    return [Table(_HEAD, [*together, *each]), *_beyond(found["bounds"])]


def preview(found: Preview) -> View:
    """What would wait."""
    if not found["waiting"]:
        return ["nothing would wait; nothing that runs is stopped"]
    rows = [(one["slice"], one["host"] or "-", one["reason"]) for one in found["waiting"]]
    return ["nothing that runs is stopped; this would wait:", Table(("SLICE", "HOST", "WHY"), rows)]


def _beyond(bounds: Sequence[Bound]) -> list[str]:
    """What a bound that is passed already means."""
    passed = [_name(one["what"]) for one in bounds if (one["used"] or 0) > one["most"]]
    held = ", ".join(dict.fromkeys(name for name in passed if name != "events per second"))
    return [f"beyond its quota: {held}; what runs goes on, and nothing new begins"] if held else []


def _rows(bounds: Sequence[Bound]) -> list[tuple[str, str, str, str]]:
    return [
        (
            _name(one["what"]),
            "-" if one["used"] is None else _amount(one["what"], one["used"]),
            _amount(one["what"], one["most"]),
            one["whose"],
        )
        for one in bounds
    ]


def _name(what: str) -> str:
    return what.replace("_", " ")


def _amount(what: str, value: int) -> str:
    if what == "memory":
        return shown_size(value)
    return size(value) if what == "depot_bytes" else f"{value:,}"
