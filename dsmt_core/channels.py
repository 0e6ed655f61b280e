"""Channels of PsEPR, and the routing keys that carry them on topic exchanges.

A channel is hierarchical, begins and ends with ``/`` and starts with a naming authority. A lease on
a channel hears everything at or below it. On RabbitMQ a channel becomes a routing key: segments
become words, and inside a segment ``.`` is written ``:`` while ``:`` and ``%`` are percent-encoded;
this is reversible. The broker's limit for a key is 255 bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NewType

from dsmt_core.errors import Invalid
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, Host, Slice

Channel = NewType("Channel", str)

ROOT: Final = Channel("/")
DEPLOYMENT: Final = Channel("/org/dsmt/ns/deployment/")
NODE: Final = Channel("/org/dsmt/ns/node/")
KEY_BYTES: Final = 255
_DEPTH: Final = 32
# Control characters, and what XML 1.0 forbids besides (https://www.w3.org/TR/xml/#charsets).
_ILLEGAL: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# A process hears the same channels over and over: those of 10,000 nodes fit in. An entry has at most
# some hundred bytes, because what is not legal (and so what is long) is never kept.
_REMEMBERED: Final = 1 << 17


def channel(text: str) -> Channel:
    """Check a channel; a missing final slash is added.

    Raises:
        Invalid: no leading slash, an empty segment, a segment ``*`` or ``#``, a control character,
            or a routing key above 255 bytes.
    """
    return _channel(text)


@lru_cache(_REMEMBERED)
def _channel(text: str) -> Channel:
    ended = text if text.endswith("/") else f"{text}/"
    if not text.startswith("/"):
        raise Invalid(f"the channel {text[:80]!r} does not begin with /")
    if ended != ROOT:
        _check_length(ended, text)
        for segment in ended[1:-1].split("/"):
            _check_segment(segment, text)
        if _ILLEGAL.search(text):
            raise Invalid(f"the channel {text[:80]!r} has a control character, or one that is none")
    return Channel(ended)


def routing_key(channel_: Channel, state: str = "") -> str:
    """The routing key of an event on ``channel_``; ``state`` is one more, last word.

    Raises:
        Invalid: the key is longer than 255 bytes.
    """
    return _routing_key(channel_, state)


@lru_cache(_REMEMBERED)
def _routing_key(channel_: Channel, state: str) -> str:
    key = _words(channel_[1:-1])
    if state:
        key = f"{key}.{_word(state)}" if key else _word(state)
    if len(key.encode()) > KEY_BYTES:
        raise Invalid(f"the routing key of {channel_[:80]!r}… is longer than {KEY_BYTES} bytes")
    return key


def channel_of(key: str) -> Channel:
    """The channel that a routing key (without a state) stands for; the inverse of `routing_key`.

    Raises:
        Invalid: no channel has this key.
    """
    return _channel_of(key)


@lru_cache(_REMEMBERED)
def _channel_of(key: str) -> Channel:
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


def _check_length(ended: str, whole: str) -> None:
    # Its length is looked at first: a megabyte of slashes is not worth splitting.
    long = len(ended) > KEY_BYTES + 2 or ended.count("/") > _DEPTH + 1
    if long or len(_words(ended[1:-1]).encode(errors="replace")) > KEY_BYTES:
        raise Invalid(
            f"the channel {whole[:80]!r}… is too long for a routing key",
            hint=f"at most {KEY_BYTES} bytes and {_DEPTH} segments",
        )


def _check_segment(segment: str, whole: str) -> None:
    if not segment:
        raise Invalid(f"the channel {whole[:80]!r} has an empty segment")
    if segment in {"*", "#"}:
        raise Invalid(f"the channel {whole[:80]!r} has the wildcard {segment!r} as a segment")


def _words(path: str) -> str:
    return _word(path).replace("/", ".")


def _word(segment: str) -> str:
    return segment.replace("%", "%25").replace(":", "%3A").replace(".", ":")


def _segment(word: str) -> str:
    return word.replace(":", ".").replace("%3A", ":").replace("%25", "%")
