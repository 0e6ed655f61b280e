"""What people do with a roll-out: what becomes of it, and the exact words where it cannot be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dsmt_core.errors import Conflict, DsmtError, NotFound
from dsmt_core.names import Host
from planner.release import Release
from planner.rollout import Phase, Policy, Rollout, policy
from planner.rollout.turns import Deed, Wish, busy, started, turned
from planner.wanted import Placement, WantedSlice
from tests.unit.planner.toy import APP, SLICE, wanted_slice

NEW = Release("1.9-1")
WISH = Wish(by="ann", now=50.0)
ROLLOUT = Rollout(
    number=3,
    before=Release("1.8-1").name,
    after=NEW,
    policy=policy(["1", "5"]),
    well=2,
    ill=1,
    moved_at=7.0,
)


def slice_with(rollout: Rollout | None = None, placed: Mapping[str, str] | None = None) -> WantedSlice:
    """A slice; ``placed``: which version each host has."""
    placements = tuple(
        Placement(slice=SLICE, application=APP, host=Host(host), version=version, generation=1)
        for host, version in (placed or {}).items()
    )
    rollouts = {} if rollout is None else {APP: rollout}
    return replace(wanted_slice(), rollouts=rollouts, placements=placements)


def refusal(deed: Deed, rollout: Rollout, wish: Wish = WISH) -> tuple[str, str]:
    with pytest.raises(Conflict) as refused:
        turned(slice_with(rollout), APP, deed, wish)
    return refused.value.message, refused.value.hint


def after(deed: Deed, rollout: Rollout = ROLLOUT, wish: Wish = WISH) -> Rollout:
    return turned(slice_with(rollout), APP, deed, wish)


def test_a_roll_out_remembers_who_started_it_when_and_from_what() -> None:
    chosen = Policy(min_healthy_s=7.0)
    begun = started(slice_with(), APP, NEW, chosen, WISH)
    assert begun == Rollout(
        number=1,
        before=Release("1.8-1").name,
        after=NEW,
        policy=chosen,
        changes=("version 1.8-1 becomes 1.9-1",),
        reason="ann started it",
        by="ann",
        began_at=50.0,
        moved_at=50.0,
    )
    ended = replace(ROLLOUT, phase=Phase.DONE)
    assert started(slice_with(ended), APP, Release("2.0-1"), chosen, WISH).number == 4


def test_one_goes_on_at_a_time() -> None:
    with pytest.raises(Conflict) as refused:
        started(slice_with(ROLLOUT), APP, Release("2.0-1"), Policy(), WISH)
    assert str(refused.value) == str(busy(ROLLOUT, APP)) == "roll-out 3 of pinger to 1.9-1 is running"
    assert refused.value.hint == (
        "dsmtc rollout promote --all lets it go on at once, dsmtc rollout abort [--back] ends it"
    )


def test_what_every_host_has_is_not_rolled_out() -> None:
    with pytest.raises(Conflict) as refused:
        started(slice_with(), APP, wanted_slice().applications[APP].release, Policy(), WISH)
    assert refused.value.message == "pinger 1.8-1 is what every host of xyz1 has"
    assert refused.value.hint == (
        "put another version into the depot, name one with --version, or dsmtc configure it"
    )


def test_hosts_have_at_most_four_releases_at_a_time() -> None:
    mixed = replace(ROLLOUT, phase=Phase.ABORTED, others=(Release("1.5-1"), Release("1.6-1")))
    hosts = {"a": "1.8-1", "b": "1.9-1", "c": "1.5-1", "d": "1.6-1"}
    with pytest.raises(Conflict) as refused:
        started(slice_with(mixed, hosts), APP, Release("2.0-1"), Policy(), WISH)
    assert refused.value.message == "the hosts of xyz1 have 4 releases of pinger already"
    assert refused.value.hint == "bring them to one first: dsmtc update, or dsmtc rollout abort --back"
    fewer = {host: version for host, version in hosts.items() if host != "d"}
    begun = started(slice_with(mixed, fewer), APP, Release("2.0-1"), Policy(), WISH)
    assert [one.version for one in begun.others] == ["1.9-1", "1.5-1"]
    again = started(slice_with(mixed, hosts), APP, Release("1.6-1"), Policy(), WISH)
    assert [one.version for one in again.others] == ["1.9-1", "1.5-1"]


@pytest.mark.parametrize(
    ("deed", "before", "wish", "expected"),
    [
        (Deed.PAUSE, {}, WISH, {"phase": Phase.PAUSED, "reason": "ann paused it"}),
        (Deed.RESUME, {"phase": Phase.PAUSED}, WISH, {"phase": Phase.RUNNING, "reason": "ann resumed it"}),
        (
            Deed.PROMOTE,
            {},
            WISH,
            {"phase": Phase.RUNNING, "wave": 1, "well": 0, "ill": 0, "reason": "ann promoted it"},
        ),
        (
            Deed.PROMOTE,
            {"phase": Phase.PAUSED},
            replace(WISH, all_at_once=True),
            {"phase": Phase.RUNNING, "wave": 2, "well": 0, "ill": 0, "reason": "ann promoted it"},
        ),
        (
            Deed.ABORT,
            {"told": {Host("a"): 1.0}},
            WISH,
            {
                "phase": Phase.ABORTED,
                "told": {},
                "reason": "ann aborted it; each host keeps what it has",
            },
        ),
        (
            Deed.ABORT,
            {"phase": Phase.PAUSED, "told": {Host("a"): 1.0}},
            replace(WISH, back=True),
            {"phase": Phase.RETURNING, "told": {}, "well": 0, "ill": 0, "reason": "ann aborted it"},
        ),
    ],
)
def test_what_a_deed_makes_of_a_roll_out(
    deed: Deed, before: dict[str, object], wish: Wish, expected: dict[str, object]
) -> None:
    rollout = replace(ROLLOUT, **before)  # type: ignore[arg-type]
    assert after(deed, rollout, wish) == replace(rollout, moved_at=50.0, **expected)  # type: ignore[arg-type]


STATUS = "dsmtc rollout status shows it"


@pytest.mark.parametrize(
    ("deed", "phase", "done"),
    [
        (Deed.PAUSE, Phase.PAUSED, "paused"),
        (Deed.RESUME, Phase.RUNNING, "resumed"),
        (Deed.PROMOTE, Phase.RETURNING, "promoted"),
        (Deed.ABORT, Phase.DONE, "aborted"),
    ],
)
def test_a_deed_that_fits_no_phase_is_refused(deed: Deed, phase: Phase, done: str) -> None:
    message, hint = refusal(deed, replace(ROLLOUT, phase=phase))
    assert message == f"roll-out 3 of pinger cannot be {done}: it is {phase}"
    assert hint == STATUS


@pytest.mark.parametrize("wave", [2])
def test_in_its_last_wave_a_roll_out_is_not_promoted(wave: int) -> None:
    assert refusal(Deed.PROMOTE, replace(ROLLOUT, wave=wave)) == (
        "roll-out 3 of pinger is in its last wave",
        "the rest follows as the disruption budget has room; dsmtc rollout resume if it is paused",
    )


def test_what_goes_back_already_is_aborted_only_where_it_stands() -> None:
    returning = replace(ROLLOUT, phase=Phase.RETURNING)
    assert after(Deed.ABORT, returning).phase is Phase.ABORTED
    refused, hint = refusal(Deed.ABORT, returning, replace(WISH, back=True))
    assert refused == "roll-out 3 of pinger cannot be aborted: it is rolling back"
    assert hint == STATUS


def test_after_an_abort_only_a_mixture_goes_back() -> None:
    aborted, back = replace(ROLLOUT, phase=Phase.ABORTED), replace(WISH, back=True)
    mixture = slice_with(aborted, {"a": "1.8-1", "b": "1.9-1"})
    assert turned(mixture, APP, Deed.ABORT, back).phase is Phase.RETURNING
    with pytest.raises(Conflict):
        turned(mixture, APP, Deed.ABORT, WISH)
    with pytest.raises(Conflict):
        turned(slice_with(aborted, {"a": "1.8-1"}), APP, Deed.ABORT, back)


def test_where_none_ever_was_nothing_is_done_with_it() -> None:
    with pytest.raises(NotFound) as refused:
        turned(slice_with(), APP, Deed.PAUSE, WISH)
    error: DsmtError = refused.value
    assert (error.message, error.hint) == ("there is no roll-out of pinger in xyz1", "dsmtc rollout start")
