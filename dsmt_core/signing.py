"""Signed orders: what exactly is signed, who is believed, and when an order is too old.

Signed is the whole event as its receiver uses it: channel, field, text and every pair, each with its
length before it, so that no two events have the same form, and pairs that a reader does not know count,
too. The receiver believes the keys that it was given when it joined, and a key that one of these hands
over to. Whether an order is fresh the session says first, then the clock: so a wrong clock delays, and
what was said to an earlier life of the receiver is not believed for long. Pure.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NewType

from dsmt_core.errors import Denied, Invalid
from dsmt_core.events import Event

PublicKey = NewType("PublicKey", str)
"""An Ed25519 key: 32 bytes in URL-safe base64, without padding."""

Verify = Callable[[PublicKey, bytes, bytes], bool]
"""Whether a signature (the last) over some content is of a key."""

SIGNATURE: Final = "signature"
SIGNED_BY: Final = "signed-by"
SIGNED_AT: Final = "signed-at"
SESSION: Final = "session"
HAND_OVER: Final = "hand-over"
# How old an order may be that does not name the receiver's session; seconds.
FRESH_S: Final = 600.0
# A planner's keys of the last years; who has missed more asks its operator.
MOST_HAND_OVERS: Final = 4
_KEY_BYTES: Final = 32
_KEY_ID: Final = 16
_ORDER: Final = b"dsmt order 1"
_HANDING_OVER: Final = b"dsmt hand-over 1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order is not believed; ``stale``: the same order, signed anew, would be."""

    reason: str
    stale: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """The holder of one key says that another one takes its place; ``at`` in seconds since the epoch."""

    old: str
    new: PublicKey
    at: float
    signature: bytes = b""

    @property
    def content(self) -> bytes:
        """What the old key signs."""
        return _framed(_HANDING_OVER, (self.old, self.new, repr(self.at)))

    def __str__(self) -> str:
        return f"{self.old}:{self.new}:{self.at!r}:{in_text(self.signature)}"


def public_key(text: str) -> PublicKey:
    """The key that ``text`` is.

    Raises:
        Invalid: it is none.
    """
    if len(out_of_text(text)) != _KEY_BYTES:
        raise Invalid(f"{text[:60]!r} is not a public key of Ed25519")
    return PublicKey(text)


def fingerprint(key: PublicKey) -> str:
    """By what people know a key: SHA-256 in hexadecimal."""
    return hashlib.sha256(out_of_text(key)).hexdigest()


def key_id(key: PublicKey) -> str:
    """By what orders name a key: the first 16 digits of its fingerprint."""
    return fingerprint(key)[:_KEY_ID]


def hand_over(text: str) -> HandOver:
    """The statement that ``text`` is.

    Raises:
        Invalid: it is none.
    """
    words = text.split(":")
    try:
        old, new, at, signature = words
        return HandOver(old[:64], public_key(new), float(at), out_of_text(signature))
    except (ValueError, Invalid):
        raise Invalid("a hand-over of a key cannot be read") from None


def hand_overs(text: str) -> list[HandOver]:
    """The statements in a pair, the oldest first.

    Raises:
        Invalid: one of them is none, or there are too many.
    """
    words = text.split()
    if len(words) > MOST_HAND_OVERS:
        raise Invalid("there are too many hand-overs of keys")
    return [hand_over(word) for word in words]


def order_content(event: Event) -> bytes:
    """What is signed of an order or a call."""
    pairs = sorted((name, text) for name, text in event.pairs.items() if name != SIGNATURE)
    words = [event.channel, event.field, event.value, *(word for pair in pairs for word in pair)]
    return _framed(_ORDER, words)


def taken_over(
    keys: Iterable[PublicKey], statements: Iterable[HandOver], verify: Verify
) -> frozenset[PublicKey]:
    """The keys that are believed after some statements: a new key stands in the place of the old one."""
    believed = {key_id(key): key for key in keys}
    for one in statements:
        old = believed.get(one.old)
        if old is not None and verify(old, one.content, one.signature):
            del believed[one.old]
            believed[key_id(one.new)] = one.new
    return frozenset(believed.values())


def pinned(
    known: Iterable[PublicKey],
    told: PublicKey | None,
    statements: Iterable[HandOver],
    *,
    expected: str = "",
    verify: Verify,
) -> frozenset[PublicKey]:
    """The keys that a node believes after it was told one, as the planner's, when it joined.

    Args:
        known: those that it believed before.
        told: None where the planner signs nothing: what was believed stays.
        statements: of former keys.
        expected: the fingerprint that people said on the node itself; counts where no key is known.
        verify: checks a signature.

    Raises:
        Denied: it is another key than expected, or than the known ones hand over to.
    """
    before = frozenset(known)
    if told is None:
        return before
    if not before and expected in {"", fingerprint(told)}:
        return frozenset({told})
    if told in taken_over(before, statements, verify):
        return frozenset({told})
    raise Denied(
        f"the planner signs orders with a key that this node does not know, and no known key hands over to "
        f"it: {fingerprint(told)}; if dsmt-planner keys show says the same, say on this node: "
        f"dsmt-node trust --data DIR --fingerprint {fingerprint(told)}",
        hint="otherwise somebody else answers in the planner's place",
    )


def refusal(
    event: Event, keys: Iterable[PublicKey], *, session: str, now: float, verify: Verify
) -> Refusal | None:
    """Why an order or a call is not believed; None when it is.

    Args:
        event: as it came.
        keys: that are believed.
        session: of the receiver, said with what it holds.
        now: the receiver's clock, seconds since the epoch.
        verify: checks a signature.
    """
    pairs = event.pairs
    if SIGNATURE not in pairs:
        return Refusal("it is not signed")
    by = pairs.get(SIGNED_BY, "")
    key = next((one for one in keys if key_id(one) == by), None)
    if key is None:
        return Refusal(f"it is signed with a key ({by[:_KEY_ID]!r}) that this node does not know")
    try:
        signed_at, signature = float(pairs.get(SIGNED_AT, "")), out_of_text(pairs[SIGNATURE])
    except (ValueError, Invalid):
        return Refusal("its signature cannot be read")
    if not verify(key, order_content(event), signature):
        return Refusal("its signature is not of what it says")
    age = now - signed_at
    # Not a number is not fresh, either.
    if pairs.get(SESSION) == session or -FRESH_S <= age <= FRESH_S:
        return None
    return Refusal(f"it was signed {age:.0f} s ago, and not for this session", stale=True)


def in_text(content: bytes) -> str:
    """URL-safe base64, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def out_of_text(text: str) -> bytes:
    """The inverse of `in_text`.

    Raises:
        Invalid: it is something else; another text for the same content is, too.
    """
    try:
        content = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        content = b""
    if not content or in_text(content) != text:
        raise Invalid("it is not URL-safe base64")
    return content


def _framed(what: bytes, words: Iterable[str]) -> bytes:
    parts = [what]
    for word in words:
        encoded = word.encode(errors="surrogatepass")
        parts += (struct.pack(">I", len(encoded)), encoded)
    return b"".join(parts)
