"""Orders about a node itself, and what it answers."""

from __future__ import annotations

import pytest

from dsmt_core.channels import command_channel
from dsmt_core.commands import FOR_APPLICATIONS, Order, Verb, order_of, request_of
from dsmt_core.errors import Invalid
from dsmt_core.events import STATUS, Event, Sender
from dsmt_core.names import CONTAINER_MGR, Host, Slice
from dsmt_core.nodes import ProbeResult, probe_pairs, read_probe

HOST = Host("n1.example.org")


def event_of(order: Order, **changed: str) -> Event:
    channel = command_channel(order.slice, CONTAINER_MGR, order.host)
    pairs = order.pairs | changed
    return Sender("m", "planner", "b").event(
        channel, STATUS, now=1.0, id_="1", value=order.text, pairs=pairs
    )


def test_an_order_to_probe_carries_its_nonce() -> None:
    order = Order(verb=Verb.PROBE, host=HOST, slice=Slice("dsmt"), generation=0, nonce="abc")
    assert order.text == "PROBE,n1.example.org"
    assert order_of(event_of(order)) == order
    assert len(order_of(event_of(order, nonce="x" * 1000)).nonce) == 64


def test_an_order_about_the_period_carries_it_and_nothing_else_is_one() -> None:
    order = Order(verb=Verb.PACE, host=HOST, slice=Slice("dsmt"), generation=0, heartbeat_s=7.5)
    assert order.text == "PACE,n1.example.org"
    assert order_of(event_of(order)) == order
    for wrong in ("0", "-1", "inf", "nan", "soon"):
        with pytest.raises(Invalid, match="heartbeat is not a number of seconds"):
            order_of(event_of(order, heartbeat=wrong))


def test_nobody_asks_for_them_as_for_an_application() -> None:
    assert not {Verb.PROBE, Verb.PACE} & FOR_APPLICATIONS
    with pytest.raises(Invalid):
        request_of("PROBE,n1.example.org,pinger")


@pytest.mark.parametrize("reason", ["", "no space left on the device"])
def test_a_result_reads_as_it_was_written(reason: str) -> None:
    result = ProbeResult(nonce="abc", reason=reason, took_s=0.25)
    assert read_probe(probe_pairs(result)) == result
    assert result.passed is not bool(reason)


@pytest.mark.parametrize(
    "pairs", [{}, {"result": "maybe"}, {"result": "passed", "seconds": "soon"}], ids=str
)
def test_what_says_no_result_is_refused(pairs: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        read_probe(pairs)


def test_a_failure_without_a_reason_is_one_all_the_same() -> None:
    assert not read_probe({"result": "failed", "nonce": "abc"}).passed
