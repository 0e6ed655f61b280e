"""Quotas on the command line: read, refused, shown."""

from __future__ import annotations

import pytest

from dsmtc.client.quotas import Bound, SiteQuota, SliceQuota
from dsmtc.commandline import Misused
from dsmtc.quotas import Said, given
from dsmtc.rendering.quotas import of_site, of_slice, preview
from dsmtc.rendering.table import Table


def shown(view: object) -> str:
    assert isinstance(view, list)
    return "\n".join(str(one.rows) if isinstance(one, Table) else one for one in view)


def test_what_is_said_becomes_numbers() -> None:
    said = Said(numbers={"nodes": 5, "slivers": None}, memory="1.5G", depot="20G", clear=["slivers"])
    assert given(said) == {"nodes": 5, "memory": 3 << 29, "depot_bytes": 20 * 10**9, "slivers": 0}
    assert given(Said()) == {}
    assert given(Said(depot="none")) == {"depot_bytes": 0}


@pytest.mark.parametrize(
    "said",
    [
        Said(numbers={"nodes": 0}),
        Said(numbers={"events_per_second": -3}),
        Said(memory="0"),
        Said(memory="0.2"),
        Said(memory="-1G"),
        Said(memory="lots"),
        Said(depot="0"),
        Said(depot="1.5G"),
        Said(clear=["cpu"]),
        Said(numbers={"nodes": 4}, clear=["nodes"]),
    ],
)
def test_what_bounds_nothing_is_refused(said: Said) -> None:
    with pytest.raises(Misused):
        given(said)


def test_bounds_are_shown_with_what_is_used_and_what_is_beyond() -> None:
    bounds = [
        Bound(what="nodes", most=3, whose="the slice web", used=5),
        Bound(what="memory", most=1 << 32, whose="the site east", used=1 << 30),
        Bound(what="events_per_second", most=9, whose="the slice web", used=None),
    ]
    told = shown(of_slice(SliceQuota(slice="web", site="east", quota={}, used={}, bounds=bounds)))
    assert all(text in told for text in ("'5', '3'", "'1G', '4G'", "'-', '9'"))
    assert "beyond its quota: nodes; what runs goes on, and nothing new begins" in told
    nothing = SliceQuota(slice="web", site="east", quota={}, used={}, bounds=[])
    assert shown(of_slice(nothing)) == "nothing bounds what web uses"


def test_a_site_shows_what_is_of_each_slice_too() -> None:
    site = SiteQuota(site="east", each={"depot_bytes": 2048}, together={}, used={}, bounds=[])
    assert "'depot bytes', '', '2.0 KiB', 'each slice'" in shown(of_site(site))
    assert "bounds nothing" in shown(of_site(SiteQuota(**{**site, "each": {"depot_bytes": 0}})))


def test_a_preview_says_who_would_wait() -> None:
    assert "nothing would wait" in shown(preview({"waiting": []}))
    assert "too much" in shown(preview({"waiting": [{"slice": "web", "host": "", "reason": "too much"}]}))
