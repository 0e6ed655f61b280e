"""Parties: the broker's patterns and the receiver's check say the same, and nobody reaches another's."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broker.bus import Limits
from broker.parties import Kind, Party, derived, is_party, rights_of, sliver_password
from broker.renewal import asked
from broker.standins import names
from broker.topology import agent_queue, node_queue
from dsmt_core.channels import Channel, binding_key, routing_key
from dsmt_core.hearing import Wants
from dsmt_core.names import Host, Slice
from dsmt_core.rights import (
    ASKED,
    CALLS,
    HISTORY,
    LEASES,
    NODES,
    ORDERS,
    PSEPR,
    REGIONS,
    SNAPSHOTS,
    may_hear,
    may_speak,
)

HOSTS = [Host("n1"), Host("n1.example"), Host("n2.example")]
SLICES = [Slice("a"), Slice("ab"), Slice("a-b"), Slice("a_b")]
PARTIES = [
    *(Party(Kind.NODE, host=host) for host in HOSTS),
    *(
        Party(kind, slice_, host)
        for kind in (Kind.AGENT, Kind.SLIVER)
        for slice_ in SLICES
        for host in HOSTS
    ),
    *(Party(Kind.SLICE, slice_) for slice_ in SLICES),
]
WORDS = st.sampled_from(
    ["org", "dsmt", "ns", "deployment", "node", "slice", "status", "command", "facts", "heartbeat", "com"]
    + [str(one) for one in (*HOSTS, *SLICES)]
)
DEPLOYED = st.tuples(
    st.sampled_from(["deployment", "node", "x"]), st.sampled_from([*SLICES, *HOSTS]), WORDS, WORDS, WORDS
).map(lambda words: ["org", "dsmt", "ns", *words])
CHANNELS = st.one_of(
    DEPLOYED,
    DEPLOYED.map(lambda words: words[:7]),
    DEPLOYED.map(lambda words: words[:5]),
    DEPLOYED.map(lambda words: words[:6]),
    st.tuples(st.just("slice"), st.sampled_from(SLICES), WORDS).map(list),
    st.lists(WORDS, min_size=1, max_size=9),
).map(lambda words: Channel("/" + "/".join(words) + "/"))
EXCHANGES = st.sampled_from([PSEPR, ORDERS, NODES, CALLS, LEASES, SNAPSHOTS, REGIONS, HISTORY])
ANYBODY = st.sampled_from(PARTIES)


def lets_write(party: Party, exchange: str, key: str) -> bool:
    rights = rights_of(party)
    topics = [one.write for one in rights.topics if one.exchange == exchange]
    return bool(re.search(rights.permission.write, exchange)) and all(re.search(one, key) for one in topics)


def lets_bind(party: Party, exchange: str, key: str) -> bool:
    rights = rights_of(party)
    topics = [one.read for one in rights.topics if one.exchange == exchange]
    return bool(re.search(rights.permission.read, exchange)) and all(re.search(one, key) for one in topics)


@given(ANYBODY, EXCHANGES, CHANNELS)
def test_the_broker_lets_through_what_the_receiver_believes(
    party: Party, exchange: str, channel: Channel
) -> None:
    # What other regions said was checked by their brokers; here nobody but their link writes it.
    assume(exchange != REGIONS)
    assert lets_write(party, exchange, routing_key(channel)) or not may_speak(party.user, exchange, channel)


@given(ANYBODY, EXCHANGES, CHANNELS)
def test_the_broker_stops_what_the_receiver_would_not_believe(
    party: Party, exchange: str, channel: Channel
) -> None:
    # A key of eight words and a state looks like one of nine: that is left to the receiver.
    if len(channel.split("/")) - 2 == 9 and party.kind in {Kind.NODE, Kind.AGENT}:
        return
    assert may_speak(party.user, exchange, channel) or not lets_write(party, exchange, routing_key(channel))


@given(ANYBODY, CHANNELS)
def test_who_can_bind_a_channel_may_hear_it(party: Party, channel: Channel) -> None:
    assert may_hear(party.user, channel) or not lets_bind(party, PSEPR, binding_key(channel))


@given(ANYBODY, CHANNELS)
def test_programs_of_a_slice_lease_what_they_may_hear(party: Party, channel: Channel) -> None:
    # All but what is above the own name spaces, of which only a part may be heard.
    above = any(root.startswith(channel) for root in ("/org/dsmt/ns/deployment/", "/slice/"))
    if may_hear(party.user, channel) and not above:
        assert lets_bind(party, PSEPR, binding_key(channel))


@given(ANYBODY, ANYBODY)
def test_nobody_reads_or_makes_the_queues_of_another(one: Party, other: Party) -> None:
    mine, theirs = rights_of(one).permission, queues_of(other)
    for queue in theirs:
        assert bool(re.search(mine.read, queue)) is (one == other), queue
        assert not re.search(mine.configure, queue) or one == other


def queues_of(party: Party) -> list[str]:
    if party.kind is Kind.NODE:
        return names(node_queue(party.host))
    if party.kind is Kind.AGENT:
        return names(agent_queue(party.slice, party.host))
    return names(asked(party.user, 60.0, Wants(), Limits()).grant.identifier)


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.user)
def test_nodes_and_agents_make_nothing(party: Party) -> None:
    makes = bool(re.search(rights_of(party).permission.configure, f"lease.{party.user}.0f"))
    assert makes is (party.kind in {Kind.SLIVER, Kind.SLICE})


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.user)
@pytest.mark.parametrize(
    "name", ["amq.topic", "amq.direct", "", "psepr.orders", "psepr.history", "dsmt.ingest.2"]
)
def test_nobody_reaches_what_is_not_theirs(party: Party, name: str) -> None:
    permission = rights_of(party).permission
    assert not re.search(permission.write, name)
    assert not re.search(permission.configure, name) or not name
    assert not re.search(permission.read, name) or not name


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.user)
def test_every_topic_exchange_that_it_uses_has_a_topic_permission(party: Party) -> None:
    rights = rights_of(party)
    known = {one.exchange for one in rights.topics}
    for exchange in (PSEPR, ORDERS, NODES, CALLS, LEASES, SNAPSHOTS, REGIONS):
        used = re.search(rights.permission.write, exchange) or re.search(rights.permission.read, exchange)
        assert not used or exchange in known


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.user)
@pytest.mark.parametrize(
    "key",
    [
        "#",
        "*",
        "*.#",
        "org.#",
        "org.*.ns.#",
        "*.dsmt.#",
        "org.dsmt.#",
        "org.dsmt.ns.#",
        "slice.#",
        "slice.*",
        "#.x",
    ],
)
def test_words_that_stand_for_others_bind_nothing(party: Party, key: str) -> None:
    for exchange in (PSEPR, REGIONS, LEASES, SNAPSHOTS, ORDERS, NODES, CALLS):
        assert not lets_bind(party, exchange, key)


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.user)
def test_a_line_break_at_the_end_is_no_end(party: Party) -> None:
    rights = rights_of(party)
    for text in (
        PSEPR,
        node_queue(party.host),
        agent_queue(party.slice, party.host),
        f"lease.{party.user}.0f",
    ):
        for pattern in (rights.permission.write, rights.permission.read, rights.permission.configure):
            assert not re.search(pattern, f"{text}\n")
    for key in ("com.example", routing_key(ASKED), f"slice.{party.slice}", f"lease.{party.user}.0f"):
        assert not any(re.search(one.write, f"{key}\n") for one in rights.topics if one.write != "^$")


def test_names_are_no_patterns() -> None:
    rights = rights_of(Party(Kind.AGENT, Slice("a.c"), Host("n.1")))
    assert not re.search(rights.permission.read, "dsmt.agent.2.abc.n.1")
    assert not re.search(rights.permission.read, "dsmt.agent.2.a.c.nx1")
    # The broker would put a name in the place of {username}.
    assert "{username}" not in rights_of(Party(Kind.SLICE, Slice("{username}"))).permission.read


def test_a_user_is_a_party_by_its_form() -> None:
    assert all(is_party(party.user) for party in PARTIES)
    assert not any(map(is_party, ["node", "planner", "operator", "application", "node.", "guest", "x.y"]))


def test_passwords_follow_from_what_they_are_for() -> None:
    agent, sliver = (Party(kind, Slice("a"), Host("n1")) for kind in (Kind.AGENT, Kind.SLIVER))
    made = {
        sliver_password("p", agent, 1),
        sliver_password("p", agent, 2),
        sliver_password("q", agent, 1),
        sliver_password("p", sliver, 1),
        derived("p", "ab", "c"),
        derived("p", "a", "bc"),
    }
    assert len(made) == 6
    assert all(len(one) == 43 for one in made)
    assert derived("p", "ab", "c") == derived("p", "ab", "c")
