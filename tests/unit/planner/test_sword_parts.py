"""A SWORD choice by its values: what fits, what pairs cost, who is assigned, what is said."""

from __future__ import annotations

from itertools import permutations
from math import inf

import numpy as np
import pytest

from dsmt_core.names import Host, PlanName
from planner.plans import Ground, Selection, evaluate
from planner.plans.sword.assignment import FREE, assign
from planner.plans.sword.fits import fits, why_not
from planner.plans.sword.pairs import Pairs
from planner.plans.sword.problem import Problem, Worth, between, worth
from planner.plans.sword.query import Choices, Constraint, Group, Pair, PairKind, Query, Range
from planner.plans.sword.search import search
from tests.unit.planner.worlds import Facts, world_of

A, B, C, D = (Host(name) for name in "abcd")
PARIS, LONDON, TOKYO = ("48.86", "2.35"), ("51.51", "-0.13"), ("35.68", "139.69")
EVERYWHERE = Range(-inf, -inf, inf, inf, 0.0)


def ground(*told: dict[str, str]) -> Ground:
    return Ground.of({Host(chr(ord("a") + number)): facts for number, facts in enumerate(told)})


def placed(*places: tuple[str, str] | None) -> Ground:
    return ground(*({} if place is None else {"lat": place[0], "lon": place[1]} for place in places))


def rows(count: int) -> np.ndarray:
    return np.arange(count)


def mask(*inside: int) -> np.ndarray:
    return np.array(inside, dtype=np.bool_)


# -- what fits ------------------------------------------------------------------------------------------

LOAD, OS = Range(0.0, 0.0, 1.0, 4.0, 10.0), Choices({"linux": 0.5, "bsd": 3.0})
WISH = Group("g", 2, {"load1": LOAD, "os": OS})


def test_what_a_node_costs_is_the_sum_of_all_that_is_asked_for() -> None:
    nodes = ground(
        {"load1": "2", "os": "linux"},
        {"load1": "1", "os": "bsd"},
        {"load1": "5", "os": "bsd"},
        {"load1": "1", "os": "plan9"},
        {"os": "linux"},
        {"load1": "3"},
        {"load1": "many", "os": "bsd"},
    )
    nobody, everybody = np.zeros(7, dtype=np.bool_), np.ones(7, dtype=np.bool_)
    assert fits(WISH, nodes, rows(7), nobody).tolist() == [10.5, 3.0, inf, inf, inf, inf, inf]
    assert fits(WISH, nodes, rows(7), everybody).tolist() == [10.5, 3.0, inf, inf, 0.5, 20.0, 3.0]
    assert fits(WISH, nodes, np.array([5, 1]), mask(1, 0)).tolist() == [20.0, 3.0]
    assert fits(Group("g", 1, {}), nodes, rows(2), mask(0, 0)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"load1": "2", "os": "linux"}, ""),
        ({"load1": "5", "os": "linux"}, "load1 is 5, not 0 to 4"),
        ({"load1": "2", "os": "p" * 61}, f"os is {'p' * 60}, not linux or bsd"),
        ({"os": "plan9"}, "os is plan9, not linux or bsd"),
        ({"os": "bsd"}, "load1 is not known"),
        ({}, "load1 is not known"),
        ({"load1": "2"}, "os is not known"),
    ],
)
def test_what_rules_a_node_out_is_told_before_what_is_not_known(facts: dict[str, str], why: str) -> None:
    assert why_not(WISH, ground({"os": "linux"}, facts), 1) == why


# -- pairs ----------------------------------------------------------------------------------------------


def costs(pairs: Pairs, pair: Pair, place: int) -> list[float]:
    return [round(cost, 2) for cost in pairs.costs(pair, place).tolist()]


def test_distance_is_by_the_great_circle_and_latency_of_light_in_glass() -> None:
    pairs = Pairs(placed(PARIS, LONDON, TOKYO, None), rows(4), mask(0, 0, 0, 0))
    near = Pair(PairKind.DISTANCE, Range(0.0, 0.0, 300.0, 400.0, 1.0))
    assert costs(pairs, near, 0) == [0.0, 43.47, inf, inf]
    assert costs(pairs, near, 3) == [inf, inf, inf, inf]
    fast = Pair(PairKind.LATENCY, Range(0.0, 0.0, 1.0, 100.0, 1.0))
    assert costs(pairs, fast, 0) == [0.0, 2.43, 96.13, inf]
    assert pairs.costs(near, 0, np.array([2, 0])).tolist() == [inf, 0.0]


