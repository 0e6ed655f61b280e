"""The broker's permissions say the same as the receiver's check."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.access import PERMISSIONS, TOPIC_PERMISSIONS, may, may_bind, password_hash
from dsmt_core.channels import Channel, binding_key, routing_key
from dsmt_core.rights import (
    ASKED,
    DEAD,
    LEASES,
    NODES,
    ORDERS,
    PSEPR,
    SNAPSHOTS,
    may_hear,
    may_speak,
)
from dsmt_core.snapshots import answers_to

WORDS = st.sampled_from(
    [
        "org",
        "dsmt",
        "ns",
        "deployment",
        "node",
        "status",
        "command",
        "facts",
        "heartbeat",
        "a.b",
        "x",
        "com",
    ]
)
PROBES = st.builds(
    lambda user, lease: ["lease", user, *lease],
    st.sampled_from(["operator", "node", "planner", "application"]),
    st.lists(st.sampled_from(["0f", "a1b2"]), max_size=2),
)
USUAL = st.builds(
    lambda kind, words: ["org", "dsmt", "ns", kind, *words],
    st.sampled_from(["deployment", "node", "x"]),
    st.lists(WORDS, min_size=1, max_size=5),
)
CHANNELS = st.one_of(
    st.one_of(USUAL, PROBES, st.lists(WORDS, min_size=1, max_size=9)).map(
        lambda words: Channel("/" + "/".join(words) + "/")
    ),
    st.sampled_from([ASKED, Channel(f"{ASKED}x/"), answers_to("application", "0f")]),
)


def broker_lets(user: str, exchange: str, key: str) -> bool:
    """What RabbitMQ decides: the permission, then the topic permission if there is one."""
    if not may(user, "write", exchange):
        return False
    topics = [t.write for t in TOPIC_PERMISSIONS if (t.user, t.exchange) == (user, exchange)]
    return all(re.search(pattern, key) for pattern in topics)


@given(
    st.sampled_from(["node", "operator", "application"]),
    st.sampled_from([PSEPR, ORDERS, NODES, LEASES, SNAPSHOTS]),
    CHANNELS,
)
def test_the_broker_lets_through_what_the_receiver_believes(
    user: str, exchange: str, channel: Channel
) -> None:
    believed = may_speak(user, exchange, channel)
    assert broker_lets(user, exchange, routing_key(channel)) or not believed


@given(
    st.sampled_from(["node", "operator", "application"]),
    st.sampled_from([PSEPR, ORDERS, NODES, LEASES, SNAPSHOTS]),
    CHANNELS,
)
def test_the_broker_stops_what_the_receiver_would_not_believe(
    user: str, exchange: str, channel: Channel
) -> None:
    # A key of eight words and a state looks like one of nine: that is left to the receiver.
    if len(channel.split("/")) - 2 == 9 and user == "node":
        return
    assert may_speak(user, exchange, channel) or not broker_lets(user, exchange, routing_key(channel))


@pytest.mark.parametrize(
    ("user", "action", "name", "allowed"),
    [
        ("node", "configure", "dsmt.agent.1.s.h", False),
        ("node", "configure", "", True),
        ("node", "read", "dsmt.agent.1.s.h", True),
        ("node", "read", "dsmt.ingest.1", False),
        ("node", "read", "lease.node.x", False),
        ("node", "write", ORDERS, False),
        ("node", "write", DEAD, True),
        ("operator", "configure", "lease.operator.x", True),
        ("operator", "configure", "dsmt.lease.x", False),
        ("operator", "write", "lease.operator.x", True),
        ("operator", "write", ORDERS, False),
        ("operator", "read", ORDERS, True),
        ("operator", "read", DEAD, False),
        ("application", "configure", "lease.application.x", True),
        ("application", "configure", "lease.operator.x", False),
        ("application", "read", "lease.operator.x", False),
        ("application", "read", ORDERS, False),
        ("application", "read", NODES, False),
        ("application", "read", DEAD, False),
        ("application", "read", "dsmt.dead.1", False),
        ("application", "read", "psepr.history", False),
        ("application", "write", ORDERS, False),
        ("application", "write", NODES, False),
        ("application", "write", PSEPR, True),
        ("planner", "configure", "anything", True),
        ("stranger", "read", "anything", False),
    ],
)
def test_permissions(user: str, action: str, name: str, *, allowed: bool) -> None:
    assert may(user, action, name) is allowed


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("com.example.#", True),
        ("com.#", True),
        ("org.example.#", True),
        ("org.dsmtx.#", True),
        ("org.dsmt.#", False),
        ("org.dsmt", False),
        ("org.#", False),
        ("org.*.ns.#", False),
        ("*.dsmt.#", False),
        ("#", False),
        ("#.heartbeat", False),
        ("*", False),
    ],
)
def test_an_application_binds_nothing_that_could_hear_dsmt(key: str, *, allowed: bool) -> None:
    assert may_bind("application", PSEPR, key) is allowed
    assert may_bind("operator", PSEPR, key)


@given(st.sampled_from(["operator", "application"]), CHANNELS)
def test_who_can_lease_a_channel_is_told_what_holds_there(user: str, channel: Channel) -> None:
    assert may_hear(user, channel) or not may_bind(user, PSEPR, binding_key(channel))


@pytest.mark.parametrize("user", ["operator", "application"])
def test_an_answer_is_heard_by_who_asked_only(user: str) -> None:
    assert may(user, "read", SNAPSHOTS)
    assert not may(user, "write", SNAPSHOTS)
    assert may_bind(user, SNAPSHOTS, binding_key(answers_to(user, "0f")))
    for key in ("#", "snapshot.#", f"snapshot.{user}.#", f"snapshot.{user}x.0f.#", "snapshot.*.0f.#"):
        assert not may_bind(user, SNAPSHOTS, key)


def test_every_topic_exchange_a_limited_user_may_write_has_a_topic_permission() -> None:
    limited = {t.user for t in TOPIC_PERMISSIONS}
    for permission in PERMISSIONS:
        for exchange in (PSEPR, ORDERS, NODES, LEASES, SNAPSHOTS):
            if permission.user in limited and re.search(permission.write, exchange):
                assert (permission.user, exchange) in {(t.user, t.exchange) for t in TOPIC_PERMISSIONS}


def test_a_password_is_kept_as_the_broker_expects_it() -> None:
    # The example of https://www.rabbitmq.com/docs/passwords: salt 908DC60A, password test12.
    made = password_hash("test12", bytes.fromhex("908DC60A"))
    assert made == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


@pytest.mark.parametrize(
    ("user", "channel", "may_probe"),
    [
        ("operator", "/lease/operator/0f/", True),
        ("operator", "/lease/planner/0f/", False),
        ("operator", "/lease/operator/", False),
        ("operator", "/lease/operator/0f/0f/", False),
        ("planner", "/lease/planner/0f/", True),
        ("sliver.s1.h1.org", "/lease/sliver/s1/h1/org/0f/", True),
        ("sliver.s1", "/lease/sliver/s1/h1/0f/", False),
        ("node", "/lease/node/0f/", False),
        ("node.h1", "/lease/node/h1/0f/", False),
    ],
)
def test_a_probe_goes_to_the_leases_of_its_own_user_only(
    user: str, channel: str, *, may_probe: bool
) -> None:
    assert may_speak(user, LEASES, Channel(channel)) is may_probe
    assert not may_speak(user, ORDERS, Channel(channel)) or user == "planner"
