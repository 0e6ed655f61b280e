"""What the container manager decides: the walk, generations, asking first, and trying again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.container_manager.decide import (
    Boot,
    Configure,
    Create,
    End,
    Found,
    Keep,
    Limit,
    Node,
    Publish,
    Remove,
    StartAgent,
    Step,
    Verdict,
)
from agents.container_manager.decide.node import ASK_S, GONE_S
from agents.container_manager.decide.sliver import STORE_S
from dsmt_core.agents import AgentPackage
from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State, may_follow
from dsmt_core.names import DEFAULT_AGENT, Host, Slice
from dsmt_core.packages import PackageRef

HOST = Host("node1")
ONE, TWO = Slice("one"), Slice("two")
WALK = [State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.RUNNING]


def order(verb: Verb, generation: int, slice_: Slice = ONE, agent: str = "", life: int = 0) -> Order:
    return Order(verb=verb, host=HOST, slice=slice_, generation=generation, agent=agent, life=life)


@dataclass
class Machine:
    """Carries out steps on a pretended disk; what is on it survives a crash of the manager."""

    node: Node = field(default_factory=Node)
    now: float = 0.0
    orders: dict[Slice, Keep] = field(default_factory=dict)
    made: set[Slice] = field(default_factory=set)
    alive: set[Slice] = field(default_factory=set)
    published: list[tuple[Slice, State]] = field(default_factory=list)
    did: list[Step] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def do(self, step: Step, error: str = "") -> None:
        self.did.append(step)
        if not error or isinstance(step, Publish):
            self._apply(step)
        self.node.done(step, self.now, error=error)

    def _apply(self, step: Step) -> None:
        name = step.slice
        if isinstance(step, Keep):
            self.orders[name] = step
        elif isinstance(step, Publish):
            self.published.append((name, step.state))
            self.reasons.append(step.reason)
        elif isinstance(step, Create):
            self.made.add(name)
        elif isinstance(step, End):
            self.alive.discard(name)
        else:
            self._use(step)

    def _use(self, step: Step) -> None:
        """Steps that need what others have made."""
        assert (step.slice in self.alive) is not isinstance(step, Boot | Remove) or isinstance(
            step, Configure
        )
        assert step.slice in self.made or isinstance(step, Remove)
        if isinstance(step, Boot):
            self.alive.add(step.slice)
        elif isinstance(step, Remove):
            self.orders.pop(step.slice, None)
            self.made.discard(step.slice)

    def settle(self, until: float = 0.0) -> None:
        """Take steps until there are none, also those that come due before ``until``."""
        for _ in range(10_000):
            steps = self.node.take(self.now)
            for step in steps:
                self.do(step)
            due = self.node.wake_at(self.now)
            if not steps and due > until:
                self.now = max(self.now, until)
                return
            if not steps:
                self.now = due
        raise AssertionError("it never settles")

    def crash(self, *, reboot: bool) -> None:
        """The manager dies; with a reboot every process of the machine does."""
        if reboot:
            self.alive.clear()
        self.node = Node()
        places = self.orders.keys() | self.made | self.alive
        self.node.restore([self.found(name) for name in sorted(places)], self.now)

    def found(self, name: Slice) -> Found:
        kept = self.orders.get(name)
        made, alive = name in self.made, name in self.alive
        if kept is None:
            return Found(slice=name, made=made, alive=alive)
        return Found(
            slice=name,
            generation=kept.generation,
            wanted=kept.wanted,
            agent=kept.agent,
            digest=kept.digest,
            state=kept.state,
            made=made,
            alive=alive,
        )

    def states(self, name: Slice = ONE) -> list[State]:
        return [state for each, state in self.published if each == name]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def running(machine: Machine) -> Machine:
    machine.node.order(order(Verb.CREATE, 3), machine.now)
    machine.settle()
    return machine


def test_the_order_is_stored_before_anything_else_and_the_walk_is_the_contracts(running: Machine) -> None:
    assert isinstance(running.did[0], Keep)
    assert running.states() == WALK
    kinds = [type(step).__name__ for step in running.did if not isinstance(step, Keep | Publish)]
    assert kinds == ["Create", "Configure", "Boot", "StartAgent"]
    last_publish = max(i for i, step in enumerate(running.did) if isinstance(step, Publish))
    assert last_publish < running.did.index(StartAgent(ONE))


def test_holdings_are_owed_only_once_the_order_is_stored(machine: Machine) -> None:
    assert machine.node.order(order(Verb.CREATE, 3), 0.0) is Verdict.ACCEPTED
    assert not machine.node.report_due()
    (keep,) = machine.node.take(0.0)
    machine.do(keep)
    assert machine.node.report_due()
    assert not machine.node.report_due()
    assert machine.node.held() == {ONE: 3}


def test_the_same_order_changes_nothing_and_an_older_one_is_refused(running: Machine) -> None:
    running.node.report_due()
    count = len(running.did)
    assert running.node.order(order(Verb.CREATE, 3), 0.0) is Verdict.SAME
    assert running.node.report_due()
    assert running.node.order(order(Verb.DELETE, 2), 0.0) is Verdict.REFUSED
    assert running.node.report_due()
    assert running.node.order(order(Verb.DELETE, 3), 0.0) is Verdict.SAME
    running.settle()
    assert len(running.did) == count


def test_a_newer_generation_touches_no_running_sliver(running: Machine) -> None:
    running.node.order(order(Verb.CREATE, 9), 0.0)
    running.settle()
    assert running.states() == WALK
    assert running.node.held() == {ONE: 9}
    assert running.orders[ONE].generation == 9


def test_what_is_being_deleted_is_held_until_it_has_ended(running: Machine) -> None:
    running.node.order(order(Verb.DELETE, 4), 0.0)
    assert running.node.held() == {ONE: 4}
    running.settle()
    assert running.states() == [*WALK, State.TERMINATED]
    assert running.node.held() == {}
    assert running.node.gone(running.now) == {ONE: 4}
    assert (running.alive, running.made, running.orders) == (set(), set(), {})


def test_no_older_create_brings_a_deleted_sliver_back(running: Machine) -> None:
    running.node.order(order(Verb.DELETE, 4), 0.0)
    running.settle()
    assert running.node.order(order(Verb.CREATE, 4), running.now) is Verdict.REFUSED
    much_later = running.now + 1_000 * GONE_S
    assert running.node.gone(much_later) == {}
    assert running.node.order(order(Verb.CREATE, 1), much_later) is Verdict.REFUSED
    # A planner that has forgotten is told by which number it is to be a newer one.
    assert running.node.gone(much_later) == {ONE: 4}
    assert running.node.order(order(Verb.CREATE, 5), much_later) is Verdict.ACCEPTED


def test_another_slice_of_the_name_counts_from_its_own_beginning(running: Machine) -> None:
    running.node.order(order(Verb.CREATE, 7, life=3), 0.0)
    running.node.order(order(Verb.DELETE, 8), 0.0)
    running.settle()
    later = running.now + GONE_S
    assert running.node.order(order(Verb.CREATE, 7, life=3), later) is Verdict.REFUSED
    assert running.node.order(order(Verb.CREATE, 1, life=4), later + GONE_S) is Verdict.ACCEPTED
    running.node.order(order(Verb.DELETE, 2, life=4), later)
    running.settle()
    # Neither by its own number nor by the other one's.
    for generation, life in ((1, 4), (7, 3), (8, 4)):
        said = order(Verb.CREATE, generation, life=life)
        assert running.node.order(said, running.now + 9 * GONE_S) is Verdict.REFUSED


def test_deleting_what_was_never_there_is_confirmed(machine: Machine) -> None:
    machine.node.order(order(Verb.DELETE, 4), 0.0)
    assert machine.node.report_due()
    assert machine.node.gone(0.0) == {ONE: 4}
    assert machine.node.take(0.0) == []


def test_wanted_again_while_it_is_being_deleted_it_begins_anew(running: Machine) -> None:
    running.node.order(order(Verb.DELETE, 4), 0.0)
    (keep,) = running.node.take(0.0)
    running.do(keep)
    (end,) = running.node.take(0.0)
    assert end == End(ONE)
    running.node.order(order(Verb.CREATE, 5), 0.0)
    running.do(end)
    running.settle()
    assert running.states() == [*WALK, State.TERMINATED, *WALK]
    assert running.did.count(Remove(ONE)) == 1
    assert running.node.held() == {ONE: 5}


def test_a_step_that_fails_is_published_with_its_reason_and_tried_again_later(machine: Machine) -> None:
    machine.node.order(order(Verb.CREATE, 3), 0.0)
    while not any(isinstance(step, Boot) for step in machine.did):
        for step in machine.node.take(machine.now):
            machine.do(step, "no luck" if isinstance(step, Boot) else "")
    machine.settle()
    assert machine.states() == [*WALK[:3], State.FAILED]
    assert machine.reasons[-1] == "no luck"
    assert machine.node.take(machine.now) == []
    assert machine.node.wake_at(machine.now) == pytest.approx(machine.now + 0.5)
    machine.settle(machine.now + 1)
    assert machine.states() == [*WALK[:3], State.FAILED, *WALK]


def test_a_sliver_that_keeps_dying_is_booted_less_and_less_often(running: Machine) -> None:
    waits = []
    for _ in range(10):
        running.alive.discard(ONE)
        running.node.lost(ONE, running.now)
        died = running.now
        running.settle()
        waits.append(running.node.wake_at(running.now) - died)
        running.settle(died + waits[-1])
    assert waits[:4] == pytest.approx([0.5, 1, 2, 4])
    assert max(waits) <= 60


def test_after_a_crash_of_the_manager_what_lives_is_adopted_in_silence(running: Machine) -> None:
    running.crash(reboot=False)
    assert not running.node.asks
    before = list(running.published)
    running.settle(100)
    assert running.published == before
    assert [type(step) for step in running.did[-3:]] == [Configure, Limit, StartAgent]


def test_after_a_reboot_nothing_starts_before_the_answer_or_five_seconds(running: Machine) -> None:
    running.crash(reboot=True)
    begun = running.now
    assert running.node.asks
    assert running.node.take(begun) == []
    assert running.node.wake_at(begun) == begun + ASK_S
    running.settle(begun + ASK_S)
    assert running.states() == [*WALK, *WALK]
    assert not running.node.asks


@pytest.mark.parametrize("generation", [3, 4])
def test_the_answer_lets_it_start_at_once(running: Machine, generation: int) -> None:
    running.crash(reboot=True)
    running.node.order(order(Verb.CREATE, generation), running.now)
    running.settle()
    assert running.states() == [*WALK, *WALK]


def test_what_the_join_names_needs_no_answer(running: Machine) -> None:
    running.crash(reboot=True)
    running.node.confirmed({ONE: 3})
    assert not running.node.asks
    running.settle()
    assert running.states() == [*WALK, *WALK]


def test_a_stale_join_confirms_nothing(running: Machine) -> None:
    running.crash(reboot=True)
    running.node.confirmed({ONE: 2})
    assert running.node.asks


def test_moved_away_meanwhile_it_is_removed_and_never_started(running: Machine) -> None:
    running.crash(reboot=True)
    running.node.order(order(Verb.DELETE, 4), running.now)
    running.settle(100)
    assert running.states() == [*WALK, State.TERMINATED]


def test_a_lost_order_starts_nothing_by_itself(running: Machine) -> None:
    del running.orders[ONE]
    running.crash(reboot=True)
    assert running.node.held() == {ONE: 0}
    assert running.node.asks
    running.settle(1000)
    assert running.states() == WALK
    running.node.order(order(Verb.CREATE, 3), running.now)
    running.settle(2000)
    assert running.states() == [*WALK, *WALK]


def test_a_lost_order_leaves_what_lives_alone_until_the_answer(running: Machine) -> None:
    del running.orders[ONE]
    running.crash(reboot=False)
    running.settle(1000)
    assert running.states() == WALK
    assert running.alive == {ONE}
    assert running.node.order(order(Verb.CREATE, 3), running.now) is Verdict.ACCEPTED
    running.settle(2000)
    assert running.states() == WALK
    assert not running.node.asks


def test_an_end_interrupted_by_a_crash_goes_on(running: Machine) -> None:
    running.node.order(order(Verb.DELETE, 4), 0.0)
    (keep,) = running.node.take(0.0)
    running.do(keep)
    (end,) = running.node.take(0.0)
    running.do(end)
    running.crash(reboot=False)
    running.settle(100)
    assert running.states() == [*WALK, State.TERMINATED]
    assert running.node.held() == {}


def test_another_agent_takes_its_place_in_what_runs(running: Machine) -> None:
    package = AgentPackage(name="mine", version="1", package=PackageRef("a" * 64, 1, "mine-1.tgz"))
    asked = replace(order(Verb.CREATE, 9, agent="mine"), agent_package=package)
    assert running.node.order(asked, running.now) is Verdict.ACCEPTED
    steps = []
    while taken := running.node.take(running.now):
        steps += [type(step) for step in taken]
        for step in taken:
            running.do(step)
    assert steps == [Keep, Configure]
    assert running.node.slivers[ONE].agent == package.text
    assert running.states() == WALK


ORDERS = st.builds(
    order,
    st.sampled_from([Verb.CREATE, Verb.CREATE, Verb.DELETE, Verb.REPORT]),
    st.integers(0, 12),
    st.sampled_from([ONE, TWO]),
    st.sampled_from(["", DEFAULT_AGENT]),
)
EVENTS = st.lists(
    st.one_of(
        ORDERS,
        st.sampled_from(["step", "step", "step", "fail", "crash", "reboot", "lost", "wait"]),
    ),
    max_size=60,
)


def _happen(machine: Machine, event: Order | str) -> None:
    if isinstance(event, Order):
        machine.node.order(event, machine.now)
    elif event in {"step", "fail"}:
        for step in machine.node.take(machine.now):
            machine.do(step, "misfortune" if event == "fail" else "")
    elif event in {"crash", "reboot"}:
        machine.crash(reboot=event == "reboot")
    elif event == "lost":
        for name in list(machine.alive):
            machine.alive.discard(name)
            machine.node.lost(name, machine.now)
    else:
        machine.now += 3.0


@settings(max_examples=300)
@given(EVENTS)
def test_whatever_happens_it_converges_and_no_generation_ever_falls(events: list[Order | str]) -> None:
    machine = Machine()
    for event in events:
        before = machine.node.held()
        _happen(machine, event)
        for name, generation in machine.node.held().items():
            crashed = event in {"crash", "reboot"}
            assert crashed or generation >= before.get(name, 0) or name not in before
    machine.node.order(order(Verb.CREATE, 100, ONE), machine.now)
    machine.node.order(order(Verb.DELETE, 100, TWO), machine.now)
    machine.settle(machine.now + 500)
    assert machine.node.held() == {ONE: 100}
    assert machine.alive == {ONE}
    assert machine.made == {ONE}
    assert machine.states()[-1] is State.RUNNING


@settings(max_examples=300)
@given(st.lists(st.one_of(ORDERS, st.sampled_from(["step", "step", "fail", "lost", "wait"])), max_size=60))
def test_without_a_crash_every_published_state_follows_the_table(events: list[Order | str]) -> None:
    machine = Machine()
    for event in events:
        _happen(machine, event)
    machine.settle(machine.now + 100)
    for name in (ONE, TWO):
        state = State.UNDEFINED
        for later in machine.states(name):
            assert may_follow(state, later), machine.published
            state = later


def test_an_end_is_told_once_when_a_sliver_is_deleted_before_it_began_anew(running: Machine) -> None:
    running.node.order(order(Verb.DELETE, 4), running.now)
    running.settle(running.now + 1)
    running.node.order(order(Verb.CREATE, 5), running.now)
    running.node.order(order(Verb.DELETE, 6), running.now)
    running.settle(running.now + 1)
    assert running.states() == [*WALK, State.TERMINATED]
    assert running.node.gone(running.now) == {ONE: 6}


def test_what_the_disk_does_not_take_is_tried_again_later_not_at_once(machine: Machine) -> None:
    machine.node.order(order(Verb.CREATE, 3), machine.now)
    (step,) = machine.node.take(machine.now)
    machine.do(step, "no space left on device")
    assert machine.node.take(machine.now) == []
    assert machine.node.wake_at(machine.now) == machine.now + STORE_S
    machine.settle(until=machine.now + STORE_S)
    assert machine.states() == WALK


def test_a_sliver_is_deleted_although_the_disk_takes_nothing_more(running: Machine) -> None:
    running.node.order(order(Verb.DELETE, 4), running.now)
    while running.node.held():
        for step in running.node.take(running.now):
            running.do(step, "no space left on device" if isinstance(step, Keep) else "")
        running.now += STORE_S
    assert running.alive == running.made == set()


def test_what_cannot_be_removed_is_tried_again_later_not_at_once(running: Machine) -> None:
    running.node.order(order(Verb.DELETE, 4), running.now)
    while not isinstance(step := running.node.take(running.now)[0], Remove):
        running.do(step)
    running.do(step, "busy")
    assert running.node.take(running.now) == []
    running.settle(until=running.node.wake_at(running.now))
    assert running.node.held() == {}


def test_the_digest_of_the_order_is_said_again_also_by_the_next_life(machine: Machine) -> None:
    machine.node.order(replace(order(Verb.CREATE, 3), digest="abc"), machine.now)
    machine.node.order(order(Verb.CREATE, 3, TWO), machine.now)
    machine.settle()
    assert machine.node.orders() == {ONE: "abc"}, "an order without one has none"
    machine.crash(reboot=False)
    assert machine.node.orders() == {ONE: "abc"}
    machine.node.order(replace(order(Verb.DELETE, 4), digest="other"), machine.now)
    assert machine.node.orders() == {ONE: "other"}


def test_a_sliver_whose_init_ends_says_so_and_one_that_was_well_for_a_minute_starts_over(
    running: Machine,
) -> None:
    sliver = running.node.slivers[ONE]
    sliver.failures = 4
    running.node.lost(ONE, sliver.since + 59.9)
    assert (sliver.alive, sliver.agent_runs, sliver.failures) == (False, False, 4)
    assert sliver.trouble == "its first process ended unexpectedly"
    sliver.alive = True
    running.node.lost(ONE, sliver.since + 60.0)
    assert sliver.failures == 0


def test_the_wait_after_failures_doubles_up_to_a_minute(running: Machine) -> None:
    sliver = running.node.slivers[ONE]
    waits = []
    for _ in range(9):
        sliver._wait(100.0)
        waits.append(sliver.again_at - 100.0)
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
