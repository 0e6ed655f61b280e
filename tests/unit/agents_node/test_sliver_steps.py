"""One sliver by its values: which step follows, and what each step that was taken changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.container_manager.decide import (
    Boot,
    Configure,
    Create,
    End,
    Evict,
    Found,
    Keep,
    Limit,
    Node,
    Publish,
    Remake,
    Remove,
    StartAgent,
    Step,
    Verdict,
)
from agents.container_manager.decide.sliver import Sliver
from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.limits import NO_LIMITS, Limits
from dsmt_core.names import DEFAULT_AGENT, Host, Slice

ONE, TWO = Slice("one"), Slice("two")
NOW = 100.0
NEVER = float("inf")
UP: dict[str, Any] = {
    "made": True,
    "configured": True,
    "alive": True,
    "kept_limits": NO_LIMITS,
    "state": State.RUNNING,
}
SMALL = Limits(memory=64 << 20)


def sliver(**known: Any) -> Sliver:
    return Sliver(**{"name": ONE, "generation": 3, "wanted": True, "agent": "a", "kept": True, **known})


@pytest.mark.parametrize(
    ("known", "step"),
    [
        # First of all it is stored.
        (
            {"kept": False, "digest": "d"},
            Keep(ONE, 3, wanted=True, agent="a", state=State.UNDEFINED, digest="d"),
        ),
        ({"kept": False, "wanted": None}, Keep(ONE, 3, wanted=None, agent="a", state=State.UNDEFINED)),
        ({"kept": False, "store_at": 100.5}, None),
        ({"kept": False, "store_at": 100.0}, Keep(ONE, 3, wanted=True, agent="a", state=State.UNDEFINED)),
        ({"wanted": None}, None),
        ({"again_at": 100.5}, None),
        ({"again_at": 100.0}, Publish(ONE, State.REQUESTED)),
        # What is to go.
        ({**UP, "wanted": False}, End(ONE)),
        ({**UP, "wanted": False, "ended": True}, Publish(ONE, State.TERMINATED)),
        ({**UP, "wanted": False, "ended": True, "state": State.TERMINATED}, Remove(ONE)),
        ({"ended": True, "state": State.TERMINATED}, Remove(ONE)),
        ({"trouble": "no room"}, Publish(ONE, State.FAILED, "no room")),
        ({**UP, "trouble": "no room"}, Publish(ONE, State.FAILED, "no room")),
        # What is to be made otherwise, but not before it is known to be wanted.
        ({**UP, "remake": True, "trouble": "no room"}, Remake(ONE)),
        ({**UP, "remake": True, "wanted": False}, End(ONE)),
        ({**UP, "remake": True, "again_at": 100.5}, None),
        # On the way up.
        ({"hold_until": 100.5}, None),
        ({"hold_until": 100.0}, Publish(ONE, State.REQUESTED)),
        ({"state": State.FAILED}, Publish(ONE, State.REQUESTED)),
        ({"state": State.REQUESTED}, Create(ONE)),
        ({"state": State.REQUESTED, "made": True}, Publish(ONE, State.INSTANTIATED)),
        ({"state": State.INSTANTIATED}, Create(ONE)),
        ({"state": State.INSTANTIATED, "made": True}, Configure(ONE, "a")),
        ({"state": State.INSTANTIATED, "made": True, "configured": True}, Publish(ONE, State.INITIALIZED)),
        ({"state": State.INITIALIZED, "made": True, "configured": True}, Boot(ONE, "a")),
        # While it lives.
        ({**UP, "made": False}, Create(ONE)),
        ({**UP, "configured": False}, Configure(ONE, "a")),
        (UP, StartAgent(ONE)),
        ({**UP, "hold_until": 100.5}, StartAgent(ONE)),
        ({**UP, "agent_runs": True}, None),
        # What was adopted, or is to have other limits now, gets them before anything else starts in it.
        ({**UP, "kept_limits": None}, Limit(ONE, NO_LIMITS)),
        ({**UP, "agent_runs": True, "limits": SMALL}, Limit(ONE, SMALL, NO_LIMITS)),
        ({**UP, "limits": SMALL}, Limit(ONE, SMALL, NO_LIMITS)),
        # Limits that are refused hold nothing else up, and are tried again.
        ({**UP, "limits": SMALL, "refused": "full"}, StartAgent(ONE)),
        ({**UP, "agent_runs": True, "limits": SMALL, "refused": "full"}, Limit(ONE, SMALL, NO_LIMITS)),
        # It has taken more than it may.
        ({**UP, "over": "too big"}, Evict(ONE, "too big")),
        ({**UP, "over": "too big", "wanted": False}, End(ONE)),
        ({**UP, "state": State.INITIALIZED}, Publish(ONE, State.RUNNING)),
        ({**UP, "state": State.INSTANTIATED}, Publish(ONE, State.INITIALIZED)),
        ({**UP, "state": State.REQUESTED}, Publish(ONE, State.INSTANTIATED)),
        ({**UP, "state": State.FAILED}, Publish(ONE, State.REQUESTED)),
    ],
)
def test_from_each_state_one_step_follows(known: dict[str, Any], step: Step | None) -> None:
    assert sliver(**known).next(NOW) == step


@pytest.mark.parametrize(
    ("known", "at"),
    [
        ({}, NEVER),
        ({"hold_until": 105.0, "again_at": 103.0, "store_at": 104.0}, 103.0),
        ({"hold_until": 102.0, "again_at": 103.0}, 102.0),
        ({"store_at": 101.0, "again_at": 100.0}, 101.0),
        ({"hold_until": 100.0, "again_at": 99.0, "store_at": 1.0}, NEVER),
    ],
)
def test_it_says_when_to_look_again(known: dict[str, Any], at: float) -> None:
    assert sliver(**known).wake_at(NOW) == at


@pytest.mark.parametrize(
    ("known", "step", "error", "changed"),
    [
        ({}, Publish(ONE, State.REQUESTED), "", {"state": State.REQUESTED, "kept": False}),
        (
            {"trouble": "no", "failures": 2},
            Publish(ONE, State.FAILED, "no"),
            "",
            {"state": State.FAILED, "kept": False, "trouble": "", "again_at": 102.0, "failures": 3},
        ),
        ({}, Create(ONE), "", {"made": True}),
        ({}, Configure(ONE, "a"), "", {"configured": True}),
        ({}, Boot(ONE, "a", SMALL), "", {"alive": True, "since": NOW, "kept_limits": SMALL}),
        (UP, Limit(ONE, SMALL), "", {"kept_limits": SMALL}),
        ({**UP, "refused": "in use"}, Limit(ONE, SMALL), "", {"kept_limits": SMALL, "refused": ""}),
        (UP, Limit(ONE, SMALL), "in use", {"again_at": 100.5, "failures": 1, "refused": "in use"}),
        (
            {**UP, "agent_runs": True, "over": "too big"},
            Evict(ONE, "too big"),
            "",
            {"alive": False, "agent_runs": False, "over": "", "trouble": "too big"},
        ),
        (UP, StartAgent(ONE), "", {"agent_runs": True}),
        (
            {**UP, "agent_runs": True, "trouble": "no"},
            End(ONE),
            "",
            {"ended": True, "alive": False, "agent_runs": False, "trouble": ""},
        ),
        (
            {**UP, "agent_runs": True, "remake": True, "trouble": "no"},
            Remake(ONE),
            "",
            {
                **dict.fromkeys(("made", "configured", "alive", "agent_runs", "remake"), False),
                "kept_limits": None,
                "trouble": "",
            },
        ),
        ({**UP, "remake": True}, Remake(ONE), "busy", {"again_at": 100.5, "failures": 1}),
        (
            {"made": True, "configured": True, "ended": True, "failures": 3},
            Remove(ONE),
            "",
            {"made": False, "configured": False, "ended": False, "kept": False, "failures": 0},
        ),
        ({}, Create(ONE), "no room", {"trouble": "no room"}),
        ({}, Configure(ONE, "a"), "no room", {"trouble": "no room"}),
        ({}, Boot(ONE, "a"), "no room", {"trouble": "no room"}),
        (UP, Configure(ONE, "a"), "no room", {"again_at": 100.5, "failures": 1}),
        (UP, StartAgent(ONE), "no answer", {"again_at": 100.5, "failures": 1}),
        ({"ended": True, "failures": 1}, Remove(ONE), "busy", {"again_at": 101.0, "failures": 2}),
        ({"failures": 7}, End(ONE), "busy", {"again_at": 160.0, "failures": 8}),
        ({"failures": 99}, End(ONE), "busy", {"again_at": 160.0, "failures": 100}),
    ],
)
def test_what_each_step_changes(
    known: dict[str, Any], step: Step, error: str, changed: dict[str, Any]
) -> None:
    one = sliver(**known, busy=True)
    one.done(step, NOW, error)
    assert one == sliver(**{**known, **changed})


@pytest.mark.parametrize(
    ("wanted", "meanwhile", "error", "kept"),
    [
        (True, False, "", True),
        (True, True, "", False),
        (True, False, "no space left on device", False),
        # What is to go makes room.
        (False, False, "no space left on device", True),
        (False, True, "no space left on device", False),
    ],
)
def test_what_was_stored_is_kept_unless_it_changed_meanwhile(
    wanted: bool,  # noqa: FBT001
    meanwhile: bool,  # noqa: FBT001
    error: str,
    kept: bool,  # noqa: FBT001
) -> None:
    one = sliver(kept=False, wanted=wanted)
    keep = Keep(ONE, 2 if meanwhile else 3, wanted=wanted, agent="a", state=State.UNDEFINED)
    one.done(keep, NOW, error)
    assert (one.kept, one.failures) == (kept, 0)
    assert one.store_at == (102.0 if error else 0.0)


def test_an_init_that_has_ended_is_told_once() -> None:
    one = sliver(**UP, agent_runs=True, since=40.5, failures=2)
    one.lost(NOW)
    assert (one.alive, one.agent_runs, one.failures) == (False, False, 2)
    assert one.trouble == "its first process ended unexpectedly"
    one.trouble = ""
    one.lost(NOW)
    assert one.trouble == ""
    well = sliver(**UP, since=40.0, failures=2, ended=True)
    well.lost(NOW)
    assert (well.failures, well.trouble) == (0, "")


# -- the node -------------------------------------------------------------------------------------------


def order(verb: Verb, generation: int = 3, slice_: Slice = ONE, **more: Any) -> Order:
    return Order(verb=verb, host=Host("h"), slice=slice_, generation=generation, **more)


def test_an_order_makes_a_sliver_and_a_newer_one_changes_it() -> None:
    node = Node()
    assert node.order(order(Verb.CREATE, digest="d"), NOW) is Verdict.ACCEPTED
    first = Sliver(name=ONE, generation=3, wanted=True, agent=DEFAULT_AGENT, digest="d", answers=True)
    assert node.slivers == {ONE: first}
    assert (node.held(), node.orders(), node.asks, node.report_due()) == (
        {ONE: 3},
        {ONE: "d"},
        False,
        False,
    )
    known = node.slivers[ONE]
    known.kept, known.answers, known.hold_until, known.again_at = True, False, 105.0, 105.0
    assert node.order(order(Verb.DELETE, 4, agent="b"), NOW) is Verdict.ACCEPTED
    assert node.slivers == {ONE: replace(first, generation=4, wanted=False, agent="b", digest="")}
    assert node.order(order(Verb.CREATE, 5), NOW) is Verdict.ACCEPTED
    assert (node.slivers[ONE].agent, node.slivers[ONE].wanted) == ("b", True)
    assert node.order(order(Verb.REPORT), NOW) is Verdict.REPORT
    assert (node.report_due(), node.report_due()) == (True, False)


def test_the_same_order_confirms_and_an_older_one_is_refused() -> None:
    for verb, confirms in ((Verb.CREATE, True), (Verb.DELETE, False)):
        node = Node()
        node.restore([Found(slice=ONE, generation=3, wanted=True)], NOW)
        assert node.asks
        assert node.order(order(Verb.DELETE, 2), NOW) is Verdict.REFUSED
        assert node.report_due()
        assert node.order(order(verb), NOW) is Verdict.SAME
        assert (node.report_due(), node.asks) == (True, not confirms)
    torn = Node()
    torn.restore([Found(slice=ONE)], NOW)
    assert torn.order(order(Verb.CREATE, 0), NOW) is Verdict.ACCEPTED
    assert torn.slivers[ONE].wanted


@pytest.mark.parametrize(
    ("found", "restored"),
    [
        (
            {"wanted": True, "state": State.RUNNING, "made": True, "alive": True, "digest": "d"},
            {"state": State.RUNNING, "made": True, "alive": True, "digest": "d", "hold_until": 0.0},
        ),
        ({"wanted": True, "state": State.RUNNING}, {"state": State.RUNNING, "hold_until": 105.0}),
        (
            {"wanted": False, "state": State.RUNNING},
            {"wanted": False, "state": State.RUNNING, "hold_until": 0.0},
        ),
        ({}, {"wanted": None, "kept": False, "hold_until": 105.0}),
        (
            {"alive": True, "state": State.INSTANTIATED},
            {"wanted": None, "kept": False, "alive": True, "state": State.RUNNING, "hold_until": 0.0},
        ),
    ],
)
def test_what_is_on_disk_is_restored(found: dict[str, Any], restored: dict[str, Any]) -> None:
    node = Node()
    node.restore([Found(slice=ONE, generation=3, agent="a", **found)], NOW)
    assert node.slivers == {ONE: sliver(since=NOW, **restored)}


def test_what_the_planner_confirms_waits_no_longer() -> None:
    for known, generation, waits in (
        (True, 3, False),
        (True, 4, False),
        (True, 2, True),
        (False, 3, False),
    ):
        node = Node()
        node.restore([Found(slice=ONE, generation=3, wanted=known)], NOW)
        node.confirmed({ONE: generation, TWO: 1})
        assert node.asks is waits
    node = Node()
    node.restore([Found(slice=ONE, wanted=True)], NOW)
    assert (node.take(104.5), node.wake_at(104.5)) == ([], 105.0)
    assert node.take(105.0) == [Publish(ONE, State.REQUESTED)]
    assert node.take(105.0) == []
    assert not node.asks
    assert Node().wake_at(NOW) == NEVER


def ended(node: Node, generation: int, slice_: Slice) -> None:
    assert node.order(order(Verb.DELETE, generation, slice_), NOW) is Verdict.ACCEPTED


def test_what_was_deleted_is_remembered_for_two_minutes() -> None:
    node = Node()
    ended(node, 4, ONE)
    assert (node.report_due(), node.gone(219.5)) == (True, {ONE: 4})
    assert node.order(order(Verb.DELETE, 4), NOW) is Verdict.SAME
    assert node.order(order(Verb.DELETE, 3), NOW) is Verdict.SAME
    assert node.order(order(Verb.CREATE, 4), 219.5) is Verdict.REFUSED
    assert node.report_due()
    assert node.order(order(Verb.CREATE, 5), 219.5) is Verdict.ACCEPTED
    assert node.gone(NOW) == {}, "it is there again"
    again = Node()
    ended(again, 4, ONE)
    assert again.order(order(Verb.CREATE, 1), 220.0) is Verdict.ACCEPTED
    assert again.gone(220.0) == {}


def test_a_hundred_that_were_deleted_are_remembered() -> None:
    node = Node()
    for number in range(100):
        ended(node, 4, Slice(f"s{number}"))
    ended(node, 5, Slice("s0"))
    assert len(node.gone(NOW)) == 100
    ended(node, 4, Slice("more"))
    gone = node.gone(NOW)
    assert (len(gone), gone[Slice("s0")], Slice("s1") in gone) == (100, 5, False)


def test_holdings_are_owed_when_an_order_is_stored_and_when_a_sliver_is_gone() -> None:
    node = Node()
    node.order(order(Verb.CREATE), NOW)
    (keep,) = node.take(NOW)
    node.done(keep, NOW, error="no space left on device")
    assert not node.report_due()
    (keep,) = node.take(102.0)
    node.done(keep, NOW)
    assert (node.report_due(), node.slivers[ONE].answers) == (True, False)
    node.order(order(Verb.DELETE, 4), NOW)
    node.slivers[ONE].answers = False
    node.done(Remove(ONE), NOW, error="busy")
    assert (node.held(), node.report_due()) == ({ONE: 4}, False)
    node.done(Remove(ONE), NOW)
    assert (node.held(), node.gone(NOW), node.report_due()) == ({}, {ONE: 4}, True)
    # Wanted again meanwhile, it begins anew.
    node.order(order(Verb.CREATE, 5, TWO), NOW)
    node.done(Remove(TWO), NOW)
    assert (node.held(), node.report_due()) == ({TWO: 5}, False)
    node.lost(ONE, NOW)
