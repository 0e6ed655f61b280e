"""What a role at a site opens: laws over every role, right and site; and to which site a slice belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Conflict, Denied, Invalid
from dsmt_core.names import Account, Site, Slice, site
from planner.authority.rights import TABLE, Caller, Right, Role, check, may
from planner.authority.sites import Standing, check_free, check_gives, check_manages, site_of
from planner.described import check_described

NORTH, SOUTH, HOME = Site("north"), Site("south"), Site("home")
MINE, THEIRS = Slice("north_a"), Slice("south_a")
ABOUT_SLICES = [right for right in Right if "this slice" in right or right is Right.MAKE_SLICES]


def at_north(role: Role) -> Caller:
    return Caller(
        Account("me"), role, everywhere=False, sites=frozenset({NORTH}), of_sites=frozenset({MINE})
    )


@given(st.sampled_from(list(Role)), st.sampled_from(ABOUT_SLICES))
def test_nobody_with_a_role_at_one_site_touches_a_slice_of_another(role: Role, right: Right) -> None:
    assert not may(at_north(role), right, THEIRS)
    assert not may(at_north(role), right, site=SOUTH)
    assert not may(at_north(role), right, None)


@given(st.sampled_from([Role.USER, Role.TECH]), st.sampled_from(ABOUT_SLICES))
def test_below_pi_nobody_changes_a_slice_without_being_a_member(role: Role, right: Right) -> None:
    assert may(at_north(role), right, MINE) <= (right is Right.READ_SLICE)


@given(st.sampled_from(list(Right)), st.sampled_from([None, NORTH, SOUTH]))
def test_an_admin_of_the_installation_may_all_that_an_admin_of_a_site_may(
    right: Right, where: Site | None
) -> None:
    assert may(Caller(Account("me"), Role.ADMIN), right, site=where)


def test_who_may_what_at_a_site_is_in_the_refusal() -> None:
    assert all(holders.roles for holders in TABLE.values())
    with pytest.raises(Denied) as refused:
        check(at_north(Role.USER), Right.MANAGE_NODES, site=NORTH)
    assert refused.value.hint.startswith("it needs the role admin, or admin or tech at the site north;")


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("north_a", NORTH),
        ("north", HOME),
        ("my_slice", HOME),
        ("web", HOME),
        ("north_a_b", NORTH),
        ("_", HOME),
    ],
)
def test_a_slice_belongs_to_the_site_that_its_name_begins_with(name: str, of: Site) -> None:
    assert site_of(Slice(name), {NORTH, HOME}, HOME) == of


def test_a_site_is_not_named_as_slices_of_others_begin() -> None:
    check_free(NORTH, [(Slice("north_a"), NORTH), (Slice("south_a"), HOME), (Slice("north"), HOME)])
    many = [(Slice(f"north_{number}"), HOME) for number in range(9)]
    with pytest.raises(Conflict, match="and 4 more"):
        check_free(NORTH, many)


@given(st.text(max_size=25))
def test_a_site_name_never_has_an_underscore(text: str) -> None:
    try:
        name = site(text)
    except Invalid:
        return
    assert "_" not in name
    assert name.isascii()
    assert 1 <= len(name) <= 20


@pytest.mark.parametrize(
    "of",
    [
        Standing(Account("a"), NORTH, frozenset({Role.ADMIN})),
        Standing(Account("a"), NORTH, frozenset({Role.TECH})),
        Standing(Account("a"), NORTH, at={SOUTH: frozenset({Role.USER})}),
        Standing(Account("a"), NORTH, at={NORTH: frozenset({Role.ADMIN})}),
        Standing(Account("a"), NORTH, at={NORTH: frozenset({Role.PI})}),
        Standing(Account("a"), NORTH, member_at=frozenset({SOUTH})),
        Standing(Account("a"), SOUTH),
    ],
)
def test_a_pi_does_not_look_after_who_is_more(of: Standing) -> None:
    check_manages(Caller(Account("me"), Role.ADMIN), of)
    with pytest.raises(Denied):
        check_manages(at_north(Role.PI), of)


def test_a_pi_looks_after_the_users_of_its_site() -> None:
    at = {NORTH: frozenset({Role.TECH})}
    check_manages(at_north(Role.PI), Standing(Account("a"), NORTH, frozenset({Role.USER}), at))
    check_manages(at_north(Role.ADMIN), Standing(Account("a"), NORTH, at={NORTH: frozenset({Role.PI})}))


def test_only_an_admin_gives_the_roles_that_give_others() -> None:
    check_gives(at_north(Role.PI), NORTH, {Role.USER, Role.TECH})
    check_gives(at_north(Role.ADMIN), NORTH, set(Role))
    for roles in ({Role.PI}, {Role.ADMIN, Role.USER}):
        with pytest.raises(Denied, match="may not give or take"):
            check_gives(at_north(Role.PI), NORTH, roles)
    with pytest.raises(Denied):
        check_gives(at_north(Role.ADMIN), SOUTH, {Role.USER})


@pytest.mark.parametrize(
    ("description", "url"),
    [
        ("x" * 2001, ""),
        ("\x1b[2J", ""),
        ("", "javascript:1"),
        ("", "https://a b"),
        ("", "http://" + "x" * 500),
    ],
)
def test_what_a_slice_is_for_can_be_shown_anywhere(description: str, url: str) -> None:
    check_described(description="ein Fluß\nin zwei Zeilen", url="https://example.com/ü")
    with pytest.raises(Invalid):
        check_described(description=description, url=url)
