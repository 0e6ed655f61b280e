"""Who has taken over the broker, and so speaks as the planner, makes no node and no agent do anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from broker.topology import agent_queue
from dsmt_core.calls import CALL, Call, Kind
from dsmt_core.channels import Channel, command_channel, routing_key
from dsmt_core.commands import Order, Verb
from dsmt_core.ed25519 import Signer
from dsmt_core.events import STATUS, Event, Sender
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, Application, manager_of
from dsmt_core.rights import DEAD, ORDERS, PLANNER
from dsmt_core.signing import (
    HAND_OVER,
    SESSION,
    SIGNATURE,
    SIGNED_AT,
    SIGNED_BY,
    HandOver,
    in_text,
    key_id,
    order_content,
)
from dsmt_core.wire import MSGPACK, decode, encode
from tests.attacks.intruder import intruding
from tests.attacks.town import ALPHA, BETA, HERE, THERE, Town

THIEF = Signer(b"t" * 32)
TO_NODE = command_channel(ALPHA, CONTAINER_MGR, HERE)
TO_AGENT = command_channel(ALPHA, DEPLOYMENT_AGENT, HERE)


@pytest.fixture(scope="module")
def heard(town: Town) -> list[Event]:
    """What the planner said while an application was restarted: real orders, with real signatures."""
    town.vitals()
    with intruding(town.scene.server.url("planner")) as broker, broker.channel() as channel:
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, ORDERS, "#")
        with town.scene.client() as client:
            client.act(ALPHA, town.app.name, "restart")

        def taken() -> list[Event]:
            found = []
            while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
                found.append(decode(got[2], got[1].content_type))
            return found

        orders: list[Event] = []

        def both() -> bool:
            orders.extend(taken())
            return {TO_AGENT, TO_AGENT.replace(HERE, THERE)} <= {one.channel for one in orders}

        town.until(both)
    town.vitals()
    return orders


@pytest.fixture(autouse=True)
def unharmed(town: Town, heard: list[Event]) -> Iterator[None]:
    """Whatever a test tries: afterwards everything runs as before, and nothing was restarted."""
    before = town.vitals()
    yield
    assert town.vitals() == before


def say(town: Town, event: Event) -> None:
    """As the planner, straight into the exchange of orders."""
    with intruding(town.scene.server.url("planner")) as broker, broker.channel() as channel:
        import pika

        told = pika.BasicProperties(content_type=MSGPACK, user_id=PLANNER, delivery_mode=2)
        channel.basic_publish(ORDERS, routing_key(event.channel), encode(event), told, mandatory=True)


def refused(town: Town, event: Event, why: str) -> None:
    """Say it, and see it come to the dead letters, with the reason."""
    with intruding(town.scene.server.url("planner")) as broker, broker.channel() as channel:
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, DEAD, routing_key(event.channel))
        say(town, event)

        def reason() -> str:
            _, properties, body = channel.basic_get(queue, auto_ack=True)
            is_it = properties is not None and body == encode(event)
            return str(properties.headers["reason"]) if is_it else ""

        assert why in town.until(reason)


def test_a_refused_order_is_in_the_audit_log(town: Town) -> None:
    def attempt() -> None:
        refused(town, signed(stop(), THIEF), "does not know")

    attempt()
    entry = town.entered(HERE, "does not know", ALPHA, again=attempt)
    assert entry["change"]["user"] == PLANNER
    assert entry["change"]["at"] == routing_key(TO_AGENT)
    refused(town, delete(), "it is not signed")
    again = partial(refused, town, delete(), "it is not signed")
    assert town.entered(HERE, "it is not signed", again=again)["role"] == "planner"


def event_of(order: Order, channel: Channel) -> Event:
    sender = Sender(manager_of(order.slice), "planner", f"forged {time.time()}")
    more: dict[str, Any] = {"value": order.text, "pairs": order.pairs}
    return sender.event(channel, STATUS, now=time.time(), id_="forged", **more)


def stop(generation: int = 900) -> Event:
    name = Application("victim")
    order = Order(verb=Verb.STOP, host=HERE, slice=ALPHA, generation=generation, application=name)
    return event_of(replace(order, wrapper="victim-wrapper", version="1-1"), TO_AGENT)


def delete(generation: int = 900) -> Event:
    return event_of(Order(verb=Verb.DELETE, host=HERE, slice=ALPHA, generation=generation), TO_NODE)


def signed(event: Event, by: Signer, **more: str) -> Event:
    pairs = {**event.pairs, SIGNED_BY: key_id(by.public), SIGNED_AT: repr(time.time()), **more}
    unsigned = replace(event, pairs=pairs)
    return replace(unsigned, pairs={**pairs, SIGNATURE: in_text(by.sign(order_content(unsigned)))})


def of(heard: list[Event], channel: Channel) -> Event:
    return next(one for one in reversed(heard) if one.channel == channel)


def fresh(event: Event) -> Event:
    """The same said again: another number in another life, as a receiver that drops doubles expects."""
    return replace(event, id=f"again {time.time()}", boot_id=f"again {time.time()}", sent_at=time.time())


@pytest.mark.parametrize("forged", [stop, delete])
def test_an_order_that_nobody_signed(town: Town, forged: Any) -> None:
    refused(town, forged(), "it is not signed")


@pytest.mark.parametrize("forged", [stop, delete])
def test_an_order_with_a_key_of_the_thiefs_own(town: Town, forged: Any) -> None:
    refused(town, signed(forged(), THIEF), "does not know")


@pytest.mark.parametrize("forged", [stop, delete])
def test_a_signature_in_the_planners_name(town: Town, heard: list[Event], forged: Any) -> None:
    by = of(heard, TO_AGENT).pairs[SIGNED_BY]
    refused(town, signed(forged(), THIEF, **{SIGNED_BY: by}), "not of what it says")


@pytest.mark.parametrize("forged", [stop, delete])
def test_a_key_that_hands_itself_over(town: Town, heard: list[Event], forged: Any) -> None:
    statement = HandOver(of(heard, TO_AGENT).pairs[SIGNED_BY], THIEF.public, time.time())
    statement = replace(statement, signature=THIEF.sign(statement.content))
    refused(town, signed(forged(), THIEF, **{HAND_OVER: str(statement)}), "does not know")


@pytest.mark.parametrize(
    "change",
    [
        {"generation": "901"},
        {"packages": f"{'0' * 64}:10:evil-1-1.noarch.rpm"},
        {"version": "6-6"},
        {"restarts": "77"},
        {"configuration": "{}"},
        {SESSION: "another"},
        {SIGNED_AT: "9999999999.0"},
        {"more": "than was said"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_real_order_that_was_altered(town: Town, heard: list[Event], change: dict[str, str]) -> None:
    real = fresh(of(heard, TO_AGENT))
    refused(town, replace(real, pairs={**real.pairs, **change}), "not of what it says")


def test_a_real_order_to_another_host_or_slice(town: Town, heard: list[Event]) -> None:
    there = Channel(TO_AGENT.replace(HERE, THERE))
    refused(town, replace(fresh(of(heard, there)), channel=TO_AGENT), "not of what it says")
    to_beta = command_channel(BETA, DEPLOYMENT_AGENT, HERE)
    refused(town, replace(fresh(of(heard, TO_AGENT)), channel=to_beta), "not of what it says")


def test_a_real_order_again_changes_nothing(town: Town, heard: list[Event]) -> None:
    for _ in range(3):
        say(town, fresh(of(heard, TO_AGENT)))
    with intruding(town.scene.server.url("planner")) as broker, broker.channel() as channel:
        queue = agent_queue(ALPHA, HERE)
        town.until(lambda: not channel.queue_declare(queue, passive=True).method.message_count)


def test_a_command_to_be_run(town: Town) -> None:
    call = Call(
        id="00" * 8, kind=Kind.EXEC, host=HERE, slice=ALPHA,
        application=Application("victim"), argv=("touch", "/var/owned"),
    )  # fmt: skip
    sender = Sender(manager_of(ALPHA), "planner", "forged call")
    event = sender.event(
        TO_AGENT, CALL, now=time.time(), id_="call", value=str(call.kind), pairs=call.pairs
    )
    refused(town, event, "it is not signed")
    refused(town, signed(event, THIEF), "does not know")
    root = town.home / "scene" / HERE / "slivers" / ALPHA / "root"
    assert not list(root.rglob("owned"))
