"""When the planner speaks TLS, and when its certificate is made anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from planner.tls.deciding import LASTS_S, Way, Wish, is_due, is_everywhere, is_loopback, way

LOOPBACK = ("127.0.0.1", "127.8.8.8", "::1", "localhost")
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens here
OUTSIDE = (EVERYWHERE, "::", "10.0.0.7", "planner.example.org", "128.127.0.1")


@pytest.mark.parametrize("host", LOOPBACK)
def test_on_loopback_it_is_plain_unless_tls_is_asked_for(host: str) -> None:
    for known in (False, True):
        assert way(host, Wish(), has_authority=known) is Way.PLAIN
        assert way(host, Wish(insecure=True), has_authority=known) is Way.PLAIN
        assert way(host, Wish(tls=True), has_authority=known) is Way.TLS


@pytest.mark.parametrize("host", OUTSIDE)
def test_where_others_hear_it_it_is_tls_unless_somebody_says_otherwise(host: str) -> None:
    assert way(host, Wish(), has_authority=True) is Way.TLS
    assert way(host, Wish(insecure=True), has_authority=True) is Way.INSECURE
    assert way(host, Wish(tls=True), has_authority=False) is Way.TLS


def test_an_installation_of_before_goes_on_as_it_was() -> None:
    assert way(EVERYWHERE, Wish(), has_authority=False) is Way.OF_BEFORE


def test_both_at_once_is_refused() -> None:
    with pytest.raises(Invalid, match="opposites"):
        way("127.0.0.1", Wish(tls=True, insecure=True), has_authority=True)


def test_addresses_are_told_apart() -> None:
    assert all(map(is_loopback, LOOPBACK))
    assert not any(map(is_loopback, OUTSIDE))
    assert [host for host in OUTSIDE if is_everywhere(host)] == [EVERYWHERE, "::"]


@given(st.floats(0, 1))
def test_a_certificate_is_renewed_in_the_last_third_of_its_time(part: float) -> None:
    due = is_due(1000.0, 1000.0 + LASTS_S, 1000.0 + part * LASTS_S)
    if part < 0.66:
        assert not due
    if part > 0.67:
        assert due


def test_a_certificate_of_the_future_or_past_is_due() -> None:
    assert is_due(1000.0, 2000.0, 999.0)
    assert is_due(1000.0, 2000.0, 3000.0)
