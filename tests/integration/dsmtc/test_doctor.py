"""``dsmtc doctor`` against planners that are well, away, or none at all."""

from __future__ import annotations

from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake


def test_a_planner_that_is_away_is_told_and_no_error(stranger: Dsmtc) -> None:
    ended = stranger("doctor")
    assert (ended.code, "WRONG planner" in " ".join(ended.out.split())) == (6, True)
    assert "-> start it" in ended.out
    said = {one["what"]: one["state"] for one in stranger("doctor", "--json").json}
    assert said == {"packages": "well", "disk here": "well", "planner": "ill"}


def test_what_is_no_planner_is_told_as_that(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.raw = 200, b"<html>"
    ended = dsmtc("doctor")
    assert (ended.code, "is not a planner of DSMT" in ended.out) == (6, True)
