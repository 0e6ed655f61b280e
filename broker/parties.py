"""A user of the broker for each party, and what it may do there: nobody speaks or hears for another. Pure.

    node.HOST            a container manager: heartbeats, facts, and the status of what is on its host
    agent.SLICE.HOST     the deployment agent of a sliver: that sliver's status
    sliver.SLICE.HOST    the applications of a sliver: channels outside of DSMT's, and the slice's own
    slice.SLICE          programs of a slice's members: the same, and requests to its planner

Patterns are PCRE. ``$`` alone would also match before a last newline, and names stand in them escaped, so
that none is read as a pattern or as one of the broker's variables (``{username}``).

A password is derived from that of who answers for the party: the installation's secret makes those of nodes
and slices, a node's own those of the slivers on it. So nobody has to keep, send or look up any.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from broker.access import Permission, TopicPermission, answered_to, heard_by, probes_of
from broker.topology import LEASE_PREFIX, agent_queue, node_queue
from dsmt_core.channels import DEPLOYMENT, Channel, facts_channel, heartbeat_channel, routing_key
from dsmt_core.names import Host, Slice
from dsmt_core.rights import (
    AGENT,
    ASKED,
    CALLS,
    LEASES,
    NODE_USER,
    NODES,
    PSEPR,
    REGIONS,
    SLICE,
    SLICE_ROOT,
    SLIVER,
    SNAPSHOTS,
)

_NOTHING: Final = "^$"
_END: Final = r"$(?!\n)"
_SAID_BY_NODES: Final = rf"^psepr(\.nodes|\.calls|\.dead)?{_END}"
_SAID_BY_AGENTS: Final = rf"^psepr(\.calls|\.dead)?{_END}"
_WORD: Final = r"[^.]+"
# A binding is compared as text: no word that stands for others may come where other names begin.
_COMMON: Final = r"(?![*#](\.|$))(?!org\.(dsmt|\*|#)(\.|$))(?!slice(\.|$))[^\n]*"


_NO_SLICE: Final = Slice("")
_NO_HOST: Final = Host("")


class Kind(StrEnum):
    """Of parties; the first word of a user's name."""

    NODE = NODE_USER
    AGENT = AGENT
    SLIVER = SLIVER
    SLICE = SLICE


@dataclass(frozen=True, slots=True, order=True)
class Party:
    """Who a user of the broker is."""

    kind: Kind
    slice: Slice = _NO_SLICE
    host: Host = _NO_HOST

    @property
    def user(self) -> str:
        """The name of its user."""
        return ".".join(filter(None, (self.kind, self.slice, self.host)))


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user may do in a virtual host; each exchange that it uses has a topic permission."""

    permission: Permission
    topics: tuple[TopicPermission, ...]


def is_party(user: str) -> bool:
    """Whether a user of the broker has a name of this form, so that it is the planner's to keep."""
    kind, dot, rest = user.partition(".")
    return bool(dot and rest) and kind in set(Kind)


def rights_of(party: Party) -> Rights:
    """What the broker lets a party do."""
    return _OF[party.kind](party)


def derived(secret: str, *words: str) -> str:
    """A password for what the words name; only who knows ``secret`` can tell it (HMAC, RFC 2104).

    Args:
        secret: of who answers for it.
        words: of any text; with others it is another password.
    """
    text = "".join(f"{len(word)}:{word}" for word in words)
    digest = hmac.digest(secret.encode(), text.encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def sliver_password(node_password: str, party: Party, life: int) -> str:
    """The password of an agent, or of the applications of a sliver.

    Args:
        node_password: of its node.
        party: an agent or a sliver.
        life: which slice of this name it is: one that was deleted and made again is another one.
    """
    return derived(node_password, party.kind, party.slice, str(life))


def _node(party: Party) -> Rights:
    host = _word_of(party.host)
    status = rf"{_below(DEPLOYMENT)}{_WORD}\.{_WORD}\.status\.{host}(\.{_WORD})?"
    facts = re.escape(routing_key(facts_channel(party.host)))
    beats = re.escape(routing_key(heartbeat_channel(party.host)))
    user = party.user
    return Rights(
        Permission(user, _NOTHING, _SAID_BY_NODES, _exactly(node_queue(party.host))),
        (
            TopicPermission(user, PSEPR, f"^({status}|{facts}){_END}", _NOTHING),
            TopicPermission(user, NODES, f"^{beats}{_END}", _NOTHING),
            TopicPermission(user, CALLS, f"^{status}{_END}", _NOTHING),
        ),
    )


def _agent(party: Party) -> Rights:
    deployment = _below(DEPLOYMENT) + re.escape(party.slice)
    status = rf"^{deployment}\.{_WORD}\.status\.{_word_of(party.host)}(\.{_WORD})?{_END}"
    user = party.user
    return Rights(
        Permission(user, _NOTHING, _SAID_BY_AGENTS, _exactly(agent_queue(party.slice, party.host))),
        tuple(TopicPermission(user, exchange, status, _NOTHING) for exchange in (PSEPR, CALLS)),
    )


def _sliver(party: Party) -> Rights:
    return _program(party, says="")


def _slice(party: Party) -> Rights:
    command = rf"|{_below(DEPLOYMENT)}{re.escape(party.slice)}\.{_WORD}\.command(\.{_WORD})?"
    return _program(party, says=command)


def _program(party: Party, says: str) -> Rights:
    """A program that leases. The queues are its own; those of host ``a.b`` are not those of host ``a``."""
    user, slice_ = party.user, re.escape(party.slice)
    own = rf"{_below(SLICE_ROOT)}{slice_}(\.[^\n]*)?"
    asked = re.escape(routing_key(ASKED))
    leases = rf"{re.escape(LEASE_PREFIX + user)}\.[0-9a-f]+(~[0-9])?"
    hears = f"^({_COMMON}|{own}|{_below(DEPLOYMENT)}{slice_}" + rf"\.[^\n]*){_END}"
    return Rights(
        Permission(
            user,
            f"^{leases}{_END}",
            rf"^({leases}|psepr(\.dead|\.leases)?){_END}",
            rf"^({leases}|psepr(\.leases|\.regions|\.snapshots)?){_END}",
        ),
        (
            TopicPermission(user, PSEPR, f"^({_COMMON}|{own}|{asked}{says}){_END}", hears),
            TopicPermission(user, REGIONS, _NOTHING, hears),
            TopicPermission(user, LEASES, probes_of(user), heard_by(user)),
            TopicPermission(user, SNAPSHOTS, _NOTHING, answered_to(user)),
        ),
    )


def _exactly(name: str) -> str:
    return rf"^{re.escape(name)}(~[0-9])?{_END}"


def _below(channel: Channel) -> str:
    return re.escape(routing_key(channel)) + r"\."


def _word_of(host: Host) -> str:
    """A host as it stands in a routing key, escaped."""
    return re.escape(routing_key(Channel(f"/{host}/")))


_OF: Final = {Kind.NODE: _node, Kind.AGENT: _agent, Kind.SLIVER: _sliver, Kind.SLICE: _slice}
