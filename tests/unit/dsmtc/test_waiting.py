"""Waiting: n of m, what lacks and why; and times as people write them."""

from __future__ import annotations

from typing import Any

from dsmtc.awaited import Wish, sentence, waited
from dsmtc.client.configurations import Configured
from dsmtc.client.rolled import Foreseen, Rollout
from dsmtc.rendering.configurations import configured
from dsmtc.rendering.rollouts import foreseen, history, progress, shown
from dsmtc.rendering.table import lines


def host(name: str, state: str, *, node: str = "alive", version: str = "1.8-1", reason: str = "") -> Any:
    application = {
        "application": "pinger",
        "state": state,
        "version": version,
        "wanted_version": "1.8-1",
        "wanted": "running",
        "text": "",
        "reason": reason,
        "since": 0.0,
    }
    return {"host": name, "node_state": node, "applications": [application], "reason": ""}


def status(*hosts: Any, missing: int = 0) -> Any:
    reasons = [f"{missing} missing"] if missing else []
    return {"slice": "s1", "hosts": list(hosts), "missing": missing, "waiting_reasons": reasons}


def test_n_of_m_is_reached_and_the_rest_is_named() -> None:
    found = status(host("a", "running"), host("b", "running"), host("c", "failed", reason="disk full"))
    assert waited(Wish("running", 2), found)["reached"]
    late = waited(Wish("running", 3), found)
    assert not late["reached"]
    assert sentence(late) == "2 of 3 running; c pinger: failed, disk full"


def test_without_a_count_all_are_waited_for_also_those_for_whom_there_is_no_node() -> None:
    assert waited(Wish("running"), status(host("a", "running")))["reached"]
    missing = waited(Wish("running"), status(host("a", "running"), missing=2))
    assert (missing["reached"], missing["of"]) == (False, 3)
    assert "2 missing" in sentence(missing)
    assert not waited(Wish("running"), status())["reached"], "nothing at all is not all"


def test_where_nothing_can_run_it_is_told_why() -> None:
    empty = {"host": "a", "node_state": "alive", "applications": [], "reason": ""}
    assert "has no application" in sentence(waited(Wish("running"), status(empty)))
    assert "has no application pingr; it has pinger" in sentence(
        waited(Wish("running", None, "pingr"), status(host("a", "running")))
    )
    assert "only 1 are wanted" in sentence(waited(Wish("running", 9), status(host("a", "running"))))
    assert "has no plan" in sentence(waited(Wish("running"), status()))


def test_an_instance_on_a_failed_node_does_not_count() -> None:
    found = status(host("a", "running", node="failed"))
    assert not waited(Wish("running", 1), found)["reached"]
    assert waited(Wish("failed", 1), found)["count"] == 1


def test_only_the_version_that_is_meant_counts() -> None:
    found = status(host("a", "running"), host("b", "running", version="1.9-1"))
    answer = waited(Wish("running", 2, "pinger", "1.9-1"), found)
    assert (answer["count"], answer["lacking"][0]["reason"]) == (1, "it has 1.8-1")
    assert waited(Wish("running", 0, "other"), found)["reached"]


ROLLOUT: Rollout = {
    "application": "pinger",
    "number": 2,
    "phase": "running",
    "active": True,
    "from_version": "1.8-1",
    "version": "1.9-1",
    "wave": 2,
    "waves": ["1", "50%", "100%"],
    "min_healthy_s": 30.0,
    "deadline_s": 300.0,
    "errors": "10%",
    "need": "90%",
    "well": 1,
    "ill": 0,
    "failures": 1,
    "failed": {"n1": "it \x1b[31mfailed"},
    "reason": "1 of 1 of wave 1 are well",
    "by": "ann",
    "began_at": 1.0,
    "moved_at": 2.0,
    "hosts": 10,
    "new": 3,
    "running": 2,
    "target": 5,
    "awaited": [f"n{number}" for number in range(12)],
    "waits": ["the disruption budget has no room"],
}


def test_a_roll_out_is_told_in_a_line_and_in_full() -> None:
    line = progress(ROLLOUT)
    assert "wave 2 of 3 (up to 5): 3 of 10 have it, 2 run, 1 failed" in line
    text = "\n".join(lines(shown(ROLLOUT)))
    assert "and 2 more" in text
    assert "no room" in text
    assert "\x1b" not in text
    ended: Rollout = {**ROLLOUT, "phase": "done", "active": False}
    assert "wave" not in progress(ended)
    assert "done" in "\n".join(lines(history([ended])))
    assert lines(history([])) == ["there was no roll-out"]


def test_what_would_be_is_told_wave_by_wave() -> None:
    waves: Any = [
        {"wave": 1, "upto": 1, "hosts": ["n1"]},
        {"wave": 2, "upto": 1, "hosts": []},
        {"wave": 3, "upto": 20, "hosts": [f"n{number}" for number in range(2, 21)]},
    ]
    answer: Foreseen = {
        "application": "a",
        "from_version": "1",
        "version": "2",
        "changes": ["version 1 becomes 2", "greeting is hi"],
        "waves": waves,
        "index": "abc",
    }
    text = lines(foreseen(answer))
    assert text[:3] == ["of a 1 would change:", "  version 1 becomes 2", "  greeting is hi"]
    assert text[3:5] == ["wave 1 (up to 1): n1", "wave 2 (up to 1): nobody more"]
    assert text[5].endswith("and 9 more")
    assert text[6] == "index abc"
    rest: Foreseen = {**answer, "changes": []}
    assert lines(foreseen(rest))[1] == "  nothing but on the hosts below"
    nothing: Foreseen = {**rest, "waves": [{"wave": 1, "upto": 9, "hosts": []}]}
    assert lines(foreseen(nothing)) == ["nothing to do: every host has a 2 so already", "index abc"]


def test_a_change_of_configuration_is_told_in_plain_words() -> None:
    same: Rollout = {**ROLLOUT, "version": "1.8-1"}
    configured: Rollout = {**same, "configuration": "abcd", "changes": ["greeting is hi"]}
    assert progress(configured).startswith("roll-out 2 of pinger to configuration abcd: running")
    assert progress({**configured, "version": "1.9-1"}).startswith(
        "roll-out 2 of pinger to 1.9-1 with configuration abcd: running"
    )
    back: Rollout = {**same, "from_configuration": "abcd", "configuration": ""}
    assert progress(back).startswith("roll-out 2 of pinger to no configuration: running")
    assert "changes: greeting is hi" in lines(shown(configured))
    assert "greeting is hi" in "\n".join(lines(history([configured])))
    assert "version 1.8-1 becomes 1.9-1" in "\n".join(lines(history([ROLLOUT])))


def test_a_configuration_is_shown_with_the_one_that_comes() -> None:
    found: Configured = {
        "application": "pinger",
        "version": "1.8-1",
        "configuration": {},
        "digest": "",
        "rollout": None,
        "coming": None,
    }
    assert lines(configured(found)) == ["pinger 1.8-1 has no configuration"]
    coming: Configured = {**found, "rollout": ROLLOUT, "coming": {"greeting": "hi\nthere"}}
    text = "\n".join(lines(configured(coming)))
    assert "wave 2 of 3" in text
    assert "COMING" in text
    assert "hi" in text
    has: Configured = {**coming, "configuration": {"greeting": "hello"}, "digest": "abcd"}
    text = "\n".join(lines(configured({**has, "coming": has["configuration"]})))
    assert "configuration abcd of pinger 1.8-1" in text
    assert "COMING" not in text, "a new version with the same configuration"
