"""The kit for service planners, over HTTP; and `dsmtc guard`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dsmt_core.errors import Invalid
from dsmtc.client import Client, Credentials
from dsmtc.kit import Count, Guard, Ruled
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_slice


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client(dsmtc: Dsmtc) -> Iterator[Client]:
    with Client(dsmtc.url, Credentials("me@example.com", "secret")) as opened:
        yield opened


def test_a_wish_becomes_what_the_rails_allow_and_the_plan_stays(client: Client, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s", plan="limit", plan_parameters={"parent": "good", "count": "3"})
    clock = Clock()
    count = Count(client, "s", Guard(most=5, step=1, cool_down_s=10), clock=clock)
    assert count.now() == 3
    assert count.wish(9) == Ruled(4, "at most 1 at once")
    assert fake.slices["s"]["plan_parameters"] == {"parent": "good", "count": "4"}
    assert count.wish(9) == Ruled(4, "it cools down for another 10 s")
    clock.now += 10
    assert count.wish(5) == Ruled(5, "")
    clock.now += 10
    assert count.wish(9) == Ruled(5, "at most 5")
    assert [asked for asked in fake.asked if asked[0] == "PUT"][-1][2]["parameters"]["count"] == "5"


def test_the_count_of_a_named_plan_is_overridden_and_not_redefined(client: Client, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s", plan="workers")
    parameters = {"parent": "good", "count": "2"}
    fake.plans["workers"] = {
        "name": "workers",
        "base": "limit",
        "parameters": parameters,
        "builtin": False,
    }
    count = Count(client, "s")
    assert count.now() == 2
    assert count.wish(6) == Ruled(6, "")
    assert fake.slices["s"]["plan_parameters"] == {"count": "6"}
    assert fake.plans["workers"]["parameters"] == parameters
    assert count.now() == 6


def test_what_the_planner_refuses_is_a_reason_and_does_not_cool_down(client: Client, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s", plan="limit", plan_parameters={"count": "3"})
    count = Count(client, "s", Guard(cool_down_s=60), clock=Clock())
    fake.most = 4
    assert count.wish(9) == Ruled(3, "9 would be more than 4")
    assert count.wish(4) == Ruled(4, "")


def test_a_plan_without_a_count_is_told(client: Client, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    with pytest.raises(Invalid, match="says no count"):
        Count(client, "s").now()


def test_rails_are_shown_and_those_that_are_named_are_set(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    assert dsmtc("guard").out == "guard rails of s: none; it asks for 3 now\n"
    assert dsmtc("guard", "--least", "2", "--most", "20").code == 0
    ended = dsmtc("guard", "--step", "1", "--cool-down", "60")
    rails = "at least 2, at most 20, 1 at once, every 60 s"
    assert ended.out == f"guard rails of s: {rails}; it asks for 3 now\n"
    assert dsmtc("guard", "--most", "0", "--json").json["most"] == 0
    assert dsmtc("guard", "--least", "-1").code == 3
