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
from planner.authority.node_certificates import LASTS_S, NONE, Certified, is_due
from planner.authority.node_keys import check, lived

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


def twofold(*joins: str) -> list[bool]:
    """Of joins with these lives: of which ones it was noticed that there are two machines."""
    lives: tuple[str, ...] = ()
    found = []
    for life in joins:
        lives, is_twofold = lived(lives, life)
        found.append(is_twofold)
    return found


def test_a_machine_that_starts_anew_is_no_copy_but_one_that_comes_back_is() -> None:
    assert not any(twofold("a", "a", "b", "b", "c"))
    assert twofold("a", "b", "c", "b", "b", "c", "a") == [False, False, False, True, False, True, True]


def test_lives_of_a_machine_are_bounded() -> None:
    many = [f"life {number}" for number in range(100)]
    assert not any(twofold(*many, "life 0"))
    assert twofold(*many, "life 93")[-1]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_one_machine_however_it_restarts_is_never_taken_for_two(restarts: list[int]) -> None:
    joins = [f"start {number}" for number, times in enumerate(restarts) for _ in range(times)]
    assert not any(twofold(*joins))


@given(st.integers(1, 4), st.integers(1, 4))
def test_two_that_go_on_are_noticed_with_the_second_word_of_either(first: int, second: int) -> None:
    assert twofold(*["a"] * first, *["b"] * second, "a")[-1]


DAY_S = 86_400.0
GIVEN = Certified("sha256:x", 40 * DAY_S)


@pytest.mark.parametrize(
    ("known", "held", "day", "due"),
    [
        (NONE, "", 10, True),
        (NONE, "sha256:x", 10, True),
        (GIVEN, "sha256:x", 10, False),
        (GIVEN, "sha256:x", 24.9, False),
        (GIVEN, "sha256:x", 25, True),
        (GIVEN, "sha256:x", 400, True),
        # Lost with the disk, or brought back from a copy.
        (GIVEN, "", 11, True),
        (GIVEN, "sha256:y", 11, True),
        # The planner's clock was put back: by little, and by much.
        (GIVEN, "sha256:x", 9.5, False),
        (GIVEN, "sha256:x", 3, True),
    ],
)
def test_a_certificate_is_given_before_its_end(
    known: Certified, held: str, day: float, *, due: bool
) -> None:
    assert GIVEN.ends - LASTS_S == 10 * DAY_S
    assert is_due(known, held, day * DAY_S) is due


@given(st.text(min_size=1, max_size=5), st.text(max_size=5))
def test_who_asks_for_certificates_signs_that(slivers_key: str, held: str) -> None:
    asked = {**SAID, "slivers_key": slivers_key, "certificate": held}
    assert statement("challenge", asked) != statement("challenge", SAID)
    assert statement("challenge", asked) != statement("challenge", {**asked, "slivers_key": "other key"})
    # Those of before say nothing of it, and what they sign is what it was.
    bare = {**SAID, "slivers_key": "", "certificate": ""}
    assert statement("challenge", bare) == statement("challenge", SAID)
