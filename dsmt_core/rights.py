"""Who may speak where: the check that every receiver makes on every delivery.

The broker's permissions are the first wall, and they have holes: CC and BCC headers, dead-letter
arguments, a second exchange without topic permissions. So a receiver believes a message only when its
routing key is the event's own, its channel lies under the lease, the broker vouches for the user, and
that user may speak there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from dsmt_core.channels import DEPLOYMENT, NODE, Channel, lies_under
from dsmt_core.events import Event

PSEPR: Final = "psepr"
ORDERS: Final = "psepr.orders"
NODES: Final = "psepr.nodes"
DEAD: Final = "psepr.dead"
HISTORY: Final = "psepr.history"
# What was published on `PSEPR` of other regions; leased, and obeyed by nobody.
REGIONS: Final = "psepr.regions"
# Answers of the planner to those who ask what holds already, each to one lease of who asked.
SNAPSHOTS: Final = "psepr.snapshots"
SNAPSHOT_WORD: Final = "snapshot"
# Answers of agents to the planner's calls (`dsmt_core.calls`), which nobody else hears.
CALLS: Final = "psepr.calls"
# Here they ask.
ASKED: Final = Channel("/org/dsmt/ns/psepr/snapshot/")
# Probes of leases, each to the lease that sends it; the first word of their keys.
LEASES: Final = "psepr.leases"
LEASE_WORD: Final = "lease"
# Here the planner tells all leases to bind again.
BIND_AGAIN: Final = Channel(f"/{LEASE_WORD}/again/")

PLANNER: Final = "planner"
# A user for each node, each agent, the applications of each sliver, and the programs of each slice's
# members: NODE.host, AGENT.slice.host, SLIVER.slice.host, SLICE.slice (`broker.parties`).
NODE_USER: Final = "node"
AGENT: Final = "agent"
SLIVER: Final = "sliver"
SLICE: Final = "slice"
# What is said below /slice/NAME/ is said and heard by that slice only.
SLICE_ROOT: Final = Channel("/slice/")
# Where the broker's users are not the planner's to make: one for all nodes with their agents (NODE_USER
# alone), one for all operators, and one for all applications.
OPERATOR: Final = "operator"
APPLICATION: Final = "application"
# Other regions, who listen here; it says nothing.
REGION: Final = "region"

_OWN_NAMESPACE: Final = Channel("/org/dsmt/")
# Who speaks where repeats from delivery to delivery. The words are bounded by the broker (255 bytes each).
_REMEMBERED: Final = 1 << 17


class Arrival(NamedTuple):
    """How a message came: by which exchange, with which key, and for whom the broker vouches."""

    exchange: str
    routing_key: str
    user_id: str


def refusal(event: Event, arrival: Arrival, leased: Channel) -> str:
    """Why a delivery is not believed; empty when it is.

    Args:
        event: as decoded.
        arrival: as the broker delivered it.
        leased: the channel that the receiver listens on.
    """
    if arrival.routing_key != event.key:
        return f"its routing key {arrival.routing_key!r} is not that of its channel {event.channel}"
    if not lies_under(event.channel, leased):
        return f"its channel {event.channel} is not under {leased}"
    if not arrival.user_id:
        return "it names no user"
    if not may_speak(arrival.user_id, arrival.exchange, event.channel):
        return f"{arrival.user_id} may not speak on {event.channel} of {arrival.exchange}"
    return ""


def may_speak(user: str, exchange: str, channel: Channel) -> bool:
    """Whether ``user`` may publish on ``channel`` of ``exchange``."""
    return _may_speak(user, exchange, channel)


@lru_cache(_REMEMBERED)
def _may_speak(user: str, exchange: str, channel: Channel) -> bool:
    if exchange == LEASES:
        return (user == PLANNER and channel == BIND_AGAIN) or _probes_itself(user, channel)
    # Every region has the same users, and its broker has checked them.
    return _may_say(user, PSEPR if exchange == REGIONS else exchange, channel)


def may_hear(user: str, channel: Channel) -> bool:
    """Whether ``user`` may lease ``channel`` of `PSEPR`: what is DSMT's own only operators may.

    A slice hears of DSMT's own what is about its deployment.
    """
    if user in {PLANNER, OPERATOR}:
        return True
    kind, _, rest = user.partition(".")
    slice_ = rest.partition(".")[0] if kind in {SLIVER, SLICE} else ""
    if slice_ and lies_under(channel, Channel(f"{DEPLOYMENT}{slice_}/")):
        return True
    return kind not in {NODE_USER, AGENT} and _anybody_hears(channel, slice_)


def _may_say(user: str, exchange: str, channel: Channel) -> bool:
    if user == PLANNER:
        return exchange in {PSEPR, ORDERS, HISTORY} or _answers(exchange, channel)
    kind, _, rest = user.partition(".")
    if kind == NODE_USER:
        return _node_may(rest, exchange, channel)
    if kind == AGENT:
        return _agent_may(rest, exchange, channel)
    return exchange == PSEPR and _program_may(user, channel)


def _program_may(user: str, channel: Channel) -> bool:
    kind, _, rest = user.partition(".")
    slice_, _, host = rest.partition(".")
    if user in {OPERATOR, APPLICATION}:
        return _anybody_may(channel, "") or (user == OPERATOR and _may_request("", channel))
    if kind == SLIVER:
        return bool(slice_ and host) and _anybody_may(channel, slice_)
    return kind == SLICE and bool(rest) and (_anybody_may(channel, rest) or _may_request(rest, channel))


def _answers(exchange: str, channel: Channel) -> bool:
    return exchange == SNAPSHOTS and _words(channel)[0] == SNAPSHOT_WORD


def _probes_itself(user: str, channel: Channel) -> bool:
    """Whether the words are ``lease $user $lease``; nodes and agents lease nothing."""
    words = _words(channel)
    leases = user.partition(".")[0] not in {NODE_USER, AGENT}
    return leases and words[:-1] == [LEASE_WORD, *user.split(".")]


def _node_may(host: str, exchange: str, channel: Channel) -> bool:
    """``host`` empty: the user that all nodes share."""
    words = _words(channel)
    if lies_under(channel, NODE):
        matches = len(words) == 6 and host in {"", words[4]}
        return matches and (exchange, words[5]) in {(NODES, "heartbeat"), (PSEPR, "facts")}
    return exchange in {PSEPR, CALLS} and _is_status(words, "", host)


def _agent_may(sliver: str, exchange: str, channel: Channel) -> bool:
    slice_, _, host = sliver.partition(".")
    named = bool(slice_ and host)
    return named and exchange in {PSEPR, CALLS} and _is_status(_words(channel), slice_, host)


def _may_request(slice_: str, channel: Channel) -> bool:
    """Whether a command there is a request to the planner; ``slice_`` empty: of any slice."""
    words = _words(channel)
    return (
        lies_under(channel, DEPLOYMENT)
        and len(words) in {7, 8}
        and slice_ in {"", words[4]}
        and words[6] == "command"
    )


def _is_status(words: list[str], slice_: str, host: str) -> bool:
    """Whether the words are ``org dsmt ns deployment $slice $component status $host``."""
    return (
        len(words) == 8
        and words[:4] == ["org", "dsmt", "ns", "deployment"]
        and slice_ in {"", words[4]}
        and words[6] == "status"
        and host in {"", words[7]}
    )


def _anybody_may(channel: Channel, slice_: str) -> bool:
    return channel == ASKED or _anybody_hears(channel, slice_)


def _anybody_hears(channel: Channel, slice_: str) -> bool:
    """Outside of DSMT's name space, except what is another slice's own."""
    if lies_under(channel, SLICE_ROOT):
        return bool(slice_) and lies_under(channel, Channel(f"{SLICE_ROOT}{slice_}/"))
    return not lies_under(channel, _OWN_NAMESPACE)


def _words(channel: Channel) -> list[str]:
    return channel[1:-1].split("/")
