"""The term of a lease: granted, looked after in time, and over without a success."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.term import Term
from dsmt_core.errors import Invalid
from dsmt_core.leases import RENEW_AT, Op

SECONDS = st.floats(0.01, 1e6)


@given(SECONDS, SECONDS, SECONDS)
def test_granted_is_what_is_asked_at_most_and_looked_after_before_four_fifths_are_over(
    asked: float, most: float, renew: float
) -> None:
    term = Term("lease.u.1", asked, most_s=most, renew_s=renew, payload="urn:x")
    assert term.granted_s == min(asked, most)
    assert 0 < term.pause_s <= min(renew, RENEW_AT * term.granted_s)
    assert (term.grant.op, term.grant.identifier, term.grant.payload) == (Op.LEASE, "lease.u.1", "urn:x")


@pytest.mark.parametrize("asked", [0.0, -1.0, math.inf, -math.inf, math.nan])
def test_what_is_no_duration_is_refused(asked: float) -> None:
    with pytest.raises(Invalid):
        Term("lease.u.1", asked, most_s=10.0, renew_s=5.0)


def test_a_term_is_over_when_nothing_has_renewed_it() -> None:
    term = Term("lease.u.1", 10.0, most_s=60.0, renew_s=5.0)
    assert term.left_s(1e9) == math.inf
    term.renew(100.0)
    assert (term.left_s(104.0), term.left_s(110.0), term.left_s(200.0)) == (6.0, 0.0, 0.0)
    term.renew(105.0)
    assert term.left_s(110.0) == 5.0
