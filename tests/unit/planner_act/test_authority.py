"""Who may do what; passwords and the slowing of wrong ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Denied, Invalid
from dsmt_core.names import Account, Slice
from planner.authority.attempts import Attempts, Doors, network
from planner.authority.passwords import MOST, Passwords, hash_now
from planner.authority.rights import TABLE, Caller, Right, Role, check, choose_role, may, role

MINE, OTHER = Slice("mine"), Slice("other")


def caller(role_: Role) -> Caller:
    return Caller(Account("me"), role_, frozenset({MINE}))


@pytest.mark.parametrize(
    ("role_", "right", "slice_", "allowed"),
    [
        (Role.USER, Right.MAKE_SLICES, None, False),
        (Role.PI, Right.MAKE_SLICES, None, True),
        (Role.ADMIN, Right.MAKE_SLICES, None, True),
        (Role.USER, Right.CHANGE_SLICE, MINE, True),
        (Role.USER, Right.CHANGE_SLICE, OTHER, False),
        (Role.PI, Right.CHANGE_SLICE, OTHER, True),
        (Role.TECH, Right.CHANGE_SLICE, OTHER, False),
        (Role.TECH, Right.READ_SLICE, OTHER, True),
        (Role.USER, Right.READ_SLICE, OTHER, False),
        (Role.USER, Right.LIST_NODES, None, True),
        (Role.PI, Right.MANAGE_NODES, None, False),
        (Role.ADMIN, Right.MANAGE_NODES, None, True),
        (Role.PI, Right.MANAGE_ACCOUNTS, None, False),
    ],
)
def test_who_may_do_what(role_: Role, right: Right, slice_: Slice | None, allowed: bool) -> None:  # noqa: FBT001
    assert may(caller(role_), right, slice_) is allowed


def test_every_right_has_its_holders() -> None:
    assert set(TABLE) == set(Right)
    for right in Right:
        assert may(caller(Role.ADMIN), right, OTHER)


def test_a_refusal_says_what_is_missing() -> None:
    with pytest.raises(Denied) as refused:
        check(caller(Role.USER), Right.CHANGE_SLICE, OTHER)
    assert refused.value.message == "me [user] may not change this slice"
    assert "membership of the slice other or the role admin or pi" in refused.value.hint


def test_without_a_role_the_strongest_is_taken() -> None:
    assert choose_role(["user", "pi"], "") is Role.PI
    assert choose_role(["user", "pi"], "User") is Role.USER
    assert choose_role([], "") is Role.USER
    with pytest.raises(Denied):
        choose_role(["user"], "admin")
    with pytest.raises(Invalid):
        role("king")


async def test_a_password_is_verified_and_no_password_never_is() -> None:
    passwords = Passwords()
    known = await passwords.hash("correct horse")
    assert await passwords.verify("correct horse", known)
    assert not await passwords.verify("correct horsf", known)
    assert not await passwords.verify("", "")
    assert not await passwords.verify("correct horse", "no hash")
    assert not await passwords.verify("x" * 10 * MOST, known)


def test_a_password_that_is_too_short_or_too_long_cannot_be_set() -> None:
    for text in ("short", "x" * (MOST + 1)):
        with pytest.raises(Invalid):
            hash_now(text)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 100)), max_size=60))
def test_the_memory_of_wrong_passwords_is_bounded(drawn: list[tuple[str, float]]) -> None:
    attempts = Attempts(limit=2)
    now = 0.0
    for key, step in drawn:
        now += step
        attempts.wrong(key, now)
    assert len(attempts._wrong) <= 2


def test_each_further_wrong_password_waits_longer_up_to_a_bound() -> None:
    attempts = Attempts(free=2, first_s=1, most_s=8)
    waits = []
    for _ in range(10):
        attempts.wrong("me", 100)
        wait = 0
        while True:
            try:
                attempts.check("me", 100 + wait)
            except Denied:
                wait += 1
            else:
                break
        waits.append(wait)
    assert waits == [0, 0, 1, 2, 4, 8, 8, 8, 8, 8]
    attempts.right("me")
    attempts.check("me", 100)


def waits(doors: Doors, account: str, origin: str, now: float) -> bool:
    try:
        doors.check(account, origin, now)
    except Denied:
        return True
    return False


def knock(doors: Doors, account: str, origin: str, now: float) -> list[str]:
    """One wrong password, where it is not refused."""
    return [] if waits(doors, account, origin, now) else doors.wrong(account, origin, now)


def test_a_stranger_waits_and_the_owner_hardly() -> None:
    doors = Doors()
    doors.right("me", "192.0.2.1")
    began = [one for now in range(3600) for one in knock(doors, "me", f"198.51.100.{now % 250}", now)]
    assert began.count("account/me") == 1
    assert waits(doors, "me", "203.0.113.9", 3599.5)
    assert not waits(doors, "me", "192.0.2.1", 3599.5)
    # From an address that is not known yet the owner waits a minute at most.
    assert not waits(doors, "me", "203.0.113.9", 3600 + 60)


def test_an_address_that_tries_many_accounts_waits_and_others_do_not() -> None:
    doors = Doors()
    doors.right("me", "192.0.2.1")
    began = [one for number in range(100) for one in knock(doors, f"a{number}", "192.0.2.1", 5.0)]
    assert began == ["address/192.0.2.1"]
    assert waits(doors, "somebody", "192.0.2.1", 5.5)
    assert not waits(doors, "me", "192.0.2.1", 5.5)
    assert not waits(doors, "somebody", "192.0.2.2", 5.5)


def test_at_home_too_wrong_passwords_wait_but_ten_seconds_at_most() -> None:
    doors = Doors()
    doors.knows([("me", "192.0.2.1")])
    for _ in range(20):
        doors.wrong("me", "192.0.2.1", 100)
    assert waits(doors, "me", "192.0.2.1", 109)
    assert not waits(doors, "me", "192.0.2.1", 111)
    doors.right("me", "192.0.2.1")
    assert not waits(doors, "me", "192.0.2.1", 111)


def test_a_right_password_is_no_attempt() -> None:
    doors = Doors()
    for now in range(200):
        origin = f"192.0.2.{now % 40}"
        assert not waits(doors, "me", origin, now)
        doors.wrong("me", origin, now)
        doors.right("me", origin)


@pytest.mark.parametrize(
    ("origin", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_an_address_counts_as_the_network_of_one_customer(origin: str, counted: str) -> None:
    assert network(origin) == counted
