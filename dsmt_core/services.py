"""How a service describes itself: what it says and hears on which channels, and how often.

A description travels as pairs of an event of field ``service-description``; whose it is says the event's
``service``. It is published on any channel on which the service may speak, and the last one counts.

    text=round-trip times of the pinger
    channel.1=/com/example/pinger/   direction.1=generates   field.1=round-trip   least.1=1   greatest.1=30

A channel of a description covers what is at or below it, as a lease does. A segment ``*`` stands for any
one segment, such as a host's name; no channel that is spoken on has one.

Source: service descriptions of PsEPR's pages (name, text; for each channel what is generated and heard,
with the least and greatest number of seconds between events).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsmt_core.channels import Channel, channel
from dsmt_core.errors import Invalid
from dsmt_core.events import ATTRIBUTE, ATTRIBUTE_TYPES, Event, check_text

SERVICE_DESCRIPTION: Final = "service-description"
USES: Final = 64
TEXT: Final = 1_000
NAME: Final = 255
LONGEST_S: Final = 366 * 86_400.0

_ANY: Final = "*"
_TEXT_PAIR: Final = "text"
_PARTS: Final = ("channel", "direction", "payload", "field", "least", "greatest")


class Direction(StrEnum):
    """What a service does on a channel."""

    GENERATES = "generates"
    HEARS = "hears"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a service says or hears on one channel.

    Attributes:
        channel: at or below it; a segment ``*`` is any one.
        direction: whether it speaks there or listens.
        payload: the type of what is said.
        field: the attribute's name; empty for any.
        least_s, greatest_s: seconds between two events of one instance about one thing; 0: not said.
    """

    channel: Channel
    direction: Direction = Direction.GENERATES
    payload: str = ATTRIBUTE
    field: str = ""
    least_s: float = 0.0
    greatest_s: float = 0.0

    def covers(self, event: Event) -> bool:
        """Whether it is an event of this kind that ``event`` is; how often it comes is left aside."""
        return self.includes(event.channel, event.field, event.payload)

    def includes(self, channel_: Channel, field: str, payload: str) -> bool:
        """The same for what an event says of itself."""
        return (
            self.direction is Direction.GENERATES
            and self.field in {"", field}
            and _same_type(self.payload, payload)
            and covers(self.channel, channel_)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a service says of itself."""

    service: str
    text: str = ""
    uses: tuple[Use, ...] = ()


def covers(pattern: Channel, channel_: Channel) -> bool:
    """Whether ``channel_`` is at or below ``pattern``, in which a segment ``*`` is any one."""
    if _ANY not in pattern:
        return channel_.startswith(pattern)
    words, said = pattern[1:-1].split("/"), channel_[1:-1].split("/")
    return len(said) >= len(words) and all(
        word in (_ANY, heard) for word, heard in zip(words, said, strict=False)
    )


def description_pairs(description: Description) -> dict[str, str]:
    """The attribute pairs in which a service describes itself.

    Raises:
        Invalid: the description is not legal.
    """
    pairs = {_TEXT_PAIR: description.text}
    for number, use in enumerate(description.uses, 1):
        values = (
            use.channel,
            str(use.direction),
            use.payload,
            use.field,
            f"{use.least_s:g}",
            f"{use.greatest_s:g}",
        )
        pairs |= {f"{part}.{number}": value for part, value in zip(_PARTS, values, strict=True)}
    # What is not legal is told to the sender.
    read_description(description.service, pairs)
    return pairs


def read_description(service: str, pairs: Mapping[str, str]) -> Description:
    """The inverse of `description_pairs`; pairs that are not known are left alone.

    Args:
        service: whose it is.
        pairs: ``text``, and for each channel ``channel.N`` with, if need be, ``direction.N`` (generates),
            ``payload.N`` (attribute), ``field.N`` (any), ``least.N`` and ``greatest.N`` (not said).

    Raises:
        Invalid: nothing is described, or a part is not legal; the message names it.
    """
    if not service or len(service) > NAME:
        raise Invalid(f"a service's name has 1 to {NAME} characters, not {len(service)}")
    numbers = [name.partition(".")[2] for name in pairs if name.startswith("channel.")]
    if not numbers:
        raise Invalid(
            f"the description of {service[:60]} names no channel",
            hint="channel.1=/com/example/pinger/ direction.1=generates field.1=round-trip",
        )
    if len(numbers) > USES:
        raise Invalid(f"the description of {service[:60]} names {len(numbers)} channels; at most {USES}")
    text = check_text(pairs.get(_TEXT_PAIR, ""), "the text of a description")
    if len(text) > TEXT:
        raise Invalid(f"the text of a description has at most {TEXT} characters, not {len(text)}")
    return Description(service=service, text=text, uses=tuple(_use(number, pairs) for number in numbers))


def pattern(text: str) -> Channel:
    """A channel of a description, in which any segment but the first may be ``*``.

    Raises:
        Invalid: it is none.
    """
    segments = text.split("/")
    if segments[1:2] == [_ANY]:
        raise Invalid(f"the channel {text[:80]!r} names no authority", hint="its first segment is not *")
    # With a letter for each star it must be a legal channel.
    channel("/".join("x" if segment == _ANY else segment for segment in segments))
    return Channel(text if text.endswith("/") else f"{text}/")


def _use(number: str, pairs: Mapping[str, str]) -> Use:
    told = {part: pairs.get(f"{part}.{number}", "") for part in _PARTS}
    for part, text in told.items():
        if len(text) > NAME + 1:
            raise Invalid(f"{part}.{number[:20]} of a description has more than {NAME} characters")
        check_text(text, f"{part}.{number[:20]} of a description")
    use = Use(
        channel=pattern(told["channel"]),
        direction=_direction(told["direction"]),
        payload=told["payload"] or ATTRIBUTE,
        field=told["field"],
        least_s=_seconds(told["least"], "least"),
        greatest_s=_seconds(told["greatest"], "greatest"),
    )
    if use.greatest_s and use.least_s > use.greatest_s:
        raise Invalid(
            f"on {use.channel} the least time between events, {use.least_s:g} s, is above the greatest, "
            f"{use.greatest_s:g} s"
        )
    return use


def _direction(text: str) -> Direction:
    try:
        return Direction(text or Direction.GENERATES)
    except ValueError:
        raise Invalid(f"{text[:40]!r} is not a direction", hint=f"it is {' or '.join(Direction)}") from None


def _seconds(text: str, what: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = -1.0
    # Written so that what is no number (NaN) is refused.
    if not 0 <= seconds <= LONGEST_S:
        raise Invalid(f"the {what} time between events, {text[:40]!r}, is not a number of seconds")
    return seconds


def _same_type(described: str, said: str) -> bool:
    return described == said or {described, said} <= ATTRIBUTE_TYPES
