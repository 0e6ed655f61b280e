"""One step of a roll-out, from how its hosts are: who gets what, who has proved well, and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.names import Host
from planner.release import Release, ReleaseName
from planner.rollout import Phase, Rollout, policy
from planner.rollout.advance import Step, advance
from planner.rollout.judging import Time, judged, next_at
from planner.rollout.looks import Being, Look

OLD, NEW = Release("1.8-1").name, Release("1.9-1").name
A, B, C, D = (Host(name) for name in "abcd")
NEVER = float("inf")
NOW = Time(now=1000.0, listening_since=0.0)
ROLLOUT = Rollout(
    number=1,
    before=OLD,
    after=Release("1.9-1"),
    policy=policy(["1", "50%"], min_healthy_s=10.0, deadline_s=60.0, errors="2", need="100%"),
    reason="ann started it",
    moved_at=1000.0,
)


def up(host: Host, release: ReleaseName = OLD, since: float = 0.0) -> Look:
    return Look(host, release, Being.UP, well_since=since)


def down(host: Host, release: ReleaseName = OLD) -> Look:
    return Look(host, release, Being.DOWN)


def failed(host: Host, since: float, reason: str = "", release: ReleaseName = NEW) -> Look:
    return Look(host, release, Being.DOWN, failed_since=since, reason=reason)


def unknown(host: Host, release: ReleaseName = OLD) -> Look:
    return Look(host, release, Being.UNKNOWN)


def lost(host: Host, release: ReleaseName = OLD) -> Look:
    return Look(host, release, Being.LOST)


def joins(host: Host) -> Look:
    return Look(host, ReleaseName(""), Being.NEW)


def step(looks: Sequence[Look], *, allowance: int = 4, time: Time = NOW, **changed: object) -> Step:
    rollout = replace(ROLLOUT, **changed)  # type: ignore[arg-type]
    return advance(rollout, looks, goal=OLD, allowance=allowance, time=time)


def judge(look: Look | None, told: float = 900.0, *, time: Time = NOW, **changed: object) -> Rollout:
    rollout = replace(ROLLOUT, told={A: told}, **changed)  # type: ignore[arg-type]
    return judged(rollout, {} if look is None else {look.host: look}, time)


# -- judging --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("look", "told", "well", "ill", "reason"),
    [
        (up(A, NEW, 950.0), 900.0, 1, 0, None),
        (up(A, NEW, 990.0), 900.0, 1, 0, None),
        (up(A, NEW, 990.5), 980.0, 0, 0, None),
        # It ran before it was told, and counts from then on.
        (up(A, NEW, 0.0), 995.0, 0, 0, None),
        (failed(A, 995.0), 950.0, 0, 1, "it failed"),
        (failed(A, 995.0, "no such file"), 950.0, 0, 1, "no such file"),
        (failed(A, 996.0), 950.0, 0, 0, None),
        # It failed with what it had before it was told.
        (failed(A, 0.0), 996.0, 0, 0, None),
        (unknown(A, NEW), 940.0, 0, 1, "the host did not answer within 60 s"),
        (unknown(A, NEW), 940.5, 0, 0, None),
        (down(A, NEW), 940.0, 0, 1, "it did not become healthy within 60 s"),
        (failed(A, 999.0, "exit 1"), 940.0, 0, 1, "it did not become healthy within 60 s: exit 1"),
        # Neither is the release's doing.
        (lost(A, NEW), 900.0, 0, 0, None),
        (down(A, OLD), 900.0, 0, 0, None),
        (None, 900.0, 0, 0, None),
    ],
)
def test_a_host_that_was_told_proves_well_or_fails(
    look: Look | None, told: float, well: int, ill: int, reason: str | None
) -> None:
    after = judge(look, told)
    assert (after.well, after.ill) == (well, ill)
    assert after.failed == ({} if reason is None else {A: reason})
    gone = well or ill or look is None or not look.is_living or look.release == OLD
    assert after.told == ({} if gone else {A: told})


def test_no_deadline_runs_while_the_planner_does_not_listen() -> None:
    for since, fails in ((940.0, True), (941.0, False)):
        assert bool(judge(unknown(A, NEW), 100.0, time=Time(1000.0, since)).failed) is fails


def test_a_time_in_the_future_is_counted_from_when_the_planner_listens() -> None:
    back = Time(1000.0, 930.0)
    assert judge(unknown(A, NEW), 5000.0, time=back).failed
    assert judge(up(A, NEW, 5000.0), 5000.0, time=back).well == 1
    assert judge(up(A, NEW, 5000.0), 5000.0, time=Time(1000.0, 995.0)).told == {A: 995.0}
    assert judge(up(A, NEW, 5000.0), 5000.0, time=Time(1000.0, 2000.0)).told == {A: 1000.0}


def test_who_fails_on_the_way_back_is_not_counted_against_the_new_release() -> None:
    after = judge(failed(A, 900.0, release=OLD), phase=Phase.RETURNING, failed={B: "first"})
    assert (after.ill, after.failed, after.told) == (1, {B: "first"}, {})
    later = judge(failed(B, 100.0, release=NEW), phase=Phase.RETURNING)
    assert later.failed == {}


def test_who_proved_well_and_fails_later_counts_after_the_time_in_which_one_proves_well() -> None:
    for since, counts in ((990.0, True), (991.0, False)):
        after = judged(ROLLOUT, {B: failed(B, since, "exit 1")}, NOW)
        assert after.failed == ({B: "exit 1"} if counts else {})
    assert judged(ROLLOUT, {B: failed(B, 0.0)}, NOW).failed == {B: "it failed"}
    assert judged(ROLLOUT, {B: failed(B, 0.0, release=OLD)}, NOW).failed == {}
    known = replace(ROLLOUT, failed={B: "first"})
    assert judged(known, {B: failed(B, 0.0, "second")}, NOW).failed == {B: "first"}


def test_the_names_of_a_thousand_failed_hosts_are_kept() -> None:
    looks = {Host(f"h{number}"): failed(Host(f"h{number}"), 0.0) for number in range(1001)}
    assert len(judged(ROLLOUT, looks, NOW).failed) == 1000


@pytest.mark.parametrize(
    ("look", "told", "expected"),
    [
        (up(A, NEW, 995.0), 990.0, 1005.0),
        (up(A, NEW, 900.0), 995.0, 1005.0),
        (unknown(A, NEW), 990.0, 1050.0),
        (failed(A, 998.0), 990.0, 1003.0),
        (failed(A, 900.0), 999.0, 1004.0),
        (unknown(A, NEW), 900.0, NEVER),
        (None, 990.0, NEVER),
    ],
)
def test_a_roll_out_says_when_to_look_again(look: Look | None, told: float, expected: float) -> None:
    looks = {} if look is None else {A: look}
    assert next_at(replace(ROLLOUT, told={A: told}), looks, NOW) == expected


def test_each_host_is_judged_and_looked_at_again_whoever_else_left() -> None:
    rollout = replace(ROLLOUT, told={A: 990.0, B: 990.0, C: 990.0, D: 990.0})
    looks = {B: failed(B, 994.0), C: failed(C, 995.0), D: up(D, NEW, 997.0)}
    after = judged(rollout, looks, NOW)
    assert (after.ill, list(after.failed), list(after.told)) == (2, [B, C], [D])
    assert next_at(rollout, {**looks, C: unknown(C, NEW)}, NOW) == 1007.0


# -- waves ----------------------------------------------------------------------------------------------

FOUR = (up(A), up(B), up(C), up(D))


def test_the_first_wave_is_told_and_no_other() -> None:
    told = step(FOUR)
    assert told.targets == {A: NEW, B: OLD, C: OLD, D: OLD}
    assert (told.spent, told.waits, told.again_at) == (1, "", 1010.0)
    assert told.rollout == replace(ROLLOUT, told={A: 1000.0}, moved_at=1000.0)


def test_a_wave_that_is_well_is_followed_by_the_next() -> None:
    looks = (up(A, NEW, 900.0), *FOUR[1:])
    told = step(looks, told={A: 900.0}, moved_at=900.0)
    assert told.rollout.wave == 1
    assert told.rollout.reason == "1 of 1 of wave 1 are well"
    assert (told.rollout.well, told.rollout.ill) == (0, 0)
    assert told.targets == {A: NEW, B: NEW, C: OLD, D: OLD}
    assert told.rollout.moved_at == 1000.0


def test_the_last_wave_that_is_well_ends_it() -> None:
    looks = [up(host, NEW, 900.0) for host in (A, B, C, D)]
    told = step(looks, wave=2, well=2, told={D: 900.0})
    assert told.rollout.phase is Phase.DONE
    assert told.rollout.reason == "3 of 3 of the last wave are well"
    assert told.rollout.told == {}
    assert set(told.targets.values()) == {NEW}


def test_too_many_failed_hosts_turn_it_back() -> None:
    looks = (failed(A, 900.0, "exit 1"), failed(B, 900.0), up(C), up(D))
    told = step(looks, wave=1, told={A: 890.0, B: 890.0})
    assert told.rollout.phase is Phase.RETURNING
    assert told.rollout.reason == "2 hosts failed (a: exit 1); 2 are too many"
    assert told.targets == {A: OLD, B: OLD, C: OLD, D: OLD}
    assert told.rollout.told == {A: 1000.0, B: 1000.0}
    assert told.spent == 0


def test_a_wave_that_cannot_become_well_turns_it_back_before_there_are_too_many() -> None:
    looks = (failed(A, 900.0, "exit 1"), *FOUR[1:])
    told = step(looks, told={A: 890.0})
    assert told.rollout.phase is Phase.RETURNING
    assert told.rollout.reason == "wave 1 cannot have 1 of 1 well: 1 host failed (a: exit 1)"


def test_nothing_is_taken_down_beyond_the_allowance_and_that_is_said() -> None:
    told = step(FOUR, wave=1, allowance=1)
    assert list(told.targets.values()) == [NEW, OLD, OLD, OLD]
    assert told.waits == "the disruption budget has no room: 1 more of wave 2 when others are up"
    none = step(FOUR, wave=1, allowance=0)
    assert (none.spent, none.rollout.told) == (0, {})
    assert none.waits == "the disruption budget has no room: 2 more of wave 2 when others are up"
    assert none.again_at == 1060.0


def test_who_was_told_and_has_not_proved_well_uses_the_allowance_up() -> None:
    looks = (up(A, NEW, 999.0), up(B), up(C), up(D))
    told = step(looks, wave=1, told={A: 998.0}, allowance=1)
    assert list(told.targets.values()) == [NEW, OLD, OLD, OLD]
    assert told.spent == 0
    assert step(looks, wave=1, told={A: 998.0}, allowance=2).spent == 1


def test_what_does_not_run_costs_nothing_and_comes_after_what_does() -> None:
    looks = (down(A), joins(B), up(C), up(D))
    assert step(looks).targets == {A: OLD, B: OLD, C: NEW, D: OLD}
    free = step(looks, wave=1, allowance=0)
    assert free.targets == {A: NEW, B: NEW, C: OLD, D: OLD}
    assert free.spent == 0


def test_of_whom_nothing_is_known_and_who_is_lost_is_told_nothing() -> None:
    told = step((lost(A), unknown(B), unknown(C)))
    assert set(told.targets.values()) == {OLD}
    assert told.waits == "of 2 of its hosts nothing certain is known now"
    assert step((lost(A), lost(B))).waits == "all its nodes have failed"


def test_a_paused_one_tells_nobody_and_judges_all_the_same() -> None:
    looks = (up(A, NEW, 900.0), *FOUR[1:])
    told = step(looks, phase=Phase.PAUSED, told={A: 890.0})
    assert (told.rollout.phase, told.rollout.well) == (Phase.PAUSED, 1)
    assert told.targets == {A: NEW, B: OLD, C: OLD, D: OLD}


def test_a_step_in_which_nothing_changes_keeps_its_time() -> None:
    looks = (up(A, NEW, 999.0), *FOUR[1:])
    same = step(looks, told={A: 998.0}, moved_at=998.0)
    assert same.rollout.moved_at == 998.0
    assert same.again_at == 1009.0


def test_in_a_wave_that_was_filled_by_others_they_have_to_prove_well() -> None:
    looks = (up(A, NEW, 900.0), failed(B, 999.0), up(C), up(D))
    told = step(looks[:1] + looks[2:], moved_at=900.0)
    assert (told.rollout.wave, told.rollout.told, told.rollout.moved_at) == (0, {A: 1000.0}, 1000.0)


def test_a_wave_that_is_full_already_is_left_out() -> None:
    looks = (up(A, NEW, 900.0), up(B, NEW, 900.0), up(C), up(D))
    told = step(looks, told={A: 900.0, B: 900.0})
    assert told.rollout.wave == 2
    assert told.rollout.reason == "2 of 2 of wave 1 are well"


def test_a_wave_of_which_too_few_are_well_waits() -> None:
    looks = (up(A, NEW, 900.0), up(B, NEW, 999.0), up(C), up(D))
    told = step(looks, wave=1, well=1, told={B: 998.0})
    assert (told.rollout.wave, told.rollout.phase) == (1, Phase.RUNNING)
    assert set(told.targets.values()) == {NEW, OLD}


@pytest.mark.parametrize(
    ("looks", "why"), [((), "the slice has no hosts now"), ((lost(A, NEW),), "all its nodes have failed")]
)
@pytest.mark.parametrize(
    ("wave", "well", "failing"), [(0, 0, {}), (2, 3, {}), (1, 0, {B: "it failed", C: "it failed"})]
)
def test_over_nobody_nothing_is_decided(
    looks: tuple[Look, ...], why: str, wave: int, well: int, failing: dict[Host, str]
) -> None:
    waiting = step(looks, time=Time(9000.0, 0.0), wave=wave, well=well, ill=len(failing), failed=failing)
    assert (waiting.rollout.phase, waiting.rollout.wave, waiting.rollout.well) == (
        Phase.RUNNING,
        wave,
        well,
    )
    assert (waiting.waits, waiting.again_at) == (why, NEVER)


def test_who_joins_as_it_ends_gets_the_new_release() -> None:
    looks = [*(up(host, NEW, 900.0) for host in (A, B, C)), joins(D)]
    ended = replace(ROLLOUT, wave=2, policy=replace(ROLLOUT.policy, need=75.0))
    told = advance(replace(ended, told={C: 900.0}, well=2), looks, goal=OLD, allowance=4, time=NOW)
    assert told.targets[D] == NEW


# -- the way back, and afterwards -------------------------------------------------------------------------

RETURNING: dict[str, Any] = {"phase": Phase.RETURNING, "reason": "too bad"}


def test_the_way_back_keeps_the_allowance_and_takes_at_once_what_does_not_run() -> None:
    looks = (up(A, NEW), up(B, NEW), down(C, NEW), up(D))
    told = step(looks, allowance=1, **RETURNING)
    assert told.targets == {A: OLD, B: NEW, C: OLD, D: OLD}
    assert (told.spent, told.waits) == (1, "1 more go back when others are up")
    assert told.rollout.told == {A: 1000.0, C: 1000.0}
    assert told.rollout.phase is Phase.RETURNING


def test_it_is_back_when_everybody_is() -> None:
    told = step(FOUR, **RETURNING)
    assert (told.rollout.phase, told.rollout.reason) == (Phase.RETURNED, "too bad")
    assert told.waits == ""


def test_on_the_way_back_nobody_is_waited_for_who_stays_unknown() -> None:
    looks = (unknown(A, NEW), *FOUR[1:])
    waits = step(looks, moved_at=941.0, **RETURNING)
    assert waits.rollout.phase is Phase.RETURNING
    assert waits.targets[A] == NEW
    assert (waits.waits, waits.again_at) == ("1 more go back when others are up", 1001.0)
    assert step(looks, moved_at=940.0, **RETURNING).rollout.phase is Phase.RETURNED


def test_after_its_end_hosts_follow_within_the_allowance() -> None:
    looks = (up(A, NEW), up(B, NEW), down(C, NEW), unknown(D, NEW))
    told = step(looks, allowance=1, phase=Phase.RETURNED)
    assert told.targets == {A: OLD, B: NEW, C: OLD, D: NEW}
    assert told.spent == 1
    even = step((up(A), up(B, NEW), up(C, NEW)), allowance=1, phase=Phase.RETURNED)
    assert even.targets == {A: OLD, B: OLD, C: NEW}
    strangers = step((up(A, ReleaseName("0.1-1")),), allowance=0, phase=Phase.RETURNED)
    assert strangers.targets == {A: OLD}
    assert strangers.spent == 0


def test_aborted_each_host_keeps_what_it_has_and_who_joins_gets_the_slices() -> None:
    told = step((up(A, NEW), up(B), joins(C)), phase=Phase.ABORTED)
    assert told.targets == {A: NEW, B: OLD, C: OLD}
