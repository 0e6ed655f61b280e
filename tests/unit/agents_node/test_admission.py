"""A sliver is admitted where its limits can be kept beside those of all others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.container_manager.capacity import capacity_of, own_capacity
from agents.container_manager.decide.admission import overfull, raised, refusal
from agents.container_manager.decide.grace import GRACE_S, Graces
from dsmt_core.errors import Invalid
from dsmt_core.limits import NO_LIMITS, Limits
from dsmt_core.names import Slice

NODE = Limits(memory=1 << 30, cpu=2.0, processes=200, files=64)
HALF = Limits(memory=512 << 20)


@pytest.mark.parametrize(
    ("asked", "promised"),
    [
        (HALF, []),
        (HALF, [HALF]),
        (HALF, [NO_LIMITS, Limits(processes=200)]),
        # What asks for nothing is promised nothing.
        (NO_LIMITS, [HALF, HALF]),
        (Limits(files=1024), [Limits(files=1024)]),
        (Limits(disk=1 << 50), [Limits(disk=1 << 50)]),
    ],
)
def test_what_can_be_kept_is_admitted(asked: Limits, promised: list[Limits]) -> None:
    assert refusal(asked, promised, NODE) == ""


def test_what_cannot_be_kept_is_refused_with_the_figures() -> None:
    said = refusal(Limits(memory=600 << 20), [HALF, Limits(cpu=1.0)], NODE)
    assert said == (
        "the sliver does not fit: it may take 600M of memory, and 512M of 1G are not promised to others"
    )
    assert "1.5 of cpu, and 1 of 2" in refusal(Limits(cpu=1.5), [Limits(cpu=1.0)], NODE)
    assert "0 of 200" in refusal(Limits(processes=50), [Limits(processes=250)], NODE)


def test_a_capacity_is_read_as_people_write_it() -> None:
    assert capacity_of("memory=4G, disk=50G,cpu=3.5") == Limits(memory=4 << 30, disk=50 << 30, cpu=3.5)
    with pytest.raises(Invalid):
        capacity_of("memory")
    with pytest.raises(Invalid):
        capacity_of("network=none")


def test_what_nobody_has_said_is_what_the_machine_has() -> None:
    found = own_capacity("/")
    assert found.memory > 64 << 20
    assert found.disk > 64 << 20
    assert found.cpu == found.processes == 0


def test_only_what_is_raised_is_promised_anew() -> None:
    before = Limits(memory=100 << 20, cpu=2.0)
    assert raised(replace(before, cpu=3.0, processes=50), before) == Limits(cpu=3.0, processes=50)
    assert raised(Limits(memory=50 << 20), before) == NO_LIMITS
    assert raised(NO_LIMITS, before) == NO_LIMITS


def test_files_beyond_the_quota_are_told_with_the_figures() -> None:
    assert overfull(2 << 20, 0) == ""
    assert overfull(1 << 20, 1 << 20) == ""
    assert overfull(2 << 20, 1 << 20) == "the sliver does not fit: its files take 2M of the 1M that it may"


def test_a_sliver_is_over_for_a_while_before_it_is_ended() -> None:
    one, graces = Slice("one"), Graces()
    assert not graces.ended(one, over=False, now=0.0)
    assert not graces.ended(one, over=True, now=1.0)
    assert not graces.ended(one, over=False, now=5.0)
    assert not graces.ended(one, over=True, now=6.0)
    assert not graces.ended(one, over=True, now=5.9 + GRACE_S)
    assert graces.ended(one, over=True, now=6.0 + GRACE_S)
    graces.keep([])
    assert not graces.any
