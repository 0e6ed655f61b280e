"""Every legal event, for property tests: what both codecs must carry unchanged."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.events import NAMES, Event

# XML 1.0, https://www.w3.org/TR/xml/#charsets
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
    lambda character: character >= " " or character in "\t\n\r"
)
texts = st.text(characters, max_size=40)
numbers = st.floats(0, 1e9) | st.integers(0, 10**9)
traceparents = st.builds(
    lambda trace, span, flags: f"00-{trace:032x}-{span:016x}-{flags:02x}",
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.integers(0, 255),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
extras = st.dictionaries(texts.filter(lambda name: name not in NAMES), values, max_size=2)
channels = st.sampled_from([Channel("/"), Channel("/a/b/"), Channel("/org/dsmt.x/n s%/<é>/")])


@st.composite
def events(draw: st.DrawFn) -> Event:
    """A legal event with everything that one can have."""
    to_service = draw(texts)
    return Event(
        channel=draw(channels),
        service=draw(texts),
        instance=draw(texts),
        boot_id=draw(texts),
        seq=draw(st.integers(1, 2**64 - 1)),
        id=draw(texts),
        sent_at=draw(numbers),
        payload=draw(texts),
        field=draw(texts),
        value=draw(texts),
        pairs=draw(st.dictionaries(texts, texts, max_size=6)),
        to_service=to_service,
        to_instance=draw(texts) if to_service else "",
        ttl=draw(numbers),
        expiry=draw(numbers),
        emit_rate=draw(numbers),
        schema=draw(st.sampled_from(["1.0", "1.7", "1.12"])),
        traceparent=draw(st.just("") | traceparents),
        extra=draw(extras),
    )
