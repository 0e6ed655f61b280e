"""When the planner and its depot speak TLS, and when a certificate is made anew. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from dsmt_core.errors import Invalid

# Half as long again as the longest absence of a planner that nobody would call one.
LASTS_S: Final = 90 * 86_400.0
# A new one is made when so much of the time is left: enough for somebody to notice that it cannot.
_LEFT: Final = 1 / 3
_LOOPBACK: Final = ("127.", "::1", "localhost")
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not listened on


class Way(Enum):
    """How a server speaks."""

    TLS = "TLS"
    # Nobody else hears it.
    PLAIN = "plain text on loopback"
    # Somebody said so.
    INSECURE = "plain text, as --insecure-plain says"
    # An installation from before there was an authority: it goes on as it was.
    OF_BEFORE = "plain text, because this installation has no authority"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said at the start.

    Attributes:
        tls: everywhere, also on loopback.
        insecure: plain text, also where others hear it.
    """

    tls: bool = False
    insecure: bool = False


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    return host.startswith("127.") or host in _LOOPBACK


def is_everywhere(host: str) -> bool:
    """Whether it stands for all addresses, and so is no name for others."""
    return host in _EVERYWHERE


def way(host: str, wish: Wish, *, has_authority: bool) -> Way:
    """How to speak on an address.

    Args:
        host: where it listens.
        wish: of whoever starts the planner.
        has_authority: of this installation.

    Raises:
        Invalid: both TLS and plain text were asked for.
    """
    if wish.tls and wish.insecure:
        raise Invalid("--tls and --insecure-plain are opposites", hint="leave one of them out")
    if wish.tls:
        return Way.TLS
    if is_loopback(host):
        return Way.PLAIN
    if wish.insecure:
        return Way.INSECURE
    return Way.TLS if has_authority else Way.OF_BEFORE


def is_due(begins: float, ends: float, now: float) -> bool:
    """Whether a certificate is to be made anew; also when the clock was put back before its beginning.

    Args:
        begins: of its time; seconds since the epoch.
        ends: likewise.
        now: likewise.
    """
    return now < begins or ends - now <= (ends - begins) * _LEFT
