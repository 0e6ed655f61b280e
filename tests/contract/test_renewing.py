"""Leases: what is granted, what is wanted of a channel, renewal, and their end; promise 7."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from broker.bus import Bus, Delivery, Leased, Link
from dsmt_core.channels import Channel
from dsmt_core.errors import DeadlinePassed, Invalid
from dsmt_core.events import ATTRIBUTE
from dsmt_core.hearing import Wants
from dsmt_core.leases import LEASE
from dsmt_core.rights import LEASES, NODES, ORDERS, PSEPR
from dsmt_core.wire import MSGPACK, encode
from tests.contract.conftest import LIMITS
from tests.contract.terms import PINGER, SOON_S, Make, heard, until

if TYPE_CHECKING:
    from tests.contract.conftest import Connect, Place

XS_ATTRIBUTE = "http://psepr.org/xs/payload/attribute"
# Looks once in 0.2 s; a whole term takes longer than anything that goes well.
BRIEF = replace(LIMITS, renew_s=0.2, probe_s=3.0)


async def hears_again(lease: Leased, planner: Bus, make: Make) -> Delivery:
    """The first delivery of what is published until something comes."""
    async with asyncio.timeout(SOON_S):
        while True:
            await planner.post(make(PINGER))
            try:
                return await asyncio.wait_for(anext(lease), 0.2)
            except TimeoutError:
                continue


async def test_granted_is_what_is_asked_up_to_the_limit(connect: Connect, planner: Bus) -> None:
    bus = await connect("operator", limits=replace(LIMITS, lease_s=100.0))
    async with bus.lease(PINGER, duration_s=7.5) as short, bus.lease(PINGER) as long:
        assert (short.granted_s, long.granted_s) == (7.5, 100.0)


@pytest.mark.parametrize("duration_s", [0.0, -1.0, math.inf, math.nan])
async def test_what_is_no_duration_is_refused(planner: Bus, duration_s: float) -> None:
    with pytest.raises(Invalid, match="lease"):
        planner.lease(PINGER, duration_s=duration_s)


async def test_a_lease_hears_one_type_of_payload_and_attributes_by_either_name(
    planner: Bus, make: Make
) -> None:
    kinds = [ATTRIBUTE, "urn:own", XS_ATTRIBUTE, "urn:other"]
    async with (
        planner.lease(PINGER, wants=Wants(payload=XS_ATTRIBUTE)) as attributes,
        planner.lease(PINGER, wants=Wants(payload="urn:own")) as own,
    ):
        for kind in kinds:
            await planner.publish(make(PINGER, payload=kind))
        assert [(await heard(attributes)).event.payload for _ in range(2)] == [ATTRIBUTE, XS_ATTRIBUTE]
        assert (await heard(own)).event.payload == "urn:own"
        await planner.publish(make(PINGER, "last", payload="urn:own"))
        assert (await heard(own)).event.field == "last"


async def test_who_listens_in_a_name_hears_what_is_for_all_and_for_it(planner: Bus, make: Make) -> None:
    to = [("", ""), ("a", ""), ("a", "1"), ("a", "2"), ("b", "")]
    expected = {
        Wants(): to,
        Wants(service="a"): to[:4],
        Wants(service="a", instance="1"): to[:3],
        Wants(service="c"): to[:1],
    }
    for wants, narrowed in expected.items():
        async with planner.lease(PINGER, wants=wants) as lease:
            for service, instance in to:
                await planner.publish(make(PINGER, to_service=service, to_instance=instance))
            await planner.publish(make(PINGER, "last"))
            got = [(await heard(lease)).event for _ in range(len(narrowed) + 1)]
            assert [(event.to_service, event.to_instance) for event in got[:-1]] == narrowed
            assert got[-1].field == "last"


async def test_a_lease_outlives_its_term_while_it_is_renewed(
    connect: Connect, planner: Bus, make: Make
) -> None:
    bus = await connect("operator", limits=BRIEF)
    # Longer than a busy machine stands still: a renewal too late, and it has ended.
    async with bus.lease(PINGER, duration_s=10.0) as lease:
        await asyncio.sleep(1.1 * lease.granted_s)
        event = make(PINGER)
        await planner.publish(event)
        delivery = await heard(lease)
    # Nothing but what is leased is heard, and nothing was lost on the way.
    assert (delivery.event, delivery.lost, bus.health.lost, bus.health.refused) == (event, 0, 0, 0)


async def test_with_the_broker_away_for_a_term_a_lease_ends_and_says_so(
    place: Place, connect: Connect, planner: Bus, make: Make
) -> None:
    bus = await connect("operator", limits=BRIEF)
    async with bus.lease(PINGER, duration_s=1.0) as lease:
        await place.cut()
        with pytest.raises(DeadlinePassed, match="has ended") as told:
            await heard(lease)
        assert "lease again" in told.value.hint
        await place.restore()
        await until(lambda: bus.health.link is Link.CONNECTED and planner.health.link is Link.CONNECTED)
        await planner.publish(make(PINGER))
        # It stays ended; whoever wants to go on leases again.
        with pytest.raises(DeadlinePassed):
            await heard(lease)
    async with bus.lease(PINGER) as lease:
        await planner.publish(make(PINGER))
        await heard(lease)


async def test_away_for_less_than_a_term_a_lease_goes_on(
    place: Place, connect: Connect, planner: Bus, make: Make
) -> None:
    bus = await connect("operator", limits=BRIEF)
    async with bus.lease(PINGER, duration_s=60.0) as lease:
        await place.cut()
        await until(lambda: bus.health.link is Link.AWAY)
        await place.restore()
        await hears_again(lease, planner, make)
        assert lease.granted_s == 60.0


@pytest.mark.parametrize("exchange", [PSEPR, LEASES])
async def test_a_lease_is_healed_when_an_exchange_was_deleted_and_is_back(
    place: Place, connect: Connect, planner: Bus, make: Make, exchange: str
) -> None:
    bus = await connect("operator", limits=BRIEF)
    async with bus.lease(PINGER) as lease:
        await place.delete_exchange(exchange)
        await until(lambda: bus.health.lost > 0)
        await planner.declare([], [])
        assert (await hears_again(lease, planner, make)).lost == 1
        assert bus.health.lost == 1


async def test_an_exchange_made_again_before_anybody_looked_is_bound_again(
    place: Place, connect: Connect, planner: Bus, make: Make
) -> None:
    bus = await connect("operator", limits=BRIEF)
    async with bus.lease(PINGER) as lease:
        await place.delete_exchange(PSEPR)
        await planner.declare([], [])
        await hears_again(lease, planner, make)


async def test_probes_are_heard_by_nobody_else_and_nobody_answers_for_another(
    place: Place, connect: Connect, planner: Bus, make: Make
) -> None:
    bus = await connect("operator", limits=BRIEF)
    async with (
        planner.lease(exchanges=(PSEPR, ORDERS, NODES)) as everything,
        bus.lease(PINGER) as lease,
    ):
        forged = make(Channel("/lease/operator/0123456789abcdef/"), "", payload=LEASE)
        await place.inject("operator", (LEASES, forged.key), encode(forged), MSGPACK)
        # A few probes.
        await asyncio.sleep(5 * BRIEF.renew_s)
        await planner.publish(make(PINGER, "last"))
        assert (await heard(everything)).event.field == "last"
        assert (await heard(lease)).event.field == "last"
