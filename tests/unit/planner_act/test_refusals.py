"""What receivers did not believe comes into the audit log, and no flood of it."""

from __future__ import annotations

import asyncio
from typing import Any

from dsmt_core.health import Condition as Told
from dsmt_core.health import Refused, health_pairs, told_refusals
from dsmt_core.rights import ORDERS, PSEPR
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import Api

AT = "org.dsmt.ns.deployment.s1.org:dsmt:component:deployment-agent.command.n1"


def pairs(*kinds: Refused, others: int = 0) -> dict[str, str]:
    return health_pairs(Told(refused=1, refusals=told_refusals(kinds, others)))


def forged(number: int = 0) -> Refused:
    return Refused.of(user="planner", exchange=ORDERS, at=AT, reason=f"it is not signed {number}")


async def entered(api: Api, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while True:
            found: list[dict[str, Any]] = await api("GET", "/audit?refused=1&limit=500")
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_a_refused_order_has_its_entry(api: Api, planner: Planner) -> None:
    refusals = planner.condition.refusals
    refusals.told("node/n1", "s1", pairs(forged(), others=3))
    refusals.own(pairs(Refused.of(user="node.n2", exchange=PSEPR, at="x", reason="may not speak there")))
    order, others, delivery = await entered(api, 3)
    assert (order["act"], order["about"], order["slice"]) == ("order.refused", "node/n1", "s1")
    assert order["outcome"] == "refused: it is not signed 0"
    assert order["change"] == {"user": "planner", "exchange": ORDERS, "at": AT, "times": 1}
    assert (others["act"], others["change"]["times"]) == ("delivery.refused", 3)
    assert (delivery["act"], delivery["about"], delivery["role"]) == (
        "delivery.refused",
        "planner",
        "planner",
    )


async def test_a_flood_is_told_in_few_entries_and_counted(api: Api, planner: Planner) -> None:
    refusals = planner.condition.refusals
    for number in range(500):
        refusals.told("node/n1", "", pairs(forged(number)))
    refusals.told("node/n2", "", pairs(forged()))
    found = await entered(api, 21)
    assert len(found) == 21
    assert found[-1]["change"]["left_out_before"] == 480


async def test_nobody_uses_up_the_entries_of_others(api: Api, planner: Planner) -> None:
    refusals = planner.condition.refusals
    for number in range(100):
        loud = Refused.of(user="sliver.loud", exchange=PSEPR, at="x", reason=f"copied {number}")
        refusals.own(pairs(loud))
    refusals.own(pairs(Refused.of(user="sliver.quiet", exchange=PSEPR, at="x", reason="copied")))
    found = await entered(api, 21)
    assert found[-1]["change"]["user"] == "sliver.quiet"
