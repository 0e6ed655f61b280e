"""Users of the broker and what they may do, as data: the first wall; the receiver's check is the second.

One user for the planner, one for all nodes with their agents, one for all operators, and one for all
applications. The patterns are RabbitMQ's: PCRE, searched anywhere in a name, so anchored here. A user that
may write several topic exchanges needs a topic permission on each: without one every key is allowed.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from dsmt_core.rights import (
    APPLICATION,
    CALLS,
    LEASES,
    NODE_USER,
    NODES,
    OPERATOR,
    PLANNER,
    PSEPR,
    REGION,
    REGIONS,
    SNAPSHOT_WORD,
    SNAPSHOTS,
)

ALL: Final = ".*"
NOTHING: Final = "^$"
USERS: Final = (PLANNER, NODE_USER, OPERATOR, APPLICATION, REGION)
SALT_BYTES: Final = 4
HASHING: Final = "rabbit_password_hashing_sha256"

# Routing keys as `dsmt_core.channels` writes them; an optional last word is the state.
_STATUS: Final = r"org\.dsmt\.ns\.deployment\.[^.]+\.[^.]+\.status\.[^.]+(\.[^.]+)?"
_COMMAND: Final = r"org\.dsmt\.ns\.deployment\.[^.]+\.[^.]+\.command(\.[^.]+)?"
_FACTS: Final = r"org\.dsmt\.ns\.node\.[^.]+\.facts"
_HEARTBEAT: Final = r"org\.dsmt\.ns\.node\.[^.]+\.heartbeat"
_ASKED: Final = r"org\.dsmt\.ns\.psepr\.snapshot"
_NOT_OURS: Final = r"(?!org\.dsmt(\.|$)).*"
# A binding is compared as text, so the words that stand for others must not stand where ours begin.
_HEARS_NOT_OURS: Final = r"(?![*#](\.|$))(?!org\.(dsmt|\*|#)(\.|$)).*"


@dataclass(frozen=True, slots=True)
class Permission:
    """What a user may configure, write and read in a virtual host, as patterns of names."""

    user: str
    configure: str
    write: str
    read: str


@dataclass(frozen=True, slots=True)
class TopicPermission:
    """Which routing keys a user may publish (write) or bind (read) on one exchange."""

    user: str
    exchange: str
    write: str
    read: str = ALL


_FEDERATION: Final = r"^federation: "

PERMISSIONS: Final = (
    Permission(PLANNER, ALL, ALL, ALL),
    Permission(NODE_USER, NOTHING, r"^psepr(\.nodes|\.calls|\.dead)?$", r"^dsmt\.(node|agent)\."),
    Permission(
        OPERATOR,
        r"^lease\.",
        r"^(lease\..*|psepr(\.dead|\.leases)?)$",
        r"^(lease\..*|psepr(\.orders|\.nodes|\.leases|\.regions|\.snapshots)?)$",
    ),
    Permission(
        APPLICATION,
        r"^lease\.application\.",
        r"^(lease\.application\..*|psepr(\.dead|\.leases)?)$",
        r"^(lease\.application\..*|psepr(\.leases|\.regions|\.snapshots)?)$",
    ),
    # The federation plug-in of another region: a queue and an exchange of its own, bound to `psepr`.
    Permission(REGION, _FEDERATION, _FEDERATION, r"^(federation: .*|psepr)$"),
)


def probes_of(user: str) -> str:
    """The keys of the probes of ``user``'s leases; no pattern that ``*`` or ``#`` would pass as text."""
    return rf"^lease\.{re.escape(user)}\.[0-9a-f]+$(?!\n)"


def answered_to(user: str) -> str:
    """What ``user`` binds on `SNAPSHOTS` for the answer to a question of its own."""
    return rf"^{SNAPSHOT_WORD}\.{re.escape(user)}\.[0-9a-f]+\.#$(?!\n)"


def heard_by(user: str) -> str:
    """What a lease of ``user`` binds on `LEASES`: the key of its probes, and that of all leases."""
    return rf"^lease\.(again|{re.escape(user)}\.[0-9a-f]+)$(?!\n)"


TOPIC_PERMISSIONS: Final = (
    TopicPermission(NODE_USER, PSEPR, f"^({_STATUS}|{_FACTS})$", NOTHING),
    TopicPermission(NODE_USER, NODES, f"^{_HEARTBEAT}$", NOTHING),
    TopicPermission(NODE_USER, CALLS, f"^{_STATUS}$", NOTHING),
    TopicPermission(OPERATOR, PSEPR, f"^({_NOT_OURS}|{_COMMAND}|{_ASKED})$"),
    TopicPermission(APPLICATION, PSEPR, f"^({_NOT_OURS}|{_ASKED})$", f"^{_HEARS_NOT_OURS}$"),
    TopicPermission(APPLICATION, REGIONS, NOTHING, f"^{_HEARS_NOT_OURS}$"),
    *(TopicPermission(user, LEASES, probes_of(user), heard_by(user)) for user in (OPERATOR, APPLICATION)),
    *(TopicPermission(user, SNAPSHOTS, NOTHING, answered_to(user)) for user in (OPERATOR, APPLICATION)),
)


def may(user: str, action: str, name: str) -> bool:
    """Whether ``user`` may ``configure``, ``write`` or ``read`` the queue or exchange ``name``."""
    return any(
        re.search(getattr(permission, action), name)
        for permission in PERMISSIONS
        if permission.user == user
    )


def may_bind(user: str, exchange: str, key: str) -> bool:
    """Whether ``user``, who may read ``exchange``, may bind a queue of its own to it with ``key``."""
    return all(
        re.search(topic.read, key)
        for topic in TOPIC_PERMISSIONS
        if (topic.user, topic.exchange) == (user, exchange)
    )


def password_hash(password: str, salt: bytes) -> str:
    """The form in which the broker keeps a password (salted SHA-256, base64).

    Args:
        password: in clear.
        salt: `SALT_BYTES` random bytes.

    Source: https://www.rabbitmq.com/docs/passwords, section "Computing Password Hash".
    """
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
