"""Common options anywhere on a line, and who acts for whom."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmtc.commandline import (
    Common,
    Line,
    Misused,
    Parties,
    belonging,
    lift,
    over,
    parameters,
    parties,
)

VERB_WORDS = st.sampled_from(
    [
        "plan",
        "set",
        "status",
        "--plan",
        "goodNodes",
        "left=all_nodes",
        "-w",
        "--base=minus",
        "x y",
        "-",
        "é",
    ]
)
VALUES = st.text(min_size=1, max_size=8).filter(lambda text: not text.startswith("-"))
OPTIONS = {
    "slice": "slice",
    "password": "password",
    "planner": "planner",
    "account-file": "account_file",
    "password-file": "password_file",
}


@st.composite
def mixed(draw: st.DrawFn) -> tuple[list[str], list[str], Common]:
    """A verb's own words, the same with common options strewn in, and what these say."""
    own = draw(st.lists(VERB_WORDS, max_size=6))
    groups: list[list[str]] = [[word] for word in own]
    common = Common()
    for name in draw(st.sets(st.sampled_from(sorted(OPTIONS)))):
        value, dashes = draw(VALUES), draw(st.sampled_from(["-", "--"]))
        joined = draw(st.booleans())
        group = [f"{dashes}{name}={value}"] if joined else [f"{dashes}{name}", value]
        groups.insert(draw(st.integers(0, len(groups))), group)
        changes = {OPTIONS[name]: value}
        common = replace(common, **changes)  # type: ignore[arg-type]
    if draw(st.booleans()):
        groups.insert(draw(st.integers(0, len(groups))), [draw(st.sampled_from(["--json", "-json"]))])
        common = replace(common, form="json")
    return own, [word for group in groups for word in group], common


@given(mixed())
def test_common_options_are_lifted_wherever_they_stand(case: tuple[list[str], list[str], Common]) -> None:
    own, words, common = case
    assert lift(words) == Line(common, tuple(own))


@given(st.lists(st.text(max_size=6), max_size=8))
def test_any_line_is_read_or_refused_in_words(words: list[str]) -> None:
    with contextlib.suppress(Misused):
        assert len(lift(words).rest) <= len(words)


def test_nothing_is_lifted_after_two_dashes() -> None:
    assert lift(["put", "--", "--slice", "s"]) == Line(Common(), ("put", "--", "--slice", "s"))


@pytest.mark.parametrize("words", [["--slice"], ["--slice", "--json"], ["--slice="], ["--json=yes"]])
def test_an_option_without_its_value_is_refused(words: list[str]) -> None:
    with pytest.raises(Misused):
        lift(words)


def test_verbosity_is_counted_and_the_role_is_lowered() -> None:
    assert lift(["-v", "status", "-vv", "--role", "PI"]).common == Common(verbose=3, role="pi")


def test_the_guides_create_has_two_users() -> None:
    words = ["create", "--user", "PI", "--password", "P", "--role", "PI", "--user", "ME", "--slice", "S"]
    line = lift(words)
    assert line.rest == ("create",)
    assert parties(line.common, verb="create", known=True) == Parties("PI", "ME")


@pytest.mark.parametrize(
    ("common", "known", "expected"),
    [
        (Common(users=("a",)), True, Parties("", "a")),
        (Common(users=("a",)), False, Parties("a", "")),
        (Common(users=("a",), password="p"), True, Parties("a", "")),
        (Common(users=("a",), password_file="f"), True, Parties("a", "")),
        (Common(), True, Parties("", "")),
    ],
)
def test_a_single_user_of_create_is_the_slices_user_when_it_is_known_who_acts(
    common: Common,
    known: bool,  # noqa: FBT001 - pytest passes it by name
    expected: Parties,
) -> None:
    assert parties(common, verb="create", known=known) == expected


@pytest.mark.parametrize(("verb", "users"), [("create", ("a", "b", "c")), ("manage", ("a", "b"))])
def test_more_users_than_a_verb_takes_are_refused(verb: str, users: tuple[str, ...]) -> None:
    with pytest.raises(Misused, match=f"{verb} takes --user"):
        parties(Common(users=users), verb=verb, known=True)


def test_parameters_are_names_with_values() -> None:
    assert parameters(["count=10", "where=a=b", "empty="]) == {"count": "10", "where": "a=b", "empty": ""}
    for wrong in (["count"], ["=3"], ["a=1", "a=2"]):
        with pytest.raises(Invalid):
            parameters(wrong)


def test_parameters_of_create_belong_to_the_option_before_them() -> None:
    words = ["create", "--agent", "A", "k=v", "l=w", "--plan=P", "count=3", "--member", "m"]
    assert belonging(words, "agent") == ("k=v", "l=w")
    assert belonging(words, "plan") == ("count=3",)


def test_a_line_of_the_shell_takes_the_rest_from_the_shell() -> None:
    outer = Common(slice="s", users=("me",), password="p", role="user", planner="u")
    assert over(outer, Common(form="json"), verb="status") == replace(outer, form="json")
    assert over(outer, Common(slice="t"), verb="status").slice == "t"


def test_a_password_of_the_shell_is_never_used_for_another_account() -> None:
    outer = Common(users=("me",), password="p", role="user")
    line = over(outer, Common(users=("you",)), verb="status")
    assert (line.users, line.password, line.role) == (("you",), "", "")


def test_create_in_the_shell_names_the_slices_user() -> None:
    outer = Common(users=("pi",), password="p", role="pi")
    line = over(outer, Common(users=("me",), slice="s"), verb="create")
    assert (line.users, line.password, line.role) == (("pi", "me"), "p", "pi")
