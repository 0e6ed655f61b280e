"""Who has taken over a party can only speak and hear for that party, and the rest goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from broker.address import as_user, password_in
from broker.parties import Kind
from broker.topology import agent_queue, node_queue
from dsmt_core.channels import (
    Channel,
    command_channel,
    facts_channel,
    heartbeat_channel,
    routing_key,
    status_channel,
)
from dsmt_core.events import DEPLOYMENT_STATUS, Sender
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, Host
from dsmt_core.rights import CALLS, DEAD, HISTORY, LEASES, NODES, ORDERS, PSEPR, REGIONS, SNAPSHOTS
from dsmt_core.wire import MSGPACK, encode
from tests.attacks.intruder import (
    DONE,
    binds,
    declares,
    deletes,
    intruding,
    let_in,
    makes,
    purges,
    reads,
    says,
    subscribes,
)
from tests.attacks.town import ALPHA, BETA, HERE, THERE, Loot, Town

REFUSED, FORGED = 403, 406
INSIDERS = [Kind.NODE, Kind.AGENT, Kind.SLIVER, Kind.SLICE]
LEASING = [Kind.SLIVER, Kind.SLICE]
# What others say, or are told; each on the exchange that it belongs on.
OF_OTHERS = {
    "the status of another slice": (PSEPR, status_channel(BETA, DEPLOYMENT_AGENT, THERE)),
    "the status on another host": (PSEPR, status_channel(ALPHA, DEPLOYMENT_AGENT, THERE)),
    "another host's container": (PSEPR, status_channel(ALPHA, CONTAINER_MGR, THERE)),
    "another host's facts": (PSEPR, facts_channel(THERE)),
    "another host's heartbeat": (NODES, heartbeat_channel(THERE)),
    "an order to an agent": (ORDERS, command_channel(ALPHA, DEPLOYMENT_AGENT, HERE)),
    "an order to another slice's agent": (ORDERS, command_channel(BETA, DEPLOYMENT_AGENT, HERE)),
    "an order to a node": (ORDERS, command_channel(ALPHA, CONTAINER_MGR, HERE)),
    "a request for another slice": (PSEPR, command_channel(BETA, DEPLOYMENT_AGENT, HERE)),
    "another slice's own channel": (PSEPR, Channel(f"/slice/{BETA}/x/")),
    "an answer to a call": (CALLS, status_channel(BETA, DEPLOYMENT_AGENT, THERE)),
    "a word to all leases": (LEASES, Channel("/lease/again/")),
    "a probe of another's lease": (LEASES, Channel(f"/lease/slice/{BETA}/0f/")),
    "a snapshot for another": (SNAPSHOTS, Channel(f"/snapshot/slice/{BETA}/0f/")),
    "what another region said": (REGIONS, Channel("/com/example/x/")),
    "the history": (HISTORY, Channel("/com/example/x/")),
}


@pytest.fixture(autouse=True)
def unharmed(town: Town) -> Iterator[None]:
    """Whatever a test tries: afterwards everything runs as before, and nothing was restarted."""
    before = town.vitals()
    yield
    assert town.vitals() == before


@pytest.mark.parametrize("kind", INSIDERS)
@pytest.mark.parametrize("what", OF_OTHERS)
def test_nobody_speaks_for_another(town: Town, kind: Kind, what: str) -> None:
    exchange, channel = OF_OTHERS[what]
    with intruding(town.loot(kind).url) as intruder:
        assert intruder.tries(says(exchange, routing_key(channel))) == REFUSED


@pytest.mark.parametrize("kind", INSIDERS)
def test_nobody_writes_into_a_queue_past_the_exchanges(town: Town, kind: Kind) -> None:
    with intruding(town.loot(kind).url) as intruder:
        for queue in (agent_queue(BETA, HERE), node_queue(THERE), "dsmt.ingest.2"):
            assert intruder.tries(says("", queue)) == REFUSED
            assert intruder.tries(says("amq.topic", "a.b")) == REFUSED


@pytest.mark.parametrize("kind", INSIDERS)
def test_nobody_says_to_be_somebody_else(town: Town, kind: Kind) -> None:
    loot = town.loot(kind)
    own, exchange = _own(loot)
    with intruding(loot.url) as intruder:
        for user in ("planner", "node", f"agent.{BETA}.{THERE}", f"{loot.user}x"):
            assert intruder.tries(says(exchange, routing_key(own), user_id=user)) == FORGED
        assert intruder.tries(says(exchange, routing_key(own), user_id=loot.user)) == DONE


@pytest.mark.parametrize("kind", INSIDERS)
def test_nobody_reads_the_queues_of_others(town: Town, kind: Kind) -> None:
    loot = town.loot(kind)
    queues = {
        node_queue(HERE),
        node_queue(THERE),
        agent_queue(ALPHA, HERE),
        agent_queue(ALPHA, THERE),
        agent_queue(BETA, HERE),
        *(one["name"] for one in town.scene.server.management.queues("dsmt")),
    }
    mine = {Kind.NODE: {node_queue(HERE)}, Kind.AGENT: {agent_queue(ALPHA, HERE)}}.get(kind, set())
    with intruding(loot.url) as intruder:
        for queue in sorted(queues - mine):
            assert intruder.tries(reads(queue)) == REFUSED, queue
            assert intruder.tries(subscribes(queue)) == REFUSED, queue
            assert intruder.tries(purges(queue)) == REFUSED, queue
            assert intruder.tries(deletes(queue)) == REFUSED, queue
        # The history is a stream: permissions do not stop at what one may hear.
        assert intruder.tries(subscribes(HISTORY, **{"x-stream-offset": "first"})) == REFUSED


@pytest.mark.parametrize("kind", INSIDERS)
def test_nobody_makes_what_is_not_theirs(town: Town, kind: Kind) -> None:
    other = f"lease.sliver.{BETA}.{THERE}.0f"
    near = f"lease.sliver.{ALPHA}.{HERE}.example.0f"
    with intruding(town.loot(kind).url) as intruder:
        for queue in (
            agent_queue(BETA, Host("new.example")),
            node_queue(THERE) + "x",
            "mine",
            other,
            near,
            "lease.x",
        ):
            assert intruder.tries(declares(queue)) == REFUSED, queue
        for exchange in ("mine", "psepr.mine", "amq.mine", f"lease.{kind}"):
            assert intruder.tries(makes(exchange)) == REFUSED
        assert intruder.tries(lambda channel: channel.exchange_delete(PSEPR)) == REFUSED
        assert intruder.tries(lambda channel: channel.exchange_bind(DEAD, PSEPR, "#")) == REFUSED
        assert intruder.tries(lambda channel: channel.exchange_bind(PSEPR, ORDERS, "#")) == REFUSED


@pytest.mark.parametrize("kind", LEASING)
def test_a_lease_hears_nothing_of_others(town: Town, kind: Kind) -> None:
    loot = town.loot(kind)
    queue = f"lease.{loot.user}.0f"
    keys = [routing_key(channel) for _, channel in OF_OTHERS.values() if f"/{ALPHA}/" not in channel]
    keys = [key for key in keys if not key.startswith("com.")]
    keys += [
        "#",
        "*",
        "*.#",
        "org.#",
        "org.dsmt.#",
        "org.*.ns.#",
        "org.dsmt.ns.deployment.#",
        "slice.#",
        "slice.*.#",
    ]
    keys += [
        f"org.dsmt.ns.deployment.{BETA}.#",
        f"org.dsmt.ns.deployment.*.{DEPLOYMENT_AGENT}.#",
        f"slice.{BETA}.#",
    ]
    with intruding(loot.url) as intruder:
        assert intruder.tries(declares(queue)) == DONE
        for exchange in (PSEPR, ORDERS, NODES, CALLS, LEASES, SNAPSHOTS, REGIONS, DEAD, HISTORY):
            for key in keys:
                common = exchange in {PSEPR, REGIONS} and key.startswith(("lease.", "snapshot."))
                if not common and (exchange, key) != (LEASES, "lease.again"):
                    assert intruder.tries(binds(queue, exchange, key)) == REFUSED, (exchange, key)
        # Orders of its own slice are on an exchange that it does not hear at all.
        assert intruder.tries(binds(queue, ORDERS, f"org.dsmt.ns.deployment.{ALPHA}.#")) == REFUSED
        assert intruder.tries(binds(queue, PSEPR, f"org.dsmt.ns.deployment.{ALPHA}.#")) == DONE
        intruder.tries(deletes(queue))


@pytest.mark.parametrize("header", ["CC", "BCC"])
@pytest.mark.parametrize("kind", INSIDERS)
def test_copies_to_other_keys_are_not_believed(town: Town, kind: Kind, header: str) -> None:
    loot = town.loot(kind)
    own, exchange = _own(loot)
    lie = _status(loot, "failed")
    copies = [routing_key(status_channel(BETA, DEPLOYMENT_AGENT, THERE))]
    with intruding(loot.url) as intruder:
        told: dict[str, Any] = {"user_id": loot.user, "headers": {header: copies}, "content_type": MSGPACK}
        attempt = partial(intruder.tries, says(exchange, routing_key(own), lie, **told))
        attempt()
        _nothing_changed(town)
        # A copy comes by a key that is not its event's: whoever gets it says so.
        assert town.entered("planner", "routing key", user=loot.user, again=attempt)


@pytest.mark.parametrize("kind", LEASING)
def test_what_expires_into_the_queues_of_others_is_not_believed(town: Town, kind: Kind) -> None:
    loot = town.loot(kind)
    queue = f"lease.{loot.user}.dead"
    target = routing_key(status_channel(BETA, DEPLOYMENT_AGENT, THERE))
    own = "com.example.trap"
    arguments = {"x-dead-letter-exchange": PSEPR, "x-dead-letter-routing-key": target, "x-message-ttl": 1}
    lie = says(PSEPR, own, _status(loot, "failed"), user_id=loot.user, content_type=MSGPACK)
    with intruding(loot.url) as intruder:
        if intruder.tries(declares(queue, **arguments)) == DONE:
            assert intruder.tries(binds(queue, PSEPR, own)) == DONE
            intruder.tries(lie)
            time.sleep(0.2)
        for exchange in (ORDERS, NODES, CALLS, "", HISTORY):
            trap = arguments | {"x-dead-letter-exchange": exchange}
            assert intruder.tries(declares(f"lease.{loot.user}.0e", **trap)) == REFUSED, exchange
        intruder.tries(deletes(queue))
    _nothing_changed(town)


def test_nobody_repeats_what_another_said_in_the_other_s_name(town: Town) -> None:
    """So nobody makes another one say more than its quota of events."""
    attacker, victim = town.loot(Kind.SLIVER, ALPHA), town.loot(Kind.SLIVER, BETA, THERE)
    where = Channel("/com/example/repeated/")
    said = encode(Sender("app", victim.user, "life").event(where, "word", now=time.time(), id_="e" * 32))
    queue = f"lease.{attacker.user}.ec40"
    with intruding(attacker.url) as intruder, intruding(victim.url) as speaker:
        echo = {"x-dead-letter-exchange": PSEPR, "x-message-ttl": 1}
        assert intruder.tries(declares(queue, **echo)) == DONE
        assert intruder.tries(binds(queue, PSEPR, routing_key(where))) == DONE
        told = {"user_id": victim.user, "content_type": MSGPACK}
        say = partial(speaker.tries, says(PSEPR, routing_key(where), said, **told))
        assert say() == DONE
        # Other attempts end up in it for the same reason, in the name of others.
        why = "it comes out of another queue"
        assert town.entered("planner", why, user=victim.user, again=say)
        intruder.tries(deletes(queue))


@pytest.mark.parametrize("kind", INSIDERS)
def test_words_that_are_not_words_reach_nobody(town: Town, kind: Kind) -> None:
    status = routing_key(status_channel(ALPHA, DEPLOYMENT_AGENT, HERE))
    host = routing_key(Channel(f"/{HERE}/"))
    keys = [
        status.replace(host, "*"),
        status.replace(host, "#"),
        status.replace(f".{ALPHA}.", ".*."),
        status.replace(f".{ALPHA}.", ".alpha|beta."),
        status.replace(host, f"{host}|x"),
        status.replace(host, "[^.]+"),
        status + "\n",
        status.replace(host, "{username}"),
    ]
    with intruding(town.loot(kind).url) as intruder:
        for key in keys:
            # A node may speak of what is on it, whatever the slice is called.
            allowed = {DONE, REFUSED} if kind is Kind.NODE and key.endswith(host) else {REFUSED}
            assert intruder.tries(says(PSEPR, key)) in allowed, key


async def test_who_knows_no_password_gets_nowhere(town: Town) -> None:
    url = town.loot(Kind.SLIVER).url
    for user in (
        "guest",
        "planner",
        "admin",
        "node",
        "operator",
        f"node.{THERE}",
        f"sliver.{BETA}.{THERE}",
    ):
        for password in ("guest", "planner", password_in(url), "-"):
            assert not await let_in(as_user(url, user, password)), user


@pytest.mark.parametrize("kind", INSIDERS)
def test_the_management_lets_no_party_in(town: Town, kind: Kind) -> None:
    loot = town.loot(kind)
    for path in ("/api/whoami", "/api/users", "/api/definitions", "/api/queues"):
        url = f"{town.scene.server.management_url}{path}"
        answer = httpx.get(url, auth=(loot.user, password_in(loot.url)), timeout=10)
        assert answer.status_code == 401


@pytest.mark.parametrize("kind", [Kind.SLIVER, Kind.AGENT])
def test_a_flood_stops_nobody_else(town: Town, kind: Kind) -> None:
    loot = town.loot(kind)
    own, exchange = _own(loot)
    key, body = routing_key(own), b"\xc1" * 20_000
    with intruding(loot.url) as intruder, intruder.channel() as channel:
        for _ in range(3_000):
            channel.basic_publish(exchange, key, body)
    _nothing_changed(town)


def test_slivers_of_one_host_have_passwords_of_their_own(town: Town) -> None:
    held = [
        password_in(town.loot(kind, slice_, host).url)
        for kind in (Kind.AGENT, Kind.SLIVER)
        for slice_ in (ALPHA, BETA)
        for host in (HERE, THERE)
    ]
    held += [password_in(town.loot(Kind.NODE, host=host).url) for host in (HERE, THERE)]
    held += [password_in(town.loot(Kind.SLICE, slice_).url) for slice_ in (ALPHA, BETA)]
    assert len(set(held)) == len(held)


def _own(loot: Loot) -> tuple[Channel, str]:
    """Where a party may speak."""
    if loot.party.kind is Kind.NODE:
        return heartbeat_channel(HERE), NODES
    if loot.party.kind is Kind.AGENT:
        return status_channel(ALPHA, DEPLOYMENT_AGENT, HERE), PSEPR
    return Channel("/com/example/attack/"), PSEPR


def _status(loot: Loot, state: str) -> bytes:
    """A report that the victim of another slice has failed."""
    channel = status_channel(BETA, DEPLOYMENT_AGENT, THERE)
    pairs = {
        "hostname": THERE,
        "slice": BETA,
        "component": DEPLOYMENT_AGENT,
        "managed": "victim",
        "status": state,
    }
    event = Sender(f"{BETA}_mgr", loot.user, "forged").event(
        channel, DEPLOYMENT_STATUS, pairs=pairs, now=time.time(), id_="f" * 32
    )
    return encode(event)


def _nothing_changed(town: Town) -> None:
    """What was forged before this is dealt with: the planner answers a question that was asked later."""
    with town.scene.client() as client:
        assert json.dumps(client.status(BETA)["hosts"]).count('"failed"') == 0
