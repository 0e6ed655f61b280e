"""What is wrong with an installation: each thing has a state, and what to do where it is not well."""

from __future__ import annotations

from typing import Any

import pytest

from planner.checkup import DOUBT, ILL, WELL, Finding, Vitals, findings

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
    ],
)
def test_what_is_not_well_is_told_with_what_to_do(
    changed: dict[str, Any], what: str, state: str, said: str
) -> None:
    one = found(**changed)[what]
    assert (one.state, said in one.said, bool(one.todo)) == (state, True, True), one
