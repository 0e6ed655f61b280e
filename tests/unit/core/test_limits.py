"""Limits of slivers: as people write them, as an order carries them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.commands import Order, Verb
from dsmt_core.errors import Invalid
from dsmt_core.limits import NO_LIMITS, Limits, Network, changed, limits_of, shown_size, size
from dsmt_core.names import Host, Slice

ANY = st.builds(
    Limits,
    memory=st.just(0) | st.integers(4 << 20, 1 << 50),
    cpu=st.just(0.0) | st.floats(0.01, 4096.0),
    processes=st.just(0) | st.integers(4, 1 << 22),
    disk=st.just(0) | st.integers(1 << 20, 1 << 60),
    files=st.just(0) | st.integers(16, 1 << 20),
    network=st.sampled_from(Network),
)


@given(ANY)
def test_what_an_order_carries_is_read_back(limits: Limits) -> None:
    read = limits_of(limits.text)
    assert read.cpu == pytest.approx(limits.cpu, rel=1e-9)
    assert (read.memory, read.disk) == (limits.memory, limits.disk)
    assert (read.processes, read.files, read.network) == (limits.processes, limits.files, limits.network)
    assert len(limits.text) <= 200
    assert (limits.text == "") == (limits == NO_LIMITS)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("256M", 256 << 20),
        ("1.5G", 3 << 29),
        ("4096", 4096),
        ("8k", 8192),
        ("2TiB", 2 << 40),
        (" 1GB ", 1 << 30),
        ("0", 0),
    ],
)
def test_sizes_are_read(text: str, amount: int) -> None:
    assert size(text) == amount


@pytest.mark.parametrize("text", ["", "M", "-1", "1e9", "256 M", "nan", "12X", "1..5G", "٣M"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="not a size"):
        size(text)


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (1023, "1023"), (1536, "1.5K"), (256 << 20, "256M"), (5 << 40, "5T")]
)
def test_sizes_are_shown(amount: int, text: str) -> None:
    assert shown_size(amount) == text


@pytest.mark.parametrize(
    ("name", "value", "fields"),
    [
        ("memory", "256M", {"memory": 256 << 20}),
        ("cpu", "0.5", {"cpu": 0.5}),
        ("processes", "100", {"processes": 100}),
        ("disk", "1G", {"disk": 1 << 30}),
        ("files", "1024", {"files": 1024}),
        ("network", "none", {"network": Network.NONE}),
        ("memory", "0", {"memory": 0}),
    ],
)
def test_one_limit_is_changed(name: str, value: str, fields: dict[str, Any]) -> None:
    before = Limits(memory=1 << 30, cpu=2.0)
    expected = Limits(**{"memory": 1 << 30, "cpu": 2.0, **fields})
    assert changed(before, name, value) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory", "1K"),
        ("cpu", "-1"),
        ("cpu", "nan"),
        ("cpu", "inf"),
        ("cpu", "half"),
        ("cpu", "99999"),
        ("processes", "1"),
        ("files", "3"),
        ("disk", "12"),
        ("network", "wifi"),
        ("colour", "1"),
    ],
)
def test_what_cannot_be_a_limit_is_refused(name: str, value: str) -> None:
    with pytest.raises(Invalid):
        changed(NO_LIMITS, name, value)


def test_limits_that_are_not_known_here_are_left_out_and_a_network_that_is_not_is_refused() -> None:
    assert limits_of("memory=8388608 gpus=2") == Limits(memory=8 << 20)
    with pytest.raises(Invalid):
        limits_of("network=vpn")


def test_limits_are_said_in_words() -> None:
    assert NO_LIMITS.words == "none"
    limits = Limits(memory=256 << 20, cpu=0.5, processes=100, network=Network.OWN)
    assert limits.words == "cpu 0.5, memory 256M, processes 100, network own"
    assert limits.text == "cpu=0.5 memory=268435456 processes=100 network=own"
    assert Limits(network=Network.NONE).text == "network=none"


def test_only_an_order_that_makes_a_sliver_carries_them() -> None:
    order = Order(
        verb=Verb.CREATE, host=Host("a"), slice=Slice("s"), generation=1, limits=Limits(processes=10)
    )
    assert order.pairs["limits"] == "processes=10"
    plain = Order(verb=Verb.CREATE, host=Host("a"), slice=Slice("s"), generation=1)
    assert "limits" not in plain.pairs


def test_a_number_that_is_none_is_no_limit() -> None:
    with pytest.raises(Invalid):
        Limits(cpu=math.nan)
