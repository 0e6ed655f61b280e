"""Who may do what, speak and hear where: what is refused, and in which words."""

from __future__ import annotations

import pytest

from dsmt_core.channels import Channel
from dsmt_core.errors import Denied, Invalid
from dsmt_core.names import Account, Slice
from planner.authority.rights import Caller, Right, Role, check, choose_role, role
from planner.authority.speaking import check_hears, check_speaks, may_hear, slice_commanded

MINE, OTHER = Slice("mine"), Slice("other")
PARTS = "/org/dsmt/ns/deployment/"
AGENT = "org.dsmt.component.deployment-agent"


def caller(role_: Role) -> Caller:
    return Caller(Account("me"), role_, frozenset({MINE}))


USER, PI, TECH = caller(Role.USER), caller(Role.PI), caller(Role.TECH)


@pytest.mark.parametrize(
    ("who", "right", "slice_", "message", "hint"),
    [
        (
            USER,
            Right.CHANGE_SLICE,
            OTHER,
            "me [user] may not change this slice",
            "it needs membership of the slice other or the role admin or pi, everywhere or at the site of other",  # noqa: E501
        ),
        (
            TECH,
            Right.CHANGE_SLICE,
            None,
            "me [tech] may not change this slice",
            "it needs the role admin or pi",
        ),
        (
            USER,
            Right.GUARD_SLICE,
            MINE,
            "me [user] may not set the guard rails of this slice",
            "it needs the role admin or pi, everywhere or at the site of mine",
        ),
        (PI, Right.MANAGE_ACCOUNTS, None, "me [pi] may not manage accounts", "it needs the role admin"),
        (
            USER,
            Right.READ_SLICE,
            OTHER,
            "me [user] may not look into this slice",
            "it needs membership of the slice other or the role admin or pi or tech, everywhere or at the site of other",  # noqa: E501
        ),
    ],
)
def test_a_refusal_says_who_may_not_what_and_what_is_missing(
    who: Caller, right: Right, slice_: Slice | None, message: str, hint: str
) -> None:
    with pytest.raises(Denied) as refused:
        check(who, right, slice_)
    assert refused.value.message == message
    assert refused.value.hint == f"{hint}; log in with another role (--role) or ask an admin"


def test_what_somebody_may_is_not_refused() -> None:
    check(USER, Right.CHANGE_SLICE, MINE)
    check(PI, Right.GUARD_SLICE, OTHER)
    check(USER, Right.LIST_NODES)


def test_a_role_that_there_is_not_or_that_is_not_held_is_refused() -> None:
    with pytest.raises(Invalid) as unknown:
        role("K" * 50)
    assert unknown.value.message == f"'{'K' * 40}' is not a role"
    assert unknown.value.hint == "the roles are admin, pi, user, tech"
    assert role("PI") is Role.PI
    with pytest.raises(Denied) as denied:
        choose_role(["tech", "user"], "pi")
    assert denied.value.message == "this account does not have the role pi"
    assert denied.value.hint == "it has user, tech; an admin gives roles"
    with pytest.raises(Denied) as none:
        choose_role([], "pi")
    assert none.value.hint == "it has none; an admin gives roles"


@pytest.mark.parametrize(
    ("channel", "slice_"),
    [
        (f"{PARTS}mine/{AGENT}/command/", "mine"),
        (f"{PARTS}mine/{AGENT}/command/n1.org/", "mine"),
        (f"{PARTS}mine/{AGENT}/command/n1.org/more/", ""),
        (f"{PARTS}mine/{AGENT}/", ""),
        (f"{PARTS}mine/{AGENT}/status/n1.org/", ""),
        (f"{PARTS}mine/org.dsmt.component.sliver-mgr/command/n1.org/", ""),
        (f"/org/dsmt/ns/elsewhere/mine/{AGENT}/command/", ""),
        (f"/a/b/c/d/mine/{AGENT}/command/", ""),
        ("/com/example/", ""),
    ],
)
def test_a_command_on_a_channel_of_an_agent_is_a_request(channel: str, slice_: str) -> None:
    assert slice_commanded(Channel(channel)) == slice_


def test_who_may_change_a_slice_may_command_it() -> None:
    assert check_speaks(USER, Channel(f"{PARTS}mine/{AGENT}/command/")) == MINE
    assert check_speaks(PI, Channel(f"{PARTS}other/{AGENT}/command/n1.org/")) == OTHER
    with pytest.raises(Denied) as refused:
        check_speaks(USER, Channel(f"{PARTS}other/{AGENT}/command/"))
    assert refused.value.message == "me [user] may not change this slice"
    assert "membership of the slice other" in refused.value.hint


def test_anybody_speaks_outside_and_nobody_for_the_parts() -> None:
    assert check_speaks(TECH, Channel("/com/example/pinger/")) == ""
    assert check_speaks(TECH, Channel("/org/other/")) == ""
    long = Channel(f"{PARTS}mine/{AGENT}/status/{'n' * 200}/")
    with pytest.raises(Denied) as refused:
        check_speaks(PI, long)
    assert (
        refused.value.message
        == f"me may not speak on {long[:120]}: below /org/dsmt/ the parts of DSMT speak"
    )
    assert refused.value.hint == (
        "publish on a channel of your own, such as /com/example/NAME/; or ask for a command: "
        f"{PARTS}SLICE/{AGENT}/command/"
    )


@pytest.mark.parametrize(
    ("who", "channel", "may"),
    [
        (USER, f"{PARTS}mine/{AGENT}/status/", True),
        (USER, f"{PARTS}other/{AGENT}/status/", False),
        (USER, f"{PARTS}other/", False),
        (TECH, f"{PARTS}other/{AGENT}/status/", True),
        (USER, PARTS, True),
        (USER, "/org/dsmt/ns/node/n1.org/facts/", True),
        (USER, "/com/example/other/", True),
    ],
)
def test_what_is_said_in_a_slice_hears_who_may_look_into_it(
    who: Caller, channel: str, *, may: bool
) -> None:
    assert may_hear(who, Channel(channel)) is may
    if may:
        check_hears(who, Channel(channel))
        return
    with pytest.raises(Denied) as refused:
        check_hears(who, Channel(channel))
    assert refused.value.message == "me [user] may not look into this slice"
    assert "membership of the slice other" in refused.value.hint
