"""Services describe themselves: what is written is read back, and what is not legal is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.errors import Invalid
from dsmt_core.events import ATTRIBUTE, Event
from dsmt_core.services import (
    USES,
    Description,
    Direction,
    Use,
    covers,
    description_pairs,
    read_description,
)

PINGER = Channel("/com/example/pinger/")
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=30)
SECONDS = st.integers(0, 100_000).map(float)


@st.composite
def uses(draw: st.DrawFn) -> Use:
    words = draw(st.lists(st.sampled_from(["a", "b.c", "*", "d:%"]), max_size=4))
    least, more = draw(SECONDS), draw(SECONDS)
    return Use(
        channel=Channel("/" + "/".join(["com", *words]) + "/"),
        direction=draw(st.sampled_from(Direction)),
        payload=draw(TEXT) or ATTRIBUTE,
        field=draw(TEXT),
        least_s=least,
        greatest_s=draw(st.sampled_from([0.0, least + more])),
    )


def said(channel: str, field: str = "round-trip", **more: Any) -> Event:
    return Event(
        **{
            "channel": Channel(channel), "field": field, "service": "pinger", "instance": "n1",
            "boot_id": "b", "seq": 1, "id": "1", "sent_at": 1.0, **more,
        }
    )  # fmt: skip


@given(TEXT.filter(bool), TEXT, st.lists(uses(), min_size=1, max_size=5))
def test_what_is_described_is_read_back(service: str, text: str, some: list[Use]) -> None:
    description = Description(service=service, text=text, uses=tuple(some))
    read = read_description(service, description_pairs(description) | {"unknown": "kept out"})
    assert read.text == text
    # Six digits of a number of seconds travel.
    for mine, theirs in zip(description.uses, read.uses, strict=True):
        assert mine.least_s == pytest.approx(theirs.least_s, rel=1e-4)
        assert (mine.channel, mine.field, mine.payload, mine.direction) == (
            theirs.channel, theirs.field, theirs.payload, theirs.direction,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ({}, "names no channel"),
        ({"channel.1": "nonsense"}, "does not begin with /"),
        ({"channel.1": "/*/a/"}, "names no authority"),
        ({"channel.1": "/a/#/"}, "wildcard"),
        ({"channel.1": "/a/", "direction.1": "shouts"}, "is not a direction"),
        ({"channel.1": "/a/", "least.1": "soon"}, "is not a number of seconds"),
        ({"channel.1": "/a/", "least.1": "nan"}, "is not a number of seconds"),
        ({"channel.1": "/a/", "greatest.1": "-1"}, "is not a number of seconds"),
        ({"channel.1": "/a/", "least.1": "9", "greatest.1": "3"}, "is above the greatest"),
        ({"channel.1": "/a/", "field.1": "x" * 300}, "more than 255 characters"),
        ({"channel.1": "/a/", "text": "x" * 1_001}, "at most 1000 characters"),
        ({f"channel.{number}": "/a/" for number in range(USES + 1)}, "at most 64"),
        ({"channel.1": "/a/", "field.1": "\x00"}, "not legal"),
    ],
)
def test_a_description_that_is_not_legal_says_why(pairs: dict[str, str], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read_description("pinger", pairs)


def test_a_service_has_a_name() -> None:
    with pytest.raises(Invalid, match="name has"):
        read_description("", {"channel.1": "/a/"})


def test_what_is_not_legal_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Invalid, match="is above the greatest"):
        description_pairs(Description(service="a", uses=(Use(channel=PINGER, least_s=2, greatest_s=1),)))


def test_a_channel_covers_what_is_below_it_and_a_star_is_any_one_segment() -> None:
    assert covers(PINGER, Channel("/com/example/pinger/n1/"))
    assert not covers(PINGER, Channel("/com/example/pingers/"))
    starred = Channel("/org/dsmt/*/status/")
    assert covers(starred, Channel("/org/dsmt/xyz1/status/n1/"))
    assert not covers(starred, Channel("/org/dsmt/xyz1/command/"))
    assert not covers(starred, Channel("/org/dsmt/xyz1/"))


def test_a_use_covers_events_by_field_and_type_and_only_what_is_said() -> None:
    use = Use(channel=PINGER, field="round-trip")
    assert use.covers(said("/com/example/pinger/n1/"))
    assert use.covers(said("/com/example/pinger/", payload="http://psepr.org/xs/payload/attribute"))
    assert not use.covers(said("/com/example/pinger/", "other"))
    assert not use.covers(said("/com/example/pinger/", payload="http://example.com/mine"))
    assert not Use(channel=PINGER, direction=Direction.HEARS).covers(said("/com/example/pinger/"))
    assert Use(channel=PINGER).covers(said("/com/example/pinger/", "anything"))
