"""A preview as people read it."""

from __future__ import annotations

from typing import Any, cast

from dsmtc.client import Evaluation, Leaver, Preview, ToAgree, Touched
from dsmtc.rendering.previews import held_line, motion, motion_lines, preview, to_agree
from dsmtc.rendering.table import lines
from dsmtc.rendering.views import evaluation


def touched(host: str, **more: Any) -> Touched:
    said = {"does": "stop", "step": 1, "replaces": "", "waits": "", "reason": "not named"}
    return cast("Touched", {"host": host, "plan": "p", "function": "p", **said, **more})


def found(*those: Touched, **more: Any) -> Preview:
    said = {"start": 0, "stop": 1, "move": 0, "stay": 3, "missing": 0, "index": "00aa", "waiting": []}
    return cast("Preview", {**said, "touched": list(those), **more})


def test_counts_come_first_then_who_is_touched_first_and_the_index_last() -> None:
    moved = touched("node2", does="start", step=2, replaces="node1", reason="chosen")
    held = {"host": "", "application": "", "reason": "1 of 2 missing: only 1 node qualifies"}
    assert lines(preview(found(touched("node1"), moved, stop=0, move=1, waiting=[held]))) == [
        "1 move; 3 stay as they are",
        "",
        "ORDER  HOST   WHAT             WHEN                                    BECAUSE    DECIDED BY",
        "1      node1  stop             at once                                 not named  p",
        "2      node2  start for node1  step 2: when the step before has ended  chosen     p",
        "would wait: 1 of 2 missing: only 1 node qualifies",
        "index 00aa",
    ]


def test_what_a_node_is_waited_for_stands_where_its_time_would() -> None:
    written = lines(preview(found(touched("node1", waits="the node has not joined"))))
    assert "the node has not joined" in written[3]


def test_ten_thousand_hosts_are_counted_and_a_hundred_shown() -> None:
    written = lines(preview(found(*(touched(f"n{number}") for number in range(10_000)), stop=10_000)))
    assert written[0] == "10000 stop; 3 stay as they are"
    assert "… and 9900 more; --json tells all" in written
    assert len(written) < 110


def test_of_many_that_wait_some_are_shown() -> None:
    held = [{"host": f"n{n}", "application": "", "reason": "few stop"} for n in range(25)]
    written = lines(preview(found(waiting=held)))
    assert written[1:3] == ["would wait: n0: few stop", "would wait: n1: few stop"]
    assert written[-2] == "would wait: and 15 more; --json tells all"


def test_motion_in_one_line() -> None:
    assert motion({"start": 2, "stop": 0, "move": 1}) == "2 start, 1 move"
    assert motion_lines({"start": 0, "stop": 0, "move": 0}) == ["sets in motion: nothing"]
    assert motion_lines(None) == []


def held(number: int) -> ToAgree:
    hosts = [Leaver(host=f"n{n}", reason="rack is r8", plan="r7", function="where") for n in range(number)]
    return ToAgree(slice="s", index="00aa" if number else "", hosts=hosts)


def test_what_is_held_back_is_shown_with_the_index_to_agree() -> None:
    assert lines(to_agree(held(1))) == [
        "1 of s stop when people agree",
        "",
        "HOST  BECAUSE     DECIDED BY",
        "n0    rack is r8  r7 (where)",
        "index 00aa",
    ]
    assert lines(to_agree(held(0))) == ["nothing in s waits for people to agree"]
    assert len(lines(to_agree(held(10_000)))) < 110


def test_status_names_some_of_those_that_are_held_back_and_the_command() -> None:
    command = "; dsmtc agree --slice s --check-index 00aa"
    assert held_line(held(2)) == f"held back until people agree: n0, n1{command}"
    assert held_line(held(7)) == f"held back until people agree: n0, n1, n2, n3, n4 and 2 more{command}"


def test_an_evaluation_of_ten_thousand_nodes_is_counted_and_some_are_shown() -> None:
    chosen = [{"host": f"in{n}", "reason": "chosen", "plan": "p", "function": "limit"} for n in range(150)]
    others = [
        {"host": f"out{n}", "reason": "failed", "plan": "p", "function": "limit"} for n in range(9850)
    ]
    losses = [{"number": 9850, "plan": "p", "function": "limit"}]
    all_ = {"hosts": chosen, "left_out": others, "missing": 7, "losses": losses, "notes": []}
    written = lines(evaluation(cast("Evaluation", all_)))
    assert written[:2] == ["150 in, 9850 out, 7 missing", "left out: 9850 by p (limit)"]
    assert len(written) == 2 + 1 + 200 + 1
    assert written[-1].startswith("… and 50 more in, 9750 more out; --json tells all")
    few = {"hosts": chosen[:2], "left_out": others[:1], "missing": 0}
    assert len(lines(evaluation(cast("Evaluation", few)))) == 1 + 1 + 3
