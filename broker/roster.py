"""Who may connect to the broker: what is wanted of its users, what is there, and what has to change. Pure.

Rule: only users of the planner's own making are touched: parties (`broker.parties`) and those that it has
URLs for. A party that nobody answers for is removed; with it the broker closes its connections.
"""

from __future__ import annotations

import base64
from binascii import Error as NoBase64
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from hmac import compare_digest
from typing import Any, Final

from broker.access import HASHING, PERMISSIONS, SALT_BYTES, TOPIC_PERMISSIONS, Permission, password_hash
from broker.access import TopicPermission as Topic
from broker.parties import Rights, is_party

_NO_TAGS: Final[tuple[object, ...]] = ("", [])


@dataclass(frozen=True, slots=True)
class Entry:
    """A user that is wanted."""

    password: str = field(repr=False)
    rights: Rights


@dataclass(frozen=True, slots=True)
class Seen:
    """The users of a broker, and what they may do in one virtual host.

    Attributes:
        hashes: user → hash of the password; empty when it has none of the usual kind, or tags.
        permissions, topics: user → what it may do.
    """

    hashes: Mapping[str, str]
    permissions: Mapping[str, Permission]
    topics: Mapping[str, frozenset[Topic]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to change.

    Attributes:
        missing: users that are not there.
        altered: users whose password or rights are not what they should be.
        strange: parties that nobody answers for.
    """

    missing: frozenset[str]
    altered: frozenset[str]
    strange: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.missing or self.altered or self.strange)

    def told(self, most: int) -> dict[str, list[str]]:
        """For people: of each the first ``most``."""
        kinds = {"missing": self.missing, "altered": self.altered, "strange": self.strange}
        return {name: sorted(users)[:most] for name, users in kinds.items()}


def shared(user: str) -> Rights | None:
    """What a user may do who is no party; None when DSMT has no such user."""
    found = next((one for one in PERMISSIONS if one.user == user), None)
    if found is None:
        return None
    return Rights(found, tuple(one for one in TOPIC_PERMISSIONS if one.user == user))


def seen(
    users: Iterable[Mapping[str, Any]],
    permissions: Iterable[Mapping[str, Any]],
    topics: Iterable[Mapping[str, Any]],
) -> Seen:
    """From what the broker's management interface lists; the last two of one virtual host."""
    by_user: dict[str, set[Topic]] = {}
    for one in topics:
        by_user.setdefault(one["user"], set()).add(
            Topic(one["user"], one["exchange"], one["write"], one["read"])
        )
    return Seen(
        {str(one["name"]): _hash_in(one) for one in users},
        {
            one["user"]: Permission(one["user"], one["configure"], one["write"], one["read"])
            for one in permissions
        },
        {user: frozenset(some) for user, some in by_user.items()},
    )


def difference(
    wanted: Mapping[str, Entry], there: Seen, retired: AbstractSet[str] = frozenset()
) -> Difference:
    """What has to change so that the broker has what is wanted.

    Args:
        wanted: by user.
        there: what the broker has.
        retired: users that are no parties, and to be removed as well.
    """
    known = there.hashes.keys()
    return Difference(
        frozenset(wanted.keys() - known),
        frozenset(user for user in wanted.keys() & known if not _is_as(wanted[user], user, there)),
        frozenset(user for user in known - wanted.keys() if is_party(user) or user in retired),
    )


def definitions(vhost: str, entries: Mapping[str, Entry], salt: bytes) -> dict[str, Any]:
    """Users with their rights, as the broker takes definitions.

    Args:
        vhost: where the rights hold.
        entries: by user.
        salt: `SALT_BYTES` random bytes.
    """
    return {
        "users": [
            {
                "name": user,
                "password_hash": password_hash(entry.password, salt),
                "hashing_algorithm": HASHING,
                "tags": [],
            }
            for user, entry in entries.items()
        ],
        "permissions": [
            {
                "user": one.user,
                "vhost": vhost,
                "configure": one.configure,
                "write": one.write,
                "read": one.read,
            }
            for one in (entry.rights.permission for entry in entries.values())
        ],
        "topic_permissions": [
            {"vhost": vhost} | asdict(one) for entry in entries.values() for one in entry.rights.topics
        ],
    }


def _is_as(entry: Entry, user: str, there: Seen) -> bool:
    return (
        there.permissions.get(user) == entry.rights.permission
        and there.topics.get(user, frozenset()) == frozenset(entry.rights.topics)
        and _is_password(entry.password, there.hashes[user])
    )


def _is_password(password: str, hashed: str) -> bool:
    try:
        salt = base64.b64decode(hashed, validate=True)[:SALT_BYTES]
    except (NoBase64, ValueError):
        return False
    return len(salt) == SALT_BYTES and compare_digest(password_hash(password, salt), hashed)


def _hash_in(user: Mapping[str, Any]) -> str:
    usual = user.get("hashing_algorithm") == HASHING and user.get("tags", "") in _NO_TAGS
    return str(user.get("password_hash", "")) if usual else ""
