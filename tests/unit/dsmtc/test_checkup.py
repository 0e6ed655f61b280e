"""What is wrong on this machine and on the way to the planner."""

from __future__ import annotations

from dsmtc import checkup
from dsmtc.client.checkups import Finding
from dsmtc.client.clock import ahead
from dsmtc.rendering.checkups import findings
from dsmtc.rendering.table import lines


def states(*found: Finding) -> list[str]:
    return [one["state"] for one in found]


def test_versions_and_clocks() -> None:
    assert states(checkup.versions("1", "1"), checkup.versions("1", "2")) == ["well", "doubt"]
    # What the way took is no difference of the clocks.
    assert states(checkup.clock(100.0, 103.0, 110.0), checkup.clock(100.0, 90.0, 100.1)) == [
        "well",
        "doubt",
    ]


def test_the_way_to_the_planner() -> None:
    day = 86_400.0
    assert states(
        checkup.line("http", "127.0.0.1", None, 0.0),
        checkup.line("http", "planner.example.org", None, 0.0),
        checkup.line("https", "planner.example.org", None, 0.0),
        checkup.line("https", "planner.example.org", 30 * day, 0.0),
        checkup.line("https", "planner.example.org", 0.5 * day, 0.0),
    ) == ["well", "ill", "well", "well", "doubt"]


def test_what_is_on_this_machine() -> None:
    assert states(
        checkup.shadowed({"planner": ["dsmt"], "lab": []}),
        checkup.shadowed({"planner": ["dsmt", "planner-of-others"]}),
        checkup.disk(1 << 40, "/home"),
        checkup.disk(1, "/home"),
        checkup.reached("http://x", 3.0, "ok"),
        checkup.reached("http://x", 3.0, "degraded"),
    ) == ["well", "ill", "well", "doubt", "well", "doubt"]


def test_the_problems_stand_first_and_hostile_text_is_harmless() -> None:
    found = [checkup.known("me", "user"), checkup.failed("login", "x\x1b[2J", "mend it")]
    written = lines(findings(found))
    assert " ".join(written[0].split()) == "WRONG login x\\x1b[2J"
    assert written[1].strip() == "-> mend it"
    assert written[-1] == "1 wrong, 0 in doubt, 1 well"


def test_the_planner_s_clock_is_told_by_its_answers() -> None:
    now = 1_700_000_000.0
    assert ahead("Tue, 14 Nov 2023 22:13:19 GMT", now) == 0.0
    assert ahead("Wed, 15 Nov 2023 00:13:20 GMT", now) == 7200.0
    assert ahead("Tue, 14 Nov 2023 21:13:20 GMT", now) == -3600.0
    for wrong in ("", "yesterday", "Tue, 99 Nov 99999 99:99:99 GMT"):
        assert ahead(wrong, now) == 0.0
