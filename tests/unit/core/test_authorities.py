"""How an authority is named, and why a certificate is not taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.authorities import (
    as_pem,
    certificates,
    chosen,
    distrusted,
    fingerprint,
    fingerprint_of,
    invitation,
    is_fingerprint,
    parted,
)
from dsmt_core.errors import Denied, Invalid, Unavailable

DIGITS = "0123456789abcdef" * 4


@given(st.lists(st.binary(min_size=1, max_size=700), min_size=1, max_size=4))
def test_certificates_come_back_from_their_text(ders: list[bytes]) -> None:
    assert certificates("Subject: somebody\n" + as_pem(ders)) == ders


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----"])
def test_what_holds_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no certificate"):
        certificates(text)


def test_a_fingerprint_may_be_typed_as_openssl_shows_it() -> None:
    shown = ":".join(DIGITS[at : at + 2].upper() for at in range(0, 64, 2))
    assert fingerprint_of(f"SHA256:{shown}") == f"sha256:{DIGITS}"


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:12", "sha1:" + DIGITS, "sha256:" + "x" * 64, DIGITS]
)
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no fingerprint"):
        fingerprint_of(text)


def test_the_certificate_of_a_fingerprint_is_found_among_others() -> None:
    pem = as_pem([b"one", b"two"])
    assert chosen(pem, fingerprint(b"two")) == b"two"
    with pytest.raises(Denied, match="another authority") as told:
        chosen(pem, fingerprint(b"three"))
    assert fingerprint(b"one") in str(told.value)


@given(st.text("abcXYZ019_-", min_size=1), st.sampled_from(["", f"sha256:{DIGITS}"]))
def test_an_invitation_is_taken_apart_as_it_was_made(token: str, authority: str) -> None:
    assert parted(invitation(token, authority)) == (token, authority)


def test_an_invitation_that_was_cut_is_refused() -> None:
    with pytest.raises(Invalid, match="no fingerprint"):
        parted(f"token@sha256:{DIGITS[:-1]}")


def test_a_file_is_no_fingerprint() -> None:
    assert not is_fingerprint("/etc/dsmt/authority.pem")


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (9, Unavailable, "not valid yet, by the clock of this machine, which says NOW"),
        (10, Unavailable, "has ended, by the clock"),
        (18, Denied, "no authority that is trusted"),
        (20, Denied, "no authority that is trusted"),
        (26, Denied, "not of a server"),
        (62, Denied, "of another host: WHY"),
        (64, Denied, "of another host: WHY"),
    ],
)
def test_each_cause_is_told_in_its_own_words(code: int, kind: type[Exception], said: str) -> None:
    error = distrusted(code, "WHY.", "HOST", "NOW")
    assert isinstance(error, kind)
    assert said in str(error)
    assert error.hint