def test_a_place_is_no_way_from_itself_and_half_way_round_from_the_other_side() -> None:
    exact = Pair(PairKind.DISTANCE, Range(0.0, 0.0, 0.0, 20_100.0, 1.0))
    # Of some of these the scalar products are a little beyond 1 and -1.
    for lat in range(-80, 81, 10):
        here, there = (str(lat), "20"), (str(-lat), "-160")
        pairs = Pairs(placed(here, here, there), rows(3), mask(0, 0, 0))
        assert costs(pairs, exact, 0) == pytest.approx([0.0, 0.0, 20_015.11], abs=0.2)


def test_what_two_nodes_have_in_common_is_compared_where_both_tell_it() -> None:
    nodes = ground({"rack": "x"}, {"rack": "y"}, {"rack": "x"}, {}, {})
    same, different = Pair(PairKind.SAME, fact="rack"), Pair(PairKind.DIFFERENT, fact="rack")
    pairs = Pairs(nodes, rows(5), mask(1, 0, 0, 1, 0))
    assert costs(pairs, same, 0) == [0.0, inf, 0.0, 0.0, inf]
    assert costs(pairs, different, 0) == [inf, 0.0, inf, 0.0, inf]
    # Of whom nothing is known: who is in stays with who is in, and nobody else.
    assert costs(pairs, same, 3) == [0.0, inf, inf, 0.0, inf]
    assert costs(pairs, different, 4) == [inf, inf, inf, inf, inf]
    others = Pairs(nodes, np.array([2, 1]), mask(0, 0))
    assert costs(others, different, 0) == [inf, 0.0]


# -- what a choice is worth -----------------------------------------------------------------------------

ONE, TWO = Group("one", 2, {}), Group("two", 1, {})


def problem(
    query: Query, penalties: list[list[float]], nodes: Ground, turns: list[float] | None = None
) -> Problem:
    count = len(nodes)
    pairs = Pairs(nodes, rows(count), np.zeros(count, dtype=np.bool_))
    return Problem.of_nodes(query, np.array(penalties), np.array(turns or [0.0] * count), pairs)


def test_a_turn_weighs_more_than_all_penalties_of_a_choice() -> None:
    made = problem(Query((ONE, TWO)), [[2.0, inf], [0.5, 3.0]], ground({}, {}), [0.0, 2.0])
    assert made.counts == [2, 1]
    assert made.costs.tolist() == [[2.0, inf], [0.5, 23.0]]
    small = problem(Query((ONE, TWO)), [[0.25, 0.0], [inf, inf]], ground({}, {}), [1.0, 2.0])
    assert small.costs.tolist() == [[2.0, 3.5], [inf, inf]]
    none = problem(Query((ONE,)), [[inf, inf]], ground({}, {}), [1.0, 2.0])
    assert none.costs.tolist() == [[inf, inf]]


def test_a_choice_is_worth_its_nodes_and_all_that_they_are_to_each_other() -> None:
    near = Pair(PairKind.LATENCY, Range(0.0, 0.0, 0.0, 200.0, 1.0))
    group = Group("one", 3, {}, (near, Pair(PairKind.DIFFERENT, fact="lat")))
    query = Query((group, TWO), (Constraint((0, 1), near), Constraint((1, 0), near)))
    nodes = placed(PARIS, LONDON, TOKYO, PARIS)
    penalties = [[1.0, 2.0, 4.0, 8.0], [16.0, 32.0, 64.0, 128.0]]
    made = problem(query, penalties, nodes, [1.0, 1.0, 2.0, 4.0])

    def of(*owners: int) -> tuple[int, float, float] | None:
        found = worth(made, np.array(owners))
        return None if found is None else (found.missing, found.moved, round(found.penalty, 2))

    assert of(FREE, FREE, FREE, FREE) == (4, 0.0, 0.0)
    assert of(0, FREE, FREE, FREE) == (3, 1.0, 1.0)
    assert of(0, 0, FREE, FREE) == (2, 2.0, 6.43)
    # Three pairs: Paris and London 3.43 ms, Paris and Tokyo 97.13, London and Tokyo 95.59.
    assert of(0, 0, 0, FREE) == (1, 4.0, 203.16)
    # The better of the two to the one of the other group, in both constraints.
    assert of(0, FREE, 0, 1) == (1, 7.0, 230.13)
    assert of(FREE, 0, 0, 1) == (1, 7.0, 236.46)
    assert of(0, FREE, FREE, 0) is None
    assert made.of(0) == made.of(1) == query.constraints


