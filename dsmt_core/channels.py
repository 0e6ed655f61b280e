"""Channels of PsEPR, and the routing keys that carry them on topic exchanges.

A channel is hierarchical, begins and ends with ``/`` and starts with a naming authority. A lease on
a channel hears everything at or below it. On RabbitMQ a channel becomes a routing key: segments
become words, and inside a segment ``.`` is written ``:`` while ``:`` and ``%`` are percent-encoded;
this is reversible. The broker's limit for a key is 255 bytes.
"""

from __future__ import annotations

from typing import Final, NewType

from dsmt_core.errors import Invalid
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, Host, Slice

Channel = NewType("Channel", str)

ROOT: Final = Channel("/")
DEPLOYMENT: Final = Channel("/org/dsmt/ns/deployment/")
NODE: Final = Channel("/org/dsmt/ns/node/")
KEY_BYTES: Final = 255
_DEPTH: Final = 32
_FIRST_PRINTABLE: Final = " "
_DELETE: Final = "\x7f"


def channel(text: str) -> Channel:
    """Check a channel; a missing final slash is added.

    Raises:
        Invalid: no leading slash, an empty segment, a segment ``*`` or ``#``, a control character,
            or a routing key above 255 bytes.
    """
    ended = text if text.endswith("/") else f"{text}/"
    if not text.startswith("/"):
        raise Invalid(f"the channel {text[:80]!r} does not begin with /")
    if ended != ROOT:
        words = ended[1:-1].split("/")
        for word in words:
            _check_segment(word, text)
        if len(words) > _DEPTH or len(".".join(map(_word, words)).encode()) > KEY_BYTES:
            raise Invalid(
                f"the channel {text[:80]!r}… is too long for a routing key",
                hint=f"at most {KEY_BYTES} bytes and {_DEPTH} segments",
            )
    return Channel(ended)


def routing_key(channel_: Channel, state: str = "") -> str:
    """The routing key of an event on ``channel_``; ``state`` is one more, last word.

    Raises:
        Invalid: the key is longer than 255 bytes.
    """
    words = [_word(segment) for segment in channel_[1:-1].split("/") if segment]
    if state:
        words.append(_word(state))
    key = ".".join(words)
    if len(key.encode()) > KEY_BYTES:
        raise Invalid(f"the routing key of {channel_[:80]!r}… is longer than {KEY_BYTES} bytes")
    return key


def channel_of(key: str) -> Channel:
    """The channel that a routing key (without a state) stands for; the inverse of `routing_key`.

    Raises:
        Invalid: no channel has this key.
    """
    if not key:
        return ROOT
    return channel("/" + "/".join(_segment(word) for word in key.split(".")) + "/")


def binding_key(channel_: Channel, state: str = "") -> str:
    """The binding of a lease: everything at or below ``channel_``, or only what ends in ``state``."""
    prefix = routing_key(channel_)
    words = [prefix] if prefix else []
    return ".".join([*words, "#", _word(state)] if state else [*words, "#"])


def lies_under(channel_: Channel, root: Channel) -> bool:
    """Whether ``channel_`` is ``root`` or below it."""
    return channel_.startswith(root)


def component_channel(slice_: Slice, component: str) -> Channel:
    """``/org/dsmt/ns/deployment/$slice/$component/``."""
    return Channel(f"{DEPLOYMENT}{slice_}/{component}/")


def status_channel(slice_: Slice, component: str, host: Host) -> Channel:
    """Where a part of a slice reports on a host."""
    return Channel(f"{component_channel(slice_, component)}status/{host}/")


def command_channel(slice_: Slice, component: str, host: Host) -> Channel:
    """Where a part of a slice on a host is told what to do."""
    return Channel(f"{component_channel(slice_, component)}command/{host}/")


def node_orders_binding(host: Host) -> str:
    """Binds a node's queue to the orders for its container manager, whatever the slice."""
    words = routing_key(DEPLOYMENT), _word(CONTAINER_MGR), _word(host)
    return f"{words[0]}.*.{words[1]}.command.{words[2]}"


def agent_orders_binding(slice_: Slice, host: Host) -> str:
    """Binds an agent's queue to the orders for it."""
    return routing_key(command_channel(slice_, DEPLOYMENT_AGENT, host))


def heartbeat_channel(host: Host) -> Channel:
    """Where a node's heartbeats go."""
    return Channel(f"{NODE}{host}/heartbeat/")


def facts_channel(host: Host) -> Channel:
    """Where a node tells its facts and what it holds."""
    return Channel(f"{NODE}{host}/facts/")


def _check_segment(segment: str, whole: str) -> None:
    if not segment:
        raise Invalid(f"the channel {whole[:80]!r} has an empty segment")
    if segment in {"*", "#"}:
        raise Invalid(f"the channel {whole[:80]!r} has the wildcard {segment!r} as a segment")
    if any(character < _FIRST_PRINTABLE or character == _DELETE for character in segment):
        raise Invalid(f"the channel {whole[:80]!r} has a control character")


def _word(segment: str) -> str:
    return segment.replace("%", "%25").replace(":", "%3A").replace(".", ":")


def _segment(word: str) -> str:
    return word.replace(":", ".").replace("%3A", ":").replace("%25", "%")
