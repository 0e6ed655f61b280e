"""Laws of rounds, tried from many beginnings: whatever is held, it converges, and then it is quiet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host, Slice
from dsmt_core.nodes import Held
from planner.fleet import NodeState
from planner.reconcile import reconcile
from tests.unit.planner.toy import APP, SLICE, Toy, hosts, wanted_slice

helds = st.builds(
    Held,
    st.integers(0, 40),
    st.sampled_from(["1.8-1", "1.7-1"]),
    st.sampled_from([State.RUNNING, State.TERMINATED]),
)
slivers = st.dictionaries(
    st.sampled_from([SLICE, Slice("old"), Slice("left")]), st.integers(0, 40), max_size=3
)
applications = st.dictionaries(st.sampled_from([APP, Application("other")]), helds, max_size=2)
states = st.sampled_from([NodeState.ALIVE, NodeState.ALIVE, NodeState.FAILED, NodeState.SUSPECT])
Beginning = tuple[Mapping[Slice, int], Mapping[Application, Held], NodeState]
beginnings = st.lists(st.tuples(slivers, applications, states), min_size=6, max_size=6)


def begin(all_: list[Beginning], count: int) -> Toy:
    """A planner that knows nothing of what these nodes hold."""
    toy = Toy(6, (replace(wanted_slice(), plan_parameters={"count": str(count)}),))
    for node, (held, mine, state) in zip(toy.nodes.values(), all_, strict=True):
        node.slivers = dict(held)
        node.applications = {name: dict(mine) for name in held}
        toy.fleet.judge(node.host, state)
        toy.fleet.fold(node.holdings(), now=toy.now)
        for name in held:
            toy.fleet.fold(node.agent_holdings(name), now=toy.now)
        if state is NodeState.FAILED:
            node.deaf = node.mute = True
    return toy


def living(toy: Toy) -> set[Host]:
    return {host for host in hosts(6) if toy.fleet.state(host) is not NodeState.FAILED}


@settings(max_examples=60)
@given(beginnings, st.integers(1, 6))
def test_from_any_holdings_the_wanted_is_reached_and_stays(all_: list[Beginning], count: int) -> None:
    toy = begin(all_, count)
    last = toy.run(60, step=1.0)
    running = toy.running() & living(toy)
    assert len(running) == min(count, len(living(toy)))
    assert running == toy.slice.hosts.keys()
    for host in living(toy):
        assert toy.nodes[host].slivers.keys() <= {SLICE}
    assert (last.changes, last.orders) == ((), ())


@settings(max_examples=60)
@given(beginnings, st.integers(1, 6), st.integers(0, 8))
def test_a_second_round_on_the_same_has_nothing_new(all_: list[Beginning], count: int, rounds: int) -> None:
    toy = begin(all_, count)
    toy.run(rounds)
    first = toy.round()
    again = reconcile(toy.wanted, toy.fleet, sent=toy.sent, now=toy.now)
    assert (again.changes, again.orders, again.agent_queues) == ((), (), ())
    assert {one.host for one in again.waiting} == {one.host for one in first.waiting}


@settings(max_examples=40)
@given(beginnings, st.integers(1, 6))
def test_generations_only_rise(all_: list[Beginning], count: int) -> None:
    toy = begin(all_, count)
    generation, told = 0, dict[object, int]()
    for _ in range(30):
        round_ = toy.run(1, step=1.0)
        assert toy.slice.generation >= generation
        generation = toy.slice.generation
        for order in round_.orders:
            key = order.slice, order.host, order.application, order.verb.value == "REPORT"
            assert order.generation >= told.get(key, 0)
            told[key] = order.generation
