"""When a time has come, and what is held back: each by its last word."""

from __future__ import annotations

from dsmt_core.names import Host, Slice
from planner.reconcile.due import NEVER, Due
from planner.reconcile.held_back import HeldBack
from planner.steps import Round, Waiting
from tests.unit.planner.toy import SLICE, hosts

N0, N1 = hosts(2)
OTHER = Slice("other")

# -- due --------------------------------------------------------------------------------------------------


def test_keys_are_told_when_their_time_has_come_and_only_by_their_last_time() -> None:
    times: dict[str, float] = {}
    due = Due[str](lambda key: times.get(key, NEVER))

    def put(key: str, at: float) -> None:
        times[key] = at
        due.put(key, at, living=len(times))

    assert (due.first(), [*due.take(1e9)]) == (NEVER, [])
    for key, at in (("a", 3.0), ("b", 1.0), ("c", 2.0), ("b", 4.0), ("d", 2.0)):
        put(key, at)
    assert due.first() == 2.0
    assert [*due.take(1.75)] == []
    assert [*due.take(3.0)] == ["c", "d", "a"]
    del times["b"]
    assert (due.first(), [*due.take(9.0)]) == (NEVER, [])


def test_times_that_count_no_more_cost_no_memory() -> None:
    times = {"a": 0.0, "b": 1e9}
    due = Due[str](times.__getitem__)
    due.put("b", 1e9, living=2)
    for number in range(2_500):
        times["a"] = float(10_000 - number)
        due.put("a", times["a"], living=2)
        assert len(due._heap) <= 1_004
    assert [*due.take(1e9)] == ["a", "b"]


# -- what is held back ------------------------------------------------------------------------------------


def waits(reason: str, host: Host = Host(""), slice_: Slice = SLICE) -> Waiting:  # noqa: B008
    return Waiting(slice=slice_, reason=reason, host=host)


def test_each_round_replaces_what_it_looked_at_and_the_rest_stands() -> None:
    held = HeldBack()
    of_all, first, second = waits("few nodes"), waits("no answer", N0), waits("it failed", N1)
    other = waits("no plan", slice_=OTHER)
    looked = frozenset({SLICE, OTHER})
    held.take(Round(waiting=(second, first, of_all, other), looked_at=looked))
    assert (held.of(SLICE), held.of(OTHER)) == ((of_all, first, second), (other,))
    held.take(Round(looked_at=frozenset({SLICE}), partly={SLICE: frozenset({N0, Host("x")})}))
    assert held.of(SLICE) == (of_all, second)
    again = waits("it is back", N0)
    held.take(Round(waiting=(again, first), looked_at=frozenset({SLICE}), partly={SLICE: frozenset({N0})}))
    assert held.of(SLICE) == (of_all, again, first, second)
    held.take(Round(looked_at=frozenset({SLICE, Slice("new")})))
    assert (held.of(SLICE), held.of(OTHER), held.of(Slice("new"))) == ((), (other,), ())
    held.take(Round(looked_at=frozenset({OTHER, Slice("new")}), partly={Slice("new"): frozenset({N0})}))
    assert held.of(OTHER) == ()
