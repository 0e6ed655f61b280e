"""A broker's URL with one host or several; no error shows a password."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.address import (
    Endpoint,
    Sample,
    Turns,
    endpoints,
    event_bytes,
    parse,
    places,
    with_authority,
    with_event_bytes,
)
from broker.limits import EVENT_BYTES_LEAST, EVENT_BYTES_MOST, Limits
from dsmt_core.errors import Invalid

SECRET = "s3cr3t-word"


def _luck(seed: int) -> Sample:
    return random.Random(seed).sample  # noqa: S311 - a test's luck is to be the same each time


def test_one_url_names_a_whole_cluster() -> None:
    address = parse("amqp://node:p%40ss@mq1:5673,mq2.example.org,[::1]:5674/dsmt?heartbeat=5")
    assert address.user == "node"
    assert address.endpoints == (
        Endpoint("mq1", 5673),
        Endpoint("mq2.example.org", 5672),
        Endpoint("::1", 5674),
    )
    assert address.places == "mq1:5673, mq2.example.org:5672, [::1]:5674"
    assert address.url(address.endpoints[2]) == "amqp://node:p%40ss@[::1]:5674/dsmt?heartbeat=5"


def test_with_tls_the_usual_port_is_another() -> None:
    assert parse("amqps://u:p@mq1,mq2/").endpoints == (Endpoint("mq1", 5671), Endpoint("mq2", 5671))


@given(st.binary(min_size=1, max_size=2_000), st.sampled_from(["", "&event_bytes=5000", "&heartbeat=5"]))
def test_the_authority_travels_with_the_url_and_is_no_option_of_the_client(
    certificate: bytes, more: str
) -> None:
    url = with_authority("amqps://u:p@mq1,mq2/dsmt", certificate) + more
    address = parse(event_bytes(url)[0])
    assert address.authority == certificate
    assert address.url(address.endpoints[1]) == (
        "amqps://u:p@mq2:5671/dsmt" + ("?heartbeat=5" if "heart" in more else "")
    )
    assert "authority" not in f"{address!r} {places(url)}"


@pytest.mark.parametrize(
    "url",
    [
        f"amqp://u:{SECRET}@mq/dsmt?authority=AAAA",
        f"amqps://u:{SECRET}@mq/dsmt?authority=",
        f"amqps://u:{SECRET}@mq/dsmt?authority=A",
        f"amqps://u:{SECRET}@mq/dsmt?authority=%2FA",
        f"amqps://u:{SECRET}@mq/dsmt?authority=\u00e9\u00e9",
        f"amqps://u:{SECRET}@mq/dsmt?authority={'A' * 20_000}",
    ],
)
def test_an_authority_that_is_none_or_of_no_use_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as told:
        parse(url)
    assert "authority" in str(told.value)
    assert SECRET not in f"{told.value} {told.value.hint}"


def test_no_text_of_an_address_shows_the_password() -> None:
    address = parse(f"amqp://u:{SECRET}@mq1,mq2/x")
    assert SECRET not in f"{address} {address!r} {address.places}"


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ("mq1,,mq2", "host 2 is empty"),
        ("mq1,", "host 2 is empty"),
        (":5672", "host 1 is empty"),
        ("mq1:0", "port of host 1"),
        ("mq1,mq2:65536", "port of host 2"),
        ("mq1:amqp", "port of host 1"),
        ("mq1:", "port of host 1"),
        ("mq1:\u0665", "port of host 1"),
        ("[::1", "host 1 is not an IPv6"),
        ("[mq1]:5672", "host 1 is not an IPv6"),
        ("[::1]5672", "port of host 1"),
        ("::1", "host 1 is empty"),
        ("fe80::1", "several colons"),
        ("mq1, mq2", "a space"),
        ("mq1\n", "a line break"),
        ("m$q", "not the name of a host"),
        ("-mq", "not the name of a host"),
        ("x" * 256, "not the name of a host"),
        (",".join(["mq"] * 33), "33 hosts"),
    ],
)
def test_what_is_wrong_is_told_by_its_place_without_the_password(places: str, said: str) -> None:
    with pytest.raises(Invalid) as told:
        parse(f"amqp://u:{SECRET}@{places}/vhost")
    assert said in str(told.value)
    assert SECRET not in f"{told.value} {told.value.hint}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"http://u:{SECRET}@mq/", "neither amqp://"),
        (f"u:{SECRET}@mq", "neither amqp://"),
        ("amqp://mq/", "no user"),
        (f"amqp://:{SECRET}@mq/", "no user"),
        ("amqp://u@mq/", "without a password"),
        (f"amqp://u:{SECRET}/x@mq/", "not encoded"),
        (f"amqp://u:x@{SECRET}/x@mq/v", "not encoded"),
        (f"amqp://u:{SECRET}?x@mq/", "not encoded"),
        (f"amqp://u:{SECRET}#x@mq/", "not encoded"),
        (f"amqp://u:{SECRET}@mq/a/b", "virtual host"),
    ],
)
def test_a_url_of_another_form_is_refused_without_the_password(url: str, said: str) -> None:
    with pytest.raises(Invalid) as told:
        parse(url)
    assert said in str(told.value)
    assert SECRET not in f"{told.value} {told.value.hint}"


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_told_to_be_none(text: str) -> None:
    for url in (text, f"amqp://{text}", f"amqp://u:p@{text}/v"):
        try:
            address = parse(url)
        except Invalid:
            continue
        assert address.endpoints
        assert all(parse(address.url(one)).endpoints == (one,) for one in address.endpoints)


@given(st.integers(1, 8), st.integers())
def test_every_round_tries_each_place_once_in_an_order_of_its_own(count: int, seed: int) -> None:
    places = endpoints(",".join(f"mq{number}" for number in range(count)))
    turns = Turns(places, _luck(seed))
    for _ in range(3):
        tried: list[Endpoint] = []
        while not tried or not turns.over:
            tried.append(turns.next())
        assert sorted(tried, key=str) == sorted(places, key=str)


def test_many_clients_begin_at_different_hosts() -> None:
    places = endpoints("mq1,mq2,mq3")
    begun = [Turns(places, _luck(seed)).next() for seed in range(300)]
    assert all(60 < begun.count(place) < 140 for place in places)


def test_a_round_that_is_begun_anew_forgets_the_rest_of_the_last() -> None:
    turns = Turns(endpoints("mq1,mq2,mq3"), _luck(1))
    turns.next()
    assert not turns.over
    turns.begin()
    assert turns.over


@pytest.mark.parametrize(
    ("url", "left", "number"),
    [
        ("amqp://u:p@mq1/v", "amqp://u:p@mq1/v", None),
        ("amqp://u:p@mq1/v?event_bytes=70000", "amqp://u:p@mq1/v", 70_000),
        ("amqp://u:p@mq1/v?heartbeat=5&event_bytes=70000", "amqp://u:p@mq1/v?heartbeat=5", 70_000),
        ("amqp://u:p@mq1/v?event_bytes=1&event_bytes=70000", "amqp://u:p@mq1/v", 70_000),
        ("memory://u@w?event_bytes=70000", "memory://u@w", 70_000),
    ],
)
def test_how_large_an_event_may_be_travels_with_the_url(url: str, left: str, number: int | None) -> None:
    assert event_bytes(url) == (left, number)
    assert event_bytes(with_event_bytes(url, 90_000)) == (left, number or 90_000)
    assert "event_bytes" not in places(url)


@pytest.mark.parametrize("number", ["", "-1", "1e6", "x", SECRET, "1" * 11])
def test_a_size_that_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(Invalid, match="event_bytes are not a whole number") as refused:
        event_bytes(f"amqp://u:{SECRET}@mq1/v?event_bytes={number}")
    assert SECRET not in f"{refused.value}{refused.value.hint}"


def test_a_size_that_other_bounds_have_no_room_for_is_refused() -> None:
    for number in (EVENT_BYTES_LEAST, EVENT_BYTES_MOST):
        assert Limits(event_bytes=number).event_bytes == number
    for number in (0, EVENT_BYTES_LEAST - 1, EVENT_BYTES_MOST + 1):
        with pytest.raises(Invalid, match=f"event_bytes is {number}"):
            Limits(event_bytes=number)