def test_of_what_is_measured_the_best_pair_counts_otherwise_all() -> None:
    nodes = ground({"rack": "x"}, {"rack": "y"}, {"rack": "x"}, {"rack": "x"})
    pairs = Pairs(nodes, rows(4), mask(0, 0, 0, 0))
    same = Pair(PairKind.SAME, fact="rack")
    assert between(pairs, same, np.array([0]), np.array([2, 3])) == 0.0
    assert between(pairs, same, np.array([0, 1]), np.array([2, 3])) == inf
    places = Pairs(placed(PARIS, TOKYO, LONDON), rows(3), mask(0, 0, 0))
    near = Pair(PairKind.LATENCY, Range(0.0, 0.0, 0.0, 200.0, 1.0))
    assert round(between(places, near, np.array([0, 1]), np.array([2])), 2) == 3.43


def test_each_group_knows_the_constraints_in_which_it_is() -> None:
    same = Pair(PairKind.SAME, fact="rack")
    constraints = Constraint((0, 1), same), Constraint((1, 2), same)
    made = problem(Query((ONE, TWO, ONE), constraints), [[0.0]] * 3, ground({}))
    assert [made.of(group) for group in range(3)] == [constraints[:1], constraints, constraints[1:]]


# -- who is assigned ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "counts", "owners"),
    [
        ([[3, 1, 2]], [2], [FREE, 0, 0]),
        ([[inf, inf]], [1], [FREE, FREE]),
        ([[0, 5], [0, 1]], [1, 1], [0, 1]),
        ([[0, 1], [0, 5]], [1, 1], [1, 0]),
        # The last is only for the third, which gives up the second one to the first.
        ([[inf, 2, inf], [1, 3, inf], [inf, 1, 4]], [1, 1, 1], [1, 0, 2]),
        ([[2, 4, inf, inf], [1, 2, 3, inf], [inf, 1, 1, 9]], [1, 1, 1], [0, 1, 2, FREE]),
        ([[5, 1, 1], [1, 1, 9]], [1, 2], [1, 1, 0]),
        ([[1, 1, 1], [1, 1, 1]], [1, 1], [0, 1, FREE]),
        ([[0, inf], [0, inf]], [1, 1], [0, FREE]),
        ([[4, 4], [inf, inf]], [0, 1], [FREE, FREE]),
    ],
)
def test_as_many_as_possible_are_assigned_and_then_the_cheapest(
    table: list[list[float]], counts: list[int], owners: list[int]
) -> None:
    assert assign(np.array(table, dtype=np.float64), counts).tolist() == owners


def test_of_equals_the_first_are_assigned() -> None:
    assert np.flatnonzero(assign(np.zeros((1, 500)), [3]) == 0).tolist() == [0, 1, 2]


def best_by_hand(table: np.ndarray, slots: list[int]) -> tuple[int, float]:
    """How few are missing, and the least that the others cost, by trying each order of the nodes."""
    best = (len(slots), 0.0)
    for nodes in permutations([*range(table.shape[1]), *[None] * len(slots)], len(slots)):
        paid = [table[slot, node] for slot, node in zip(slots, nodes, strict=True) if node is not None]
        if inf not in paid:
            best = min(best, (len(slots) - len(paid), float(sum(paid))))
    return best


def test_an_assignment_is_as_good_as_the_best_of_all() -> None:
    luck = np.random.default_rng(7)
    for _ in range(80):
        table = luck.integers(0, 9, (3, 5)).astype(np.float64)
        table[luck.random((3, 5)) < 0.4] = inf
        counts = [1, 1, 1] if luck.random() < 0.6 else [2, 0, 1]
        slots = [group for group, count in enumerate(counts) for _ in range(count)]
        owners = assign(table, counts)
        held = np.flatnonzero(owners != FREE)
        found = len(slots) - len(held), float(table[owners[held], held].sum())
        assert found == best_by_hand(table, slots)
        assert all((owners == group).sum() <= count for group, count in enumerate(counts))


# -- the search -----------------------------------------------------------------------------------------


def test_a_search_says_what_it_found_and_what_nothing_can_be_below() -> None:
    near = Pair(PairKind.LATENCY, Range(0.0, 0.0, 0.0, 200.0, 1.0))
    query = Query((Group("one", 2, {}, (near,)),))
    found = search(problem(query, [[1.0, 0.0, 0.0]], placed(PARIS, LONDON, TOKYO), [0.0, 0.0, 0.0]))
    assert found.owners.tolist() == [0, 0, FREE]
    assert (found.worth.missing, found.worth.moved, round(found.worth.penalty, 2)) == (0, 0.0, 4.43)
    assert (found.bound, found.exact) == (Worth(0, 0.0, 0.0), False)


