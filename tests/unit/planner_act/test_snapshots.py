"""Questions for what holds: the planner answers them, and keeps no more than it can."""

from __future__ import annotations

import asyncio

import broker
from broker.application import Application
from broker.bus import Delivery
from dsmt_core.channels import Channel
from dsmt_core.events import Sender
from dsmt_core.last_values import LastValues
from dsmt_core.rights import ASKED, PSEPR
from dsmt_core.snapshots import FIELD, Asked, answers_to, question
from planner.config import PlannerConfig
from planner.service.clock import SteadyClock
from planner.service.planner import Planner
from planner.service.snapshots import WAITING, Snapshots
from tests.unit.planner_act.conftest import until

PINGER = Channel("/com/example/pinger/")


def asking(instance: str, word: str, *, user: str = "operator", where: Channel = ASKED) -> Delivery:
    pairs = question(Asked(PINGER, answers_to("operator", word)))
    event = Sender("s", instance, "b").event(where, FIELD, now=0.0, id_=word, pairs=pairs)
    return Delivery(event, PSEPR, user)


async def test_a_view_that_comes_late_is_told_what_holds(planner: Planner, config: PlannerConfig) -> None:
    async with broker.connected(config.application_broker) as bus:
        one, late = Application(bus, "s1_mgr", instance="one"), Application(bus, "s1_mgr", instance="late")
        await one.post(PINGER, "state", "up")

        async def told() -> bool:
            return len(planner.tap.values) > 0

        await until(told)
        async with asyncio.timeout(30), late.view(PINGER) as view:
            async for now in view.changes():
                if now.filled:
                    break
            assert now.by_instance("state")["one"].value == "up"
        # A question is no part of the history, and no value that holds.
        assert [key.field for key in planner.tap.values if key.channel == ASKED] == []


async def test_questions_that_wait_are_bounded_and_one_asked_anew_counts_once(planner: Planner) -> None:
    snapshots = Snapshots(planner.bus, LastValues(), SteadyClock())
    for number in range(WAITING + 50):
        snapshots.heard(asking(f"i{number}", "0a"))
    snapshots.heard(asking("i249", "0b"))
    waiting = list(snapshots._asked.values())
    assert len(waiting) == WAITING
    assert waiting[-1][0].answer == answers_to("operator", "0b")
    assert next(instance for _, instance, _ in snapshots._asked) == "i50"


async def test_what_is_no_question_of_its_sender_is_passed_over(planner: Planner) -> None:
    snapshots = Snapshots(planner.bus, LastValues(), SteadyClock())
    snapshots.heard(asking("i", "0a", user="application"))
    snapshots.heard(asking("i", "0a", where=PINGER))
    assert not snapshots._asked
