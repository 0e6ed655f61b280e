"""When exactly a host is left alone for a slice, for how long, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dsmt_core.lifecycle import State
from dsmt_core.limits import DOES_NOT_FIT
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP, SLIVER_MGR, Application, Host, Slice
from planner.failed_nodes import Grace, Misfit, Misfits
from planner.fleet import ALL_FIT, Fits
from planner.moments import written
from planner.release import ReleaseName
from tests.unit.planner.toy import APP, SLICE, Toy, ToyNode, hosts, pinger, wanted_slice

N0, N1, N2, N3 = hosts(4)
OTHER = Slice("other")
SECOND = Application("second")
OLD = ReleaseName("1.8-1")
TAKEN = "its port is taken"


class Case:
    """Four hosts that run the application; at 200 s all that was heard has been judged."""

    def __init__(self, grace: Grace | None = None, *, draw: Callable[[], float] = lambda: 0.0) -> None:
        self.toy = Toy(4, (wanted_slice("all_nodes"),))
        self.toy.run(20)
        self.judge = Misfits(grace, draw=draw)
        assert self.at(200.0) == {}

    def at(self, now: float) -> dict[Slice, Fits]:
        """What is new at a time."""
        self.toy.now = now
        self.toy.fleet.take_dirty()
        return self.judge.tick(self.toy.wanted, self.toy.fleet, now)

    def out(self, now: float) -> dict[Host, str]:
        """Whom the slice leaves alone from this time on."""
        return dict(self.at(now).get(SLICE, ALL_FIT).out)

    def is_(self, state: State, *where: Host, now: float, reason: str = "", generation: int = 0) -> None:
        """The agents of these hosts say so."""
        self.toy.now = now
        for host in where:
            held = self.toy.nodes[host].applications[SLICE][APP]
            pairs = {
                "managed": APP,
                "generation": str(generation or held.generation),
                "version": held.version,
            }
            if reason:
                pairs["reason"] = reason
            event = self.toy.nodes[host].status(SLICE, DEPLOYMENT_AGENT, state, **pairs)
            assert not self.toy.fleet.fold(event, now=now)

    def fail(self, *where: Host, now: float = 200.0, reason: str = TAKEN) -> None:
        self.is_(State.FAILED, *where, now=now, reason=reason)


def said(until: float, why: str = TAKEN, times: str = "") -> str:
    return f"pinger 1.8-1 does not run here{times}: {why}; tried again from {written(until)} on"


def misfit(since: float, until: float, failures: int = 1) -> Misfit:
    return Misfit(application=APP, release=OLD, reason=TAKEN, since=since, until=until, failures=failures)


# -- when -------------------------------------------------------------------------------------------------


def test_an_agent_that_has_failed_for_20_seconds_is_out_of_patience() -> None:
    case = Case()
    case.fail(N0)
    assert (case.at(200.0), case.at(219.75)) == ({}, {})
    assert case.at(220.0) == {SLICE: Fits({N0: said(520.0)}, {})}
    assert case.judge.take_rows() == {(SLICE, N0): misfit(220.0, 520.0)}
    assert (case.at(221.0), case.judge.take_rows()) == ({}, {})


def test_the_time_counts_from_when_it_was_first_looked_at_and_from_when_it_failed() -> None:
    case = Case()
    case.fail(N0)
    assert (case.at(210.0), case.at(229.75)) == ({}, {})
    assert case.at(230.0).keys() == {SLICE}
    later = Case()
    later.is_(State.TERMINATED, N0, now=200.0)
    later.at(200.0)
    later.fail(N0, now=215.0)
    assert (later.at(215.0), later.at(234.75)) == ({}, {})
    assert later.out(235.0) == {N0: said(535.0)}


def test_who_is_well_between_is_waited_for_anew() -> None:
    case = Case()
    case.fail(N0)
    case.at(200.0)
    case.is_(State.RUNNING, N0, now=210.0)
    case.at(210.0)
    case.is_(State.TERMINATED, N0, now=215.0)
    assert (case.at(215.0), case.at(1114.75)) == ({}, {})
    assert case.out(1115.0) == {N0: said(1415.0, "it did not come to run within 900 s")}


def test_what_it_does_by_an_older_order_is_no_evidence_before_it_is_stuck() -> None:
    case = Case()
    case.is_(State.FAILED, N0, now=200.0, reason=TAKEN, generation=99)
    assert (case.at(200.0), case.at(1099.75)) == ({}, {})
    assert case.out(1100.0) == {N0: said(1400.0, "it did not come to run within 900 s")}


def test_what_fails_again_and_again_is_stuck_and_says_why_it_failed_last() -> None:
    case = Case()
    case.is_(State.TERMINATED, N0, now=200.0)
    case.at(200.0)
    case.fail(N0, now=1090.0)
    assert case.at(1099.75) == {}
    assert case.out(1100.0) == {N0: said(1400.0)}
    silent = Case()
    silent.is_(State.TERMINATED, N0, now=200.0)
    silent.at(200.0)
    silent.fail(N0, now=1090.0, reason="")
    assert silent.out(1100.0) == {N0: said(1400.0, "it failed")}


@pytest.mark.parametrize(("reason", "told"), [("", "it failed"), ("x" * 400, "x" * 300)])
def test_the_agents_reason_is_told_and_cut(reason: str, told: str) -> None:
    case = Case()
    case.fail(N0, reason=reason)
    case.at(200.0)
    assert case.out(220.0) == {N0: said(520.0, told)}
    stuck = Case()
    stuck.is_(State.TERMINATED, N0, now=200.0)
    stuck.at(200.0)
    stuck.fail(N0, now=1090.0, reason=reason)
    assert stuck.out(1100.0) == {N0: said(1400.0, told)}


@pytest.mark.parametrize(
    ("components", "told"),
    [
        ({SLIVER_MGR: "no space left"}, ": no space left"),
        ({SLIVER_BOOTSTRAP: "no such agent"}, ": no such agent"),
        ({SLIVER_MGR: "no space left", SLIVER_BOOTSTRAP: "no such agent"}, ": no space left"),
        ({SLIVER_MGR: "x" * 290 + "y" * 20}, ": " + "x" * 290 + "y" * 10),
        ({}, ""),
    ],
)
def test_what_does_not_come_to_run_says_what_the_layers_below_say(
    components: dict[str, str], told: str
) -> None:
    case = Case()
    case.toy.nodes[N0].applications[SLICE].clear()
    case.toy.fleet.fold(case.toy.nodes[N0].agent_holdings(SLICE), now=200.0)
    for component, reason in components.items():
        event = case.toy.nodes[N0].status(SLICE, component, State.FAILED, reason=reason)
        assert not case.toy.fleet.fold(event, now=200.0)
    case.at(200.0)
    assert case.at(1099.75) == {}
    assert case.out(1100.0) == {N0: said(1400.0, f"it did not come to run within 900 s{told}")}


def test_a_host_without_room_for_the_sliver_is_left_alone_soon() -> None:
    case = Case()
    case.toy.nodes[N0].applications[SLICE].clear()
    case.toy.fleet.fold(case.toy.nodes[N0].agent_holdings(SLICE), now=200.0)
    event = case.toy.nodes[N0].status(SLICE, SLIVER_MGR, State.FAILED, reason=f"{DOES_NOT_FIT}: 1G")
    assert not case.toy.fleet.fold(event, now=200.0)
    case.at(200.0)
    assert case.at(219.75) == {}
    assert case.out(220.0) == {N0: said(520.0, "the sliver does not fit: 1G")}


def test_what_was_never_heard_of_is_waited_for_too() -> None:
    case = Case(Grace(stuck_s=50.5))
    slice_ = case.toy.slice
    named = replace(slice_.placements[0], application=SECOND)
    apps = {**slice_.applications, SECOND: replace(pinger(), name=SECOND)}
    case.toy.change(replace(slice_, applications=apps, placements=(*slice_.placements, named)))
    assert case.at(300.0) == {}
    assert case.out(350.5) == {
        named.host: f"second 1.8-1 does not run here: it did not come to run within 50.5 s; "
        f"tried again from {written(650.5)} on"
    }


def test_where_not_even_a_sliver_was_heard_of_there_is_no_more_to_say() -> None:
    case = Case()
    slice_ = case.toy.slice
    late = ToyNode(Host("late.org"))
    case.toy.join(late)
    there = replace(slice_.placements[0], host=late.host)
    case.toy.change(replace(slice_, placements=(*slice_.placements, there)))
    case.at(200.0)
    assert case.out(1100.0) == {late.host: said(1400.0, "it did not come to run within 900 s")}


# -- for how long -----------------------------------------------------------------------------------------


def test_it_is_left_alone_until_its_time_and_then_it_is_news() -> None:
    case = Case()
    case.fail(N0)
    case.at(200.0)
    case.at(220.0)
    case.is_(State.RUNNING, N0, now=221.0)
    assert (case.judge.hosts(519.75), case.judge.hosts(520.0)) == ({N0}, set())
    assert case.judge.of_host(N0, 519.75) == [(SLICE, misfit(220.0, 520.0))]
    assert (case.judge.of_host(N0, 520.0), case.judge.of_host(N1, 300.0)) == ([], [])
    assert (case.at(519.75), case.at(520.0)) == ({}, {SLICE: ALL_FIT})
    assert case.at(521.0) == {}


def test_each_further_time_is_twice_as_long_and_by_luck_a_quarter_longer() -> None:
    case = Case(Grace(out_s=100.0, most_out_s=300.0), draw=lambda: 0.5)
    case.fail(N0)
    case.at(200.0)
    assert case.out(220.0) == {N0: said(332.5)}
    # While it is left alone it is not blamed again.
    assert (case.at(300.0), case.at(332.25)) == ({}, {})
    assert case.out(332.5) == {N0: said(557.5, times=", for the 2. time")}
    assert case.judge.take_rows() == {(SLICE, N0): misfit(332.5, 557.5, failures=2)}
    assert case.out(557.5) == {N0: said(857.5, times=", for the 3. time")}


def test_the_wait_grows_to_any_bound() -> None:
    case = Case(Grace(out_s=1.0, most_out_s=1e9, forgives_s=1e9))
    for failures, out in ((16, 2.0**16), (17, 2.0**16)):
        case.judge.load({(SLICE, N0): misfit(0.0, 0.0, failures=failures)})
        case.fail(N0, now=300.0)
        case.at(300.0)
        case.at(320.0)
        rows = case.judge.take_rows()
        assert rows[SLICE, N0] == misfit(320.0, 320.0 + out, failures=failures + 1)
        case.is_(State.RUNNING, N0, now=321.0)
        case.at(321.0)


def test_of_several_slices_that_leave_a_host_alone_each_is_told_in_order() -> None:
    judge = Misfits()
    one = misfit(0.0, 100.0)
    judge.load(
        {(SLICE, N0): one, (OTHER, N0): one, (OTHER, N1): one, (Slice("late"), N0): misfit(0.0, 9.0)}
    )
    assert judge.of_host(N0, 50.0) == [(OTHER, one), (SLICE, one)]
    assert judge.hosts(50.0) == {N0, N1}
    assert judge.take_rows() == {}
