"""What is wrong with an installation: each thing has a state, and what to do where it is not well."""

from __future__ import annotations

from typing import Any

import pytest

from dsmt_core.names import Host
from planner.checkup import DOUBT, ILL, WELL, Finding, Vitals, findings
from planner.fleet.clocks import Clocks

GOOD: dict[str, Any] = {
    "version": "1.0",
    "link": "connected",
    "free": 50 << 30,
    "size": 100 << 30,
    "versions": {"n1": "1.0"},
    "nodes": {"alive": 3},
}
OLD = {f"n{number}": "0.9" for number in range(9)}


def found(**changed: Any) -> dict[str, Finding]:
    return {one.what: one for one in findings(Vitals(**GOOD | changed))}


def test_all_is_well() -> None:
    assert {one.state for one in found().values()} == {WELL}
    assert {one.todo for one in found().values()} == {""}


@pytest.mark.parametrize(
    ("changed", "what", "state", "said"),
    [
        ({"link": "away"}, "broker", ILL, "link is away"),
        ({"users": "no right"}, "broker", DOUBT, "no right"),
        ({"rounds": "no disk"}, "rounds", ILL, "no disk"),
        ({"lag_s": 1.5}, "rounds", DOUBT, "1500 ms"),
        ({"free": 1 << 20}, "disk", ILL, "0.0 of 100.0 GiB"),
        ({"free": 4 << 30}, "disk", DOUBT, "4.0 of"),
        ({"depot": "refused"}, "depot", ILL, "refused"),
        ({"versions": {"n1": "0.9", "n2": "1.0"}}, "versions", DOUBT, "1 have 0.9 (n1)"),
        ({"versions": OLD}, "versions", DOUBT, "9 have 0.9 (n0, n1, n2, n3, n4 …)"),
        ({"nodes": {}}, "nodes", DOUBT, "there are none"),
        ({"nodes": {"alive": 2, "failed": 1}}, "nodes", DOUBT, "of 3: 1 failed"),
        ({"clocks": {"a": 0.1, "b": -9.0, "c": 1.0}}, "clocks", DOUBT, "b 9 s behind"),
        ({"clocks": {"a": 7300.0, "b": 9.0}}, "clocks", DOUBT, "a 2.0 h ahead, b 9 s ahead"),
        ({"clocks": {f"n{n}": 9.0 for n in range(7)}}, "clocks", DOUBT, "n4 9 s ahead and 2 more"),
        ({"rooms": {"a": 0.0, "b": 8.0}}, "disks", DOUBT, "nearly full: a"),
    ],
)
def test_what_is_not_well_is_told_with_what_to_do(
    changed: dict[str, Any], what: str, state: str, said: str
) -> None:
    one = found(**changed)[what]
    assert (one.state, said in one.said, bool(one.todo)) == (state, True, True), one


def test_where_most_clocks_are_off_it_may_be_the_planner_s() -> None:
    assert "the planner's that is off" in found(clocks={"a": 7.0, "b": 8.0, "c": 0.0})["clocks"].todo
    assert "these nodes" in found(clocks={"a": 7.0, "b": 0.0, "c": 0.0})["clocks"].todo


def test_what_waited_on_its_way_says_nothing_of_a_clock() -> None:
    clocks, node = Clocks(), Host("n1")
    for ahead in (-60.0, -55.0, -50.0):
        clocks.heard(node, ahead)
    assert clocks.off(node) is None
    for ahead in (-0.1, -0.2):
        clocks.heard(node, ahead)
    assert clocks.off(node) == -0.2
    clocks.heard(node, float("nan"))
    assert clocks.off(node) == -0.2
    clocks.drop(node)
    assert clocks.off(node) is None