def test_where_nodes_do_not_matter_to_each_other_the_search_is_exact() -> None:
    made = problem(
        Query((ONE, TWO)), [[2.0, 1.0, 4.0], [2.0, 0.0, inf]], ground({}, {}, {}), [0.0, 1.0, 0.0]
    )
    found = search(made)
    assert found.owners.tolist() == [0, 1, 0]
    assert found.worth == found.bound == Worth(0, 1.0, 6.0)
    assert found.exact


def test_when_nothing_goes_together_nobody_is_chosen() -> None:
    alone = Pair(PairKind.SAME, fact="rack")
    query = Query((Group("one", 1, {"x": EVERYWHERE}), TWO), (Constraint((0, 1), alone),))
    found = search(problem(query, [[0.0, 0.0], [0.0, 0.0]], ground({"rack": "a"}, {"rack": "b"})))
    assert (found.worth.missing, (found.owners != FREE).sum()) == (1, 1)
    assert found.bound == Worth(0, 0.0, 0.0)


# -- what is said ---------------------------------------------------------------------------------------


def select(query: str, facts: Facts, members: tuple[Host, ...] = ()) -> Selection:
    return evaluate(PlanName("sword"), {"query": query}, {}, world_of(facts, facts=facts, members=members))


def group(name: str, count: int, *what: str) -> str:
    return f"<group><name>{name}</name><num_machines>{count}</num_machines>{''.join(what)}</group>"


def request(*groups: str) -> str:
    return f"<request>{''.join(groups)}</request>"


TOWNS: Facts = {
    host: {"lat": lat, "lon": lon}
    for host, (lat, lon) in zip((A, B, C), (PARIS, LONDON, TOKYO), strict=True)
}
X: Facts = {A: {"x": "1"}, B: {"x": "1", "y": "1"}, C: {"y": "2"}}


def test_a_bounded_search_says_how_good_its_choice_is() -> None:
    costly = select(request(group("g", 2, "<distance>0,0,0,1000,1</distance>")), TOWNS)
    assert costly.hosts == (A, B)
    assert costly.notes == ("found by a bounded search: penalty 343.475, and no choice has less than 0",)
    # What is less than a millionth is not worth a word.
    assert select(request(group("g", 2, "<distance>0,0,0,1000,1e-9</distance>")), TOWNS).notes == ()
    free = select(request(group("g", 2, "<distance>0,0,1000,1000,1</distance>")), TOWNS)
    assert (free.hosts, free.notes) == ((A, B), ())
    short = select(request(group("g", 3, "<distance>0,0,1000,1000,1</distance>")), TOWNS)
    assert short.notes == (
        "group g has 2 of 3: 3 nodes fit its attributes; the others cannot be beside those that were found",
        "found by a bounded search: penalty 0; there may be a choice with more nodes, or that moves fewer",
    )


def test_each_group_says_what_it_lacks() -> None:
    x, y = "<x>1,1,1,1,0</x>", "<y>1,1,1,1,0</y>"
    both = select(request(group("X", 2, x), group("Y", 2, y)), X)
    (note,) = both.notes
    assert note == ("group Y has 0 of 2: 1 node fits its attributes, 1 of them in other groups")
    assert select(request(group("X", 3, x)), X).notes == ("group X has 2 of 3: 2 nodes fit its attributes",)
    reason = both.reason(C)
    assert (reason.text, reason.function) == ("X: x is not known; Y: y is 2, not 1 to 1", "sword")
    assert both.reason(A).text == "chosen for group X, penalty 0"


def test_a_node_is_told_whether_its_group_is_full() -> None:
    facts: Facts = {host: {"load1": load} for host, load in zip((A, B, C), "123", strict=True)}
    load = "<load1>0,0,0,9,1</load1>"
    one = select(request(group("g", 1, load)), facts, members=(C,))
    assert one.reason(A).text == "group g has enough others; its penalty would be 1"
    assert one.reason(C).text == "kept for group g, penalty 3"
    two = select(request(group("g", 1, load), group("h", 1, "<load1>2,2,2,2,0</load1>")), facts)
    assert (two.hosts, two.reason(C).text) == ((A, B), "group g has enough others; its penalty would be 3")
    assert two.reason(B).text == "chosen for group h, penalty 0"
    apart = select(request(group("g", 3, load, "<different>host</different>", "<same>load1</same>")), facts)
    text = apart.reason(C).text
    assert text == "group g has no place for it beside the others; its penalty would be 3"
