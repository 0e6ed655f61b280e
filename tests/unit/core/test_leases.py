"""The lease payload: what is asked, granted and refused, word by word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.channels import Channel
from dsmt_core.errors import Invalid
from dsmt_core.events import (
    Event,
    Sender,
)
from dsmt_core.leases import DURATION_S, LEASE, Lease, Op, lease_of


def event(**more: Any) -> Event:
    made = Sender("s", "n1/agent", "b").event(Channel("/a/"), "f", now=1.5, id_="i")
    return replace(made, **more)


def message(call: Any, *arguments: Any) -> tuple[str, str]:
    """What is refused, and the hint."""
    with pytest.raises(Invalid) as refused:
        call(*arguments)
    return refused.value.message, refused.value.hint


def asked(**pairs: str) -> Event:
    return event(payload=LEASE, pairs=pairs)


def test_a_lease_is_written_and_read() -> None:
    lease = Lease(op=Op.REGISTER, identifier="me", duration=12.5)
    pairs = {"op": "register", "identifier": "me", "duration": "12.500000"}
    assert lease.pairs == pairs
    assert lease_of(asked(**pairs)) == lease
    typed = replace(lease, payload="http://e.org/x")
    assert typed.pairs == pairs | {"type": "http://e.org/x"}
    assert lease_of(asked(**typed.pairs)) == typed
    assert lease_of(replace(asked(**pairs), payload="http://psepr.org/xs/payload/lease")) == lease
    short = lease_of(asked(op="unregister", identifier="i" * 255))
    assert short == Lease(op=Op.UNREGISTER, identifier="i" * 255, duration=DURATION_S)
    assert (short.duration, short.payload) == (3600.0, "")


def test_of_what_is_asked_for_so_much_is_granted_and_renewed_in_time() -> None:
    lease = Lease(op=Op.REGISTER, identifier="me", duration=100.0, payload="http://e.org/x")
    granted = Lease(op=Op.LEASE, identifier="me", duration=60.0, payload="http://e.org/x")
    assert lease.granted(60.0) == granted
    assert lease.granted(200.0) == replace(granted, duration=100.0)
    assert granted.renew_at(1000.0) == 1048.0


DURATION = "is not a number of seconds above 0"


@pytest.mark.parametrize(
    ("pairs", "refused"),
    [
        ({"op": "register"}, ("the lease's identifier is not 1 to 255 characters", "")),
        (
            {"op": "register", "identifier": "i" * 256},
            ("the lease's identifier is not 1 to 255 characters", ""),
        ),
        ({"identifier": "me"}, ("'' is not asked of a lease", "one of register, unregister, lease")),
        (
            {"identifier": "me", "op": "o" * 41},
            (f"'{'o' * 40}' is not asked of a lease", "one of register, unregister, lease"),
        ),
        *(
            (
                {"identifier": "me", "op": "lease", "duration": text},
                (f"the lease's duration {text[:40]!r} {DURATION}", ""),
            )
            for text in ("0", "0.0", "-1", "1e3", "inf", "1" * 41, "1.")
        ),
    ],
)
def test_what_is_no_lease_is_refused(pairs: dict[str, str], refused: tuple[str, str]) -> None:
    assert message(lease_of, asked(**pairs)) == refused


def test_another_payload_is_no_lease() -> None:
    odd = event(payload="p" * 81)
    assert message(lease_of, odd) == (f"the payload '{'p' * 80}' is not a lease", f"its type is {LEASE}")
