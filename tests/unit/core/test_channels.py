"""Channels and their routing keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core import channels, names
from dsmt_core.channels import Channel
from dsmt_core.errors import Invalid

segments = st.text(
    st.characters(min_codepoint=0x20, exclude_characters="/\x7f\ufffe\uffff", exclude_categories=["Cs"]),
    min_size=1,
    max_size=12,
).filter(lambda text: text not in {"*", "#"})
legal = st.lists(segments, max_size=6).map(lambda parts: "".join(f"/{part}" for part in parts) + "/")


def test_the_guides_channel_has_the_documented_routing_key() -> None:
    channel = channels.channel(
        "/org/dsmt/ns/deployment/xyz1/org.dsmt.component.sliver-mgr/status/planetlab5.nbgisp.com/"
    )
    assert channels.routing_key(channel) == (
        "org.dsmt.ns.deployment.xyz1.org:dsmt:component:sliver-mgr.status.planetlab5:nbgisp:com"
    )


@given(legal)
def test_a_routing_key_gives_its_channel_back(text: str) -> None:
    channel = channels.channel(text)
    assert channels.channel_of(channels.routing_key(channel)) == channel


@given(legal, legal)
def test_two_channels_never_share_a_routing_key(left: str, right: str) -> None:
    keys = channels.routing_key(Channel(left)), channels.routing_key(Channel(right))
    assert (keys[0] == keys[1]) == (left == right)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/b/",
        "/a//b/",
        "/a/*/",
        "/#/",
        "/a/b\n/",
        "/a/\x00/",
        "/" + "x" * 256 + "/",
        "/a" * 40,
        "/" * 1_000_000,
        "/a\ud800/",
        "/\uffff/",
    ],
)
def test_an_illegal_channel_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(Invalid, match="channel"):
        channels.channel(text)


def test_a_missing_final_slash_is_added() -> None:
    assert channels.channel("/a/b") == "/a/b/"


def test_a_lease_binds_everything_at_or_below() -> None:
    assert channels.binding_key(channels.channel("/a/b/")) == "a.b.#"
    assert channels.binding_key(channels.ROOT) == "#"
    assert channels.binding_key(channels.channel("/a/"), "failed") == "a.#.failed"


def test_the_longest_names_still_fit_into_a_routing_key() -> None:
    host = names.host("h" * names.HOST_BYTES)
    slice_ = names.slice_name("s" * names.SLICE_BYTES)
    channel = channels.status_channel(slice_, names.DEPLOYMENT_AGENT, host)
    assert channels.channel(channel) == channel
    assert channels.routing_key(channel, "instantiated")
