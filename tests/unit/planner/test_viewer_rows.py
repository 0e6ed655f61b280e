"""Rows of the feed: every field, and which of them are others when what is wanted is replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.names import Host, Slice
from planner.fleet import NODE, Fleet, NodeState
from planner.rollout import Release, Rollout
from planner.standing import Mark, Standing, bars_at
from planner.steps import Waiting
from planner.viewer.rows import (
    APPLICATION_COLUMNS,
    LAYER_COLUMNS,
    NO_HOST,
    NODE_COLUMNS,
    SLICE_COLUMNS,
    SLIVER_COLUMNS,
    Judged,
    by_host,
    changed_keys,
    hosts_of,
    node_row,
    slice_row,
    sliver_row,
)
from planner.wanted import WantedSlice
from tests.unit.planner.toy import APP, SLICE, Toy, hosts

N0, N1, N2 = hosts(3)


def toy(count: int = 3) -> Toy:
    made = Toy(count)
    made.run()
    return made


def node(fleet: Fleet, host: Host, judged: Judged | None = None) -> dict[str, Any]:
    row = node_row(fleet, host, judged or Judged(7.0, "failed: not heard", None), now=10.0)
    return dict(zip(NODE_COLUMNS, row, strict=True))


def sliver(of: Toy, slice_: WantedSlice, host: Host) -> dict[str, Any]:
    row = sliver_row(slice_, of.fleet, host, by_host(slice_).get(host, []), now=of.now)
    shown = dict(zip(SLIVER_COLUMNS, row, strict=True))
    shown["container"] = dict(zip(LAYER_COLUMNS, shown["container"], strict=True))
    shown["applications"] = [
        dict(zip(APPLICATION_COLUMNS, one, strict=True)) for one in shown["applications"]
    ]
    return shown


def test_a_node_says_where_it_is_and_how() -> None:
    made = toy()
    made.fleet.label(N0, {"site": "tokyo", "lat": "35.68951", "longitude": "139.69"})
    assert node(made.fleet, N0) == {
        "host": N0,
        "site": "tokyo",
        "latitude": 35.6895,
        "longitude": 139.69,
        "state": "alive",
        "since": 7.0,
        "standing": "",
        "standing_says": "",
        # What spoke against it once is no reason for how it is now.
        "reason": "",
        "unwell": [],
    }


@pytest.mark.parametrize("lat", ["", "north", "nan", "inf", "91", "-90.5"])
def test_a_place_that_is_none_is_not_told(lat: str) -> None:
    made = toy()
    made.fleet.label(N0, {"lat": lat or "-", "lon": "10"})
    assert node(made.fleet, N0)["latitude"] is None
    assert node(made.fleet, N0)["longitude"] == 10.0


def test_a_node_that_failed_says_why_and_one_out_of_service_who_took_it_out() -> None:
    made = toy()
    made.fleet.judge(N0, NodeState.FAILED)
    standings = {N0: Standing(cordoned=Mark(by="ann", since=1.0, reason="disk"))}
    bar = bars_at(standings, 10.0)[N0]
    shown = node(made.fleet, N0, Judged(7.0, "failed: not heard" + "!" * 500, bar))
    assert shown["reason"].startswith("failed: not heard")
    assert len(shown["reason"]) == 200
    assert shown["standing"] == "cordoned"
    assert shown["standing_says"].startswith("cordoned: disk (by ann")


def test_a_sliver_shows_its_layers() -> None:
    made = toy()
    shown = sliver(made, made.slice, N0)
    assert shown["wanted"]
    assert shown["container"]["state"] == "running"
    assert shown["agent"][0] == "running"
    assert shown["applications"] == [
        {
            "name": APP,
            "state": "running",
            "since": shown["applications"][0]["since"],
            "reason": "",
            "version": shown["applications"][0]["wanted_version"],
            "wanted_version": made.slice.placements[0].version,
            "wanted": "running",
            "text": "",
        }
    ]


def test_what_is_wanted_and_not_heard_of_is_shown_and_what_left_too() -> None:
    made = toy()
    strange = Host("new.example")
    placed = replace(made.slice.placements[0], host=strange)
    slice_ = replace(made.slice, hosts={strange: 1}, placements=(placed,), managed=False)
    there = sliver(made, slice_, strange)
    assert (there["container"]["state"], there["applications"][0]["state"]) == ("undefined", "undefined")
    assert there["reason"] == "the slice is not managed"
    left = sliver(made, slice_, N0)
    assert (left["wanted"], left["reason"]) == (False, "it left the slice")
    assert left["applications"][0]["wanted"] == ""
    assert hosts_of(slice_, made.fleet) == {strange, N0, N1, N2}


def test_an_application_that_gave_up_failed_with_the_reason() -> None:
    made = toy()
    heard = made.fleet.sliver(SLICE, N0)
    assert heard is not None
    heard.applications[APP].gives_up(f"{made.slice.placements[0].release} no luck", 5.0)
    shown = sliver(made, made.slice, N0)["applications"][0]
    assert (shown["state"], shown["since"]) == ("failed", 5.0)
    assert shown["reason"].endswith(": no luck")


def test_a_slice_counts_why_it_waits_but_not_for_silent_nodes() -> None:
    made = toy()
    made.fleet.judge(N0, NodeState.SUSPECT)
    waiting = [
        Waiting(slice=SLICE, reason="no room", host=N1),
        Waiting(slice=SLICE, reason="no room", host=N2),
        Waiting(slice=SLICE, reason="it has not answered for 3 s", host=N0),
        Waiting(slice=SLICE, reason="one node is missing"),
    ]
    after = Release(version="2", packages=())
    rollout = Rollout(number=1, before=made.slice.applications[APP].release.name, after=after)
    slice_ = replace(made.slice, rollouts={APP: rollout})
    shown = dict(zip(SLICE_COLUMNS, slice_row(slice_, made.fleet, waiting), strict=True))
    assert shown["waiting"] == [["no room", 2], ["one node is missing", 1]]
    assert shown["applications"] == [[APP, made.slice.applications[APP].version, "running"]]
    assert shown["rollouts"] == [[APP, "running", True, 1, len(rollout.policy.waves), "2"]]
    assert (shown["slice"], shown["managed"], shown["hosts"]) == (SLICE, True, 3)


def test_rows_change_with_what_is_wanted() -> None:
    slice_ = toy().slice
    placed = by_host(slice_)
    one = (NO_HOST, SLICE)

    def changed(before: WantedSlice | None, after: WantedSlice | None) -> set[tuple[Host, Slice]]:
        return changed_keys(
            before, after, by_host(before) if before else {}, by_host(after) if after else {}
        )

    everywhere = {one, *((host, SLICE) for host in (N0, N1, N2))}
    assert changed(None, None) == set()
    assert changed(None, slice_) == changed(slice_, None) == everywhere
    assert changed(slice_, replace(slice_, managed=False)) == everywhere
    assert changed(slice_, replace(slice_, generation=9)) == {one}
    fewer = {host: number for host, number in slice_.hosts.items() if host != N1}
    assert changed(slice_, replace(slice_, hosts=fewer)) == {one, (N1, SLICE)}
    assert changed(slice_, replace(slice_, hosts=fewer, retired={N1: 2})) == {one, (N1, SLICE)}
    other = replace(placed[N2][0], version="9")
    rest = tuple(one for one in slice_.placements if one.host != N2)
    assert changed(slice_, replace(slice_, placements=(*rest, other))) == {one, (N2, SLICE)}


def test_who_shows_rows_is_told_which_have_changed_and_nobody_else_gathers_them() -> None:
    made = toy()
    made.fleet.label(N0, {"a": "b"})
    assert made.fleet.changed.take_shown() == set()
    made.fleet.changed.show(wanted=True)
    made.fleet.label(N0, {"a": "c"})
    made.fleet.judge(N1, NodeState.FAILED)
    assert made.fleet.changed.take_shown() == {(N0, NODE), (N1, NODE)}
    assert made.fleet.changed.take_shown() == set()
    made.fleet.sourced("one", {N0: {"one.x": "1"}})
    assert made.fleet.changed.take_shown() == {(host, NODE) for host in (N0, N1, N2)}
    # A label is not kept with what is seen; how a node is judged is.
    kept = {(row.host, row.slice) for row in made.fleet.take_rows()}
    assert (N1, NODE) in kept
    made.fleet.judge(N0, NodeState.FAILED)
    made.fleet.changed.show(wanted=False)
    assert made.fleet.changed.take_shown() == set()
