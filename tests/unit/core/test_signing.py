"""What is signed of an order, who is believed, and when an order is too old."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import command_channel
from dsmt_core.ed25519 import Signer, verify
from dsmt_core.errors import Denied, Invalid
from dsmt_core.events import STATUS, Event, Sender
from dsmt_core.names import CONTAINER_MGR, Host, Slice
from dsmt_core.signing import (
    FRESH_S,
    SESSION,
    SIGNATURE,
    SIGNED_AT,
    SIGNED_BY,
    HandOver,
    PublicKey,
    fingerprint,
    hand_over,
    hand_overs,
    in_text,
    key_id,
    order_content,
    out_of_text,
    pinned,
    public_key,
    refusal,
    taken_over,
)

ONE, TWO, THREE = Signer(b"1" * 32), Signer(b"2" * 32), Signer(b"3" * 32)
NOW = 1_000_000.0
WORDS = st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=6), max_size=4)


def event(value: str = "CREATE,h.example,s", **pairs: str) -> Event:
    channel = command_channel(Slice("s"), CONTAINER_MGR, Host("h.example"))
    return Sender("x", "planner", "b").event(channel, STATUS, now=NOW, id_="i", value=value, pairs=pairs)


def signed(by: Signer = ONE, *, at: float = NOW, session: str = "", **pairs: str) -> Event:
    more = {SIGNED_BY: key_id(by.public), SIGNED_AT: repr(at)} | ({SESSION: session} if session else {})
    unsigned = event(**pairs, **more)
    return replace(unsigned, pairs={**unsigned.pairs, SIGNATURE: in_text(by.sign(order_content(unsigned)))})


def why(of: Event, *, now: float = NOW, session: str = "mine", keys: tuple[PublicKey, ...] = ()) -> str:
    found = refusal(of, keys or (ONE.public,), session=session, now=now, verify=verify)
    return "" if found is None else f"{found.reason}{' (stale)' if found.stale else ''}"


def handing(old: Signer, new: Signer) -> HandOver:
    statement = HandOver(key_id(old.public), new.public, NOW)
    return replace(statement, signature=old.sign(statement.content))


def test_what_the_planner_has_signed_is_followed() -> None:
    assert why(signed(generation="1")) == ""


def test_what_is_not_signed_is_not_followed() -> None:
    assert why(event()) == "it is not signed"


def test_what_another_key_signs_is_not_followed() -> None:
    assert "does not know" in why(signed(TWO))
    pretended = signed(TWO)
    assert "not of what it says" in why(
        replace(pretended, pairs={**pretended.pairs, SIGNED_BY: key_id(ONE.public)})
    )


@pytest.mark.parametrize("field", ["channel", "value", "field"])
def test_nothing_of_it_can_be_changed(field: str) -> None:
    changed = signed(generation="1")
    other = {
        "channel": command_channel(Slice("s"), CONTAINER_MGR, Host("g.example")),
        "value": "DELETE,h.example,s",
        "field": "call",
    }[field]
    altered: Any = {field: other}
    assert "not of what it says" in why(replace(changed, **altered))


@given(WORDS)
def test_no_pair_can_be_changed_added_or_taken_away(pairs: dict[str, str]) -> None:
    of = signed(generation="1")
    changed = {**of.pairs, **pairs}
    if changed != of.pairs:
        assert why(replace(of, pairs=changed)) != ""
    assert why(replace(of, pairs={k: v for k, v in of.pairs.items() if k != "generation"})) != ""


@given(WORDS, WORDS)
def test_two_orders_have_two_contents(one: dict[str, str], two: dict[str, str]) -> None:
    of = event()
    same = order_content(replace(of, pairs=one)) == order_content(replace(of, pairs=two))
    assert same is (one == two)


@pytest.mark.parametrize("bad", [{SIGNATURE: "!"}, {SIGNATURE: ""}, {SIGNED_AT: "soon"}, {SIGNED_AT: ""}])
def test_what_cannot_be_read_is_not_believed(bad: dict[str, str]) -> None:
    of = signed()
    assert why(replace(of, pairs={**of.pairs, **bad})) == "its signature cannot be read"


@pytest.mark.parametrize("off", [-1e9, -FRESH_S - 1, 0.0, FRESH_S + 1, 1e9])
def test_with_the_session_a_clock_may_be_as_wrong_as_it_likes(off: float) -> None:
    assert why(signed(session="mine"), now=NOW + off) == ""


@pytest.mark.parametrize("session", ["", "an earlier one"])
def test_without_it_an_order_is_believed_for_a_while(session: str) -> None:
    of = signed(session=session)
    assert why(of, now=NOW + FRESH_S) == why(of, now=NOW - FRESH_S) == ""
    assert why(of, now=NOW + FRESH_S + 1).endswith("(stale)")
    assert why(of, now=NOW - FRESH_S - 1).endswith("(stale)")


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -float("inf")])
def test_a_time_that_is_none_is_not_fresh(at: float) -> None:
    assert why(signed(at=at)).endswith("(stale)")


def test_an_empty_session_is_not_that_of_whoever_has_none() -> None:
    assert why(signed(), now=NOW + 1e6, session="") != ""


def test_a_key_hands_over() -> None:
    keys = taken_over({ONE.public}, [handing(ONE, TWO), handing(TWO, THREE)], verify)
    assert keys == {THREE.public}
    assert taken_over({TWO.public}, [handing(ONE, TWO), handing(TWO, THREE)], verify) == {THREE.public}


def test_nobody_hands_over_what_is_not_theirs() -> None:
    forged = replace(handing(TWO, THREE), old=key_id(ONE.public))
    assert taken_over({ONE.public}, [forged, handing(TWO, THREE)], verify) == {ONE.public}
    altered = replace(handing(ONE, TWO), new=THREE.public)
    assert taken_over({ONE.public}, [altered], verify) == {ONE.public}


def test_hand_overs_are_read_as_they_are_written() -> None:
    one = handing(ONE, TWO)
    assert hand_over(str(one)) == one
    assert hand_overs(f"{one} {handing(TWO, THREE)}") == [one, handing(TWO, THREE)]


@pytest.mark.parametrize("text", ["x", "a:b:c:d", f"a:{ONE.public}:x:AA", f"a:{ONE.public}:1:*", "a:b:c"])
def test_what_is_no_hand_over_is_told(text: str) -> None:
    with pytest.raises(Invalid):
        hand_over(text)


def test_too_many_hand_overs_are_not_looked_at() -> None:
    with pytest.raises(Invalid, match="too many"):
        hand_overs(" ".join([str(handing(ONE, TWO))] * 5))


def test_the_first_key_is_believed_and_then_only_that() -> None:
    assert pinned((), ONE.public, (), verify=verify) == {ONE.public}
    assert pinned({ONE.public}, ONE.public, (), verify=verify) == {ONE.public}
    assert pinned({ONE.public}, None, (), verify=verify) == {ONE.public}
    assert pinned((), None, (), verify=verify) == frozenset()
    with pytest.raises(Denied, match="dsmt-node trust"):
        pinned({ONE.public}, TWO.public, (), verify=verify)


def test_a_key_is_followed_through_its_hand_overs() -> None:
    assert pinned({ONE.public}, TWO.public, [handing(ONE, TWO)], verify=verify) == {TWO.public}
    with pytest.raises(Denied):
        # Whoever still has the old key is no planner any more.
        pinned({TWO.public}, ONE.public, [handing(ONE, TWO)], verify=verify)


def test_people_say_which_key_it_must_be() -> None:
    expected = fingerprint(ONE.public)
    assert pinned((), ONE.public, (), expected=expected, verify=verify) == {ONE.public}
    with pytest.raises(Denied):
        pinned((), TWO.public, (), expected=expected, verify=verify)


@given(st.binary(min_size=1, max_size=70))
def test_bytes_have_one_text(content: bytes) -> None:
    assert out_of_text(in_text(content)) == content


@pytest.mark.parametrize("text", ["", "A", "AB", "AA==", "+/+/", "ä", "A A A"])
def test_another_text_is_none(text: str) -> None:
    with pytest.raises(Invalid):
        out_of_text(text)


def test_a_public_key_has_32_bytes() -> None:
    assert public_key(ONE.public) == ONE.public
    with pytest.raises(Invalid):
        public_key(in_text(b"short"))
