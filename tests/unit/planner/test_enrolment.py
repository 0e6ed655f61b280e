"""Which node an invitation lets in, who has shown a key, and when two machines have the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from agents.container_manager.own_key import OwnKey
from dsmt_core.enrolment import statement
from dsmt_core.errors import Denied, Invalid
from dsmt_core.names import Account, Host
from dsmt_core.signing import in_text
from planner.authority.invitations import USES_MOST, Invited, legal_hosts, legal_uses, refusal
from planner.authority.node_keys import Lives, check

ME, N1 = Account("me@example.com"), Host("n1.example.org")
SAID = {"host": N1, "boot_id": "b", "claim": "c", "token": "t", "key": "k"}


@pytest.mark.parametrize(
    ("invited", "why"),
    [
        (None, "of an invitation of this planner"),
        (Invited(ME, 5.0), "still holds"),
        (Invited(ME, 5.1, uses=0), "as many nodes"),
        (Invited(ME, 5.1, uses=1, hosts="*.example.com"), "for hosts like"),
        (Invited(ME, 5.1, uses=1, hosts="n2*"), "for hosts like"),
    ],
)
def test_what_does_not_let_in_says_why(invited: Invited | None, why: str) -> None:
    refused = refusal(invited, N1, 5.0)
    assert why in str(refused)
    assert refused is not None
    assert "dsmtc nodes invite" in refused.hint


@pytest.mark.parametrize("hosts", ["", "*", "*.example.org", "n?.example.org", N1])
@pytest.mark.parametrize("uses", [None, 1, 7])
def test_what_holds_lets_in(uses: int | None, hosts: str) -> None:
    assert refusal(Invited(ME, 5.1, uses=uses, hosts=hosts), N1, 5.0) is None


def test_what_is_no_number_or_pattern_is_refused() -> None:
    assert [legal_uses(uses) for uses in (None, 0, 1, USES_MOST)] == [None, None, 1, USES_MOST]
    for uses in (-1, USES_MOST + 1):
        with pytest.raises(Invalid):
            legal_uses(uses)
    assert legal_hosts("*.tokyo-1.example.org") == "*.tokyo-1.example.org"
    for pattern in ("A*", "a b", "[a-z]", "x" * 201, "ä"):
        with pytest.raises(Invalid):
            legal_hosts(pattern)


def test_a_key_is_made_once_and_shows_that_it_is_there(tmp_path: Path) -> None:
    key = OwnKey(tmp_path)
    assert OwnKey(tmp_path).public == key.public
    assert (tmp_path / "node.key").stat().st_mode & 0o777 == 0o600
    said = statement("challenge", SAID)
    check(key.public, said, key.sign(said))
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(Denied, match="not of the key"):
        check(OwnKey(other).public, said, key.sign(said))


@given(st.sampled_from(["challenge", *SAID]), st.text(max_size=8))
def test_a_signature_is_for_what_was_said_alone(name: str, other: str) -> None:
    challenge = other if name == "challenge" else "challenge"
    changed = {**SAID, name: other} if name in SAID else SAID
    same = (challenge, changed) == ("challenge", SAID)
    assert (statement(challenge, changed) == statement("challenge", SAID)) is same


def test_words_do_not_run_into_each_other() -> None:
    assert statement("a", {**SAID, "host": "bc"}) != statement("ab", {**SAID, "host": "c"})
    assert statement("a", {**SAID, "claim": 'x","y'}) != statement("a", {**SAID, "claim": "x"})


@pytest.mark.parametrize("key", ["", "AAAA", "no base64", "ä"])
def test_what_is_no_key_shows_nothing(key: str) -> None:
    with pytest.raises(Denied):
        check(key, b"said", "AAAA")


def test_a_key_of_another_kind_is_refused() -> None:
    made = ec.generate_private_key(ec.SECP256R1())
    der = made.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(Denied):
        check(in_text(der), b"said", in_text(made.sign(b"said", ec.ECDSA(hashes.SHA256()))))


@pytest.mark.parametrize("content", ["", "rubbish"])
def test_a_key_file_that_is_none_is_told_and_left(tmp_path: Path, content: str) -> None:
    (tmp_path / "node.key").write_text(content)
    with pytest.raises(Invalid, match="holds no key"):
        OwnKey(tmp_path)
    assert (tmp_path / "node.key").read_text() == content


def test_a_machine_that_starts_anew_is_no_copy_but_one_that_comes_back_is() -> None:
    lives = Lives()
    assert not any(lives.is_twofold(N1, life) for life in ("a", "a", "b", "b", "c"))
    assert lives.is_twofold(N1, "b")
    assert not lives.is_twofold(N1, "b")
    assert lives.is_twofold(N1, "c")
    assert not lives.is_twofold(Host("n2"), "a")
    lives.forget(N1)
    assert not lives.is_twofold(N1, "a")


def test_lives_of_a_machine_are_bounded() -> None:
    lives = Lives()
    assert not any(lives.is_twofold(N1, f"life {number}") for number in range(100))
    assert not lives.is_twofold(N1, "life 0")
    assert lives.is_twofold(N1, "life 99")
