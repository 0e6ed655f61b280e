"""``--dry-run`` and ``--check-index`` on the command line: three answers for scripts."""

from __future__ import annotations

from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_preview, a_slice

SETPLAN = ("setplan", "--plan", "only10")
PLAN_SET = ("plan", "set", "--plan", "only10", "--base", "limit", "count=10")
TOUCHED = {"host": "node1", "does": "start"}


def test_nothing_to_do_is_0_and_changes_are_1_and_nothing_is_done(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    for line in (SETPLAN, PLAN_SET):
        fake.preview = a_preview()
        ended = dsmtc(*line, "--dry-run")
        assert (ended.code, ended.err) == (0, "")
        assert "nothing to do; 2 stay as they are" in ended.out
        fake.preview = a_preview(TOUCHED)
        ended = dsmtc(*line, "--dry-run")
        assert (ended.code, ended.err) == (1, "")
        assert "1 start; 2 stay as they are" in ended.out
        assert ended.out.endswith("index 00aa\n")
    assert not [asked for asked in fake.asked if asked[0] == "PUT"]


def test_what_cannot_be_told_is_255_whatever_the_reason(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    for line in (
        ("setplan", "--dry-run"),
        ("setplan", "--plan", "x", "--dry-run", "--slice", "nowhere"),
        ("setplan", "--plan", "x", "--dry-run", "no parameter"),
        ("setplan", "--plan", "x", "--dry-run", "--planner", "http://127.0.0.1:1"),
        ("--slice", "--dry-run", "setplan"),
    ):
        ended = dsmtc(*line)
        assert ended.code == 255, line
        assert ended.err.startswith("dsmtc: ")


def test_json_tells_every_host(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    fake.preview = a_preview(*({"host": f"node{n}", "does": "start"} for n in range(300)))
    ended = dsmtc(*SETPLAN, "--dry-run", "--json")
    assert (ended.code, len(ended.json["touched"])) == (1, 300)
    assert len(dsmtc(*SETPLAN, "--dry-run").out.splitlines()) < 110


def test_an_index_is_checked_by_the_change_and_by_the_dry_run(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    fake.preview = a_preview(TOUCHED)
    made = dsmtc(*SETPLAN, "--check-index", "00aa")
    assert made.code == 0
    assert "sets in motion: 2 start, 1 move" in made.out
    refused = dsmtc(*SETPLAN, "--check-index", "00ab")
    assert (refused.code, refused.err.splitlines()[0]) == (6, "dsmtc: the world has changed")
    looked = dsmtc(*SETPLAN, "--dry-run", "--check-index", "00ab")
    assert looked.code == 255
    assert "since the index '00ab' was given" in looked.err


def test_in_a_shell_a_dry_run_with_something_to_tell_ends_nothing(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    fake.preview = a_preview(TOUCHED)
    ended = dsmtc.process("--cli", "--slice", "s", typed="setplan --plan p --dry-run\nsetplan --plan p\n")
    assert (ended.code, ended.err) == (0, "")
    assert fake.slices["s"]["plan"] == "p"


LEAVER = {"host": "node1", "reason": "rack is r8", "plan": "r7", "function": "where"}


def test_what_waits_for_people_is_told_and_not_done_by_a_dry_run(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    ended = dsmtc("agree", "--dry-run")
    assert (ended.code, ended.out) == (0, "nothing in s waits for people to agree\n")
    assert dsmtc("agree").code == 0
    fake.held = {"slice": "s", "index": "00aa", "hosts": [LEAVER]}
    ended = dsmtc("agree", "--dry-run")
    assert ended.code == 1
    assert "node1  rack is r8  r7 (where)" in ended.out
    assert not [asked for asked in fake.asked if asked[:2] == ("POST", "/v1/slices/s/agreement")]


def test_people_agree_with_an_index_or_yes_and_nobody_by_accident(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    fake.held = {"slice": "s", "index": "00aa", "hosts": [LEAVER]}
    asked = dsmtc("agree")
    assert asked.code == 2
    assert "agreeing needs --check-index or --yes" in asked.err
    assert dsmtc("agree", "--check-index", "00ab").code == 6
    assert dsmtc("agree", "--check-index", "00aa").out == "agreed: 1 of s may stop\n"
    assert dsmtc("agree", "--yes", "--json").json["index"] == "00aa"
