"""What people read of nodes that are not trusted."""

from __future__ import annotations

from dsmtc.client import Evidence, Misfit, Node
from dsmtc.rendering.nodes import evidence, failed_nodes
from dsmtc.rendering.table import Part, Table

NOW = 10_000.0
NOTE = Evidence(what="failed: not heard for 3.2 s", when=NOW - 60, by="tracker")
CLOSED = Evidence(what="its connection was closed", when=NOW - 63, by="broker", times=4)
MISFIT = Misfit(
    slice="xyz1",
    application="pinger",
    version="1.8-1",
    reason="its port is taken",
    since=NOW - 10,
    until=NOW + 290,
    failures=1,
)


def a_node(state: str, **more: object) -> Node:
    node = {
        "host": "n1",
        "state": state,
        "heard_at": NOW - 63,
        "period": 1.0,
        "since": NOW - 60,
        "failures": 2,
        "evidence": [CLOSED, NOTE],
        "slivers": [],
        "facts": {},
    }
    return Node(**{**node, **more})  # type: ignore[typeddict-item]


def rows(view: list[Part]) -> list[tuple[str, ...]]:
    return [tuple(row) for part in view if isinstance(part, Table) for row in part.rows]


def test_a_failed_node_is_tried_again_when_it_is_heard() -> None:
    ((host, state, since, failures, again, _, _, why),) = rows(list(failed_nodes([a_node("failed")], NOW)))
    assert (host, state, since, failures) == ("n1", "failed", "1m", "2")
    assert again == "when it is heard"
    assert why == "its connection was closed (4 times); failed: not heard for 3.2 s"


def test_a_node_on_probation_says_how_long_and_whether_it_is_probed() -> None:
    waits = a_node("probation", out_until=NOW + 30)
    probed = a_node("probation", out_until=NOW - 1, probed=True)
    due = a_node("probation", out_until=NOW - 1)
    shown = [rows(list(failed_nodes([node], NOW)))[0][4] for node in (waits, probed, due)]
    assert shown == ["in 30s", "now: a probe is under way", "now"]


def test_a_node_that_people_took_out_of_service_is_told_apart() -> None:
    worked_on = {"state": "maintenance", "sentence": "maintenance: disks", "late": False, "left": []}
    view = failed_nodes([a_node("suspect", standing=worked_on), a_node("failed")], NOW)
    (table,) = [part for part in view if isinstance(part, Table)]
    assert table.columns[2] == "STANDING"
    assert [row[2] for row in table.rows] == ["maintenance: disks", "-"]


def test_a_node_that_people_distrust_waits_for_their_trust() -> None:
    word = {"by": "ann", "since": NOW, "reason": "it loses packets"}
    standing = {"state": "distrusted", "sentence": "x", "late": False, "left": [], "distrusted": word}
    assert (
        rows(list(failed_nodes([a_node("failed", standing=standing)], NOW)))[0][5] == "when it is trusted"
    )


def test_a_slice_that_leaves_a_node_alone_stands_in_a_table_of_its_own() -> None:
    view = list(failed_nodes([a_node("alive", misfits=[MISFIT]), a_node("suspect")], NOW))
    suspect, misfit = rows(view)
    assert suspect[1] == "suspect"
    assert misfit == ("n1", "xyz1", "pinger 1.8-1", "1", "in 4m", "its port is taken")
    assert len(rows(list(failed_nodes([a_node("alive", misfits=[MISFIT])], NOW)))) == 1


def test_when_all_is_well_it_says_so() -> None:
    assert failed_nodes([], NOW) == ["all nodes are well"]


def test_the_evidence_of_one_node() -> None:
    first, *rest = evidence(a_node("failed"), NOW)
    assert first == "n1 is failed, failed 2 times; tried again when it is heard"
    assert rows(list(rest))[0] == ("1m", "broker", "its connection was closed (4 times)")
    assert evidence(a_node("alive", failures=0, evidence=[]), NOW) == ["n1 is alive"]
    assert "failed once" in str(next(iter(evidence(a_node("alive", failures=1), NOW))))
