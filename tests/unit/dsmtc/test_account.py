"""The account file, and which of several places decides who acts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dsmt_core.errors import Denied, DsmtError, Invalid, NotFound
from dsmtc.account import (
    Home,
    Identity,
    choose_identity,
    choose_planner,
    parse,
    read_account,
    read_secret,
)
from dsmtc.commandline import Common
from dsmtc.tokens import Place, Tokens

FILE = Identity("me@example.com", "PASSWORD", "user")
PLACE = Place("http://p", "me", "user")


def test_the_guides_three_lines_are_read() -> None:
    text = "account: me@example.com\npassword: PASSWORD\nrole: User\n"
    assert parse(text, place="f") == FILE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password: x",
        "account: a\naccount: b",
        "account: a\nhunter2 secret",
        "account: a\nshell: hunter2",
    ],
)
def test_another_file_is_refused_and_never_quoted(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text, place="the file")
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_password_may_contain_colons() -> None:
    assert parse("account: a\npassword: x:y z", place="f").password == "x:y z"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o666])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "account"
    path.write_text("account: a\n")
    path.chmod(mode)
    with pytest.raises(Denied) as caught:
        read_account(path, asked_for=False)
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "account"
    path.write_text("account: a\n")
    path.chmod(0o600)
    os.chown(path, 12345, 12345)
    with pytest.raises(Denied):
        read_account(path, asked_for=True)


def test_a_missing_file_is_an_error_only_when_it_was_named(tmp_path: Path) -> None:
    assert read_account(tmp_path / "none", asked_for=False) == Identity()
    with pytest.raises(NotFound):
        read_account(tmp_path / "none", asked_for=True)


def test_a_file_that_is_no_text_or_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "account"
    for content in (b"\xff\xfe", b"x" * 20_000):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(DsmtError):
            read_secret(path)


def test_flags_come_before_the_environment_before_the_file_before_the_last_login() -> None:
    remembered = Identity("last", "", "pi")
    environment = {"DSMT_ACCOUNT": "env", "DSMT_PASSWORD": "envpw"}
    none: dict[str, str] = {}
    assert choose_identity(Common(password="p"), environment, FILE, remembered, "flag").account == "flag"
    assert choose_identity(Common(), environment, FILE, remembered, "") == Identity("env", "envpw", "")
    assert choose_identity(Common(), none, FILE, remembered, "") == FILE
    assert choose_identity(Common(), none, Identity(), remembered, "") == remembered


def test_the_files_password_is_not_used_for_another_account() -> None:
    assert choose_identity(Common(), {}, FILE, Identity(), "you") == Identity("you", "", "")
    assert choose_identity(Common(), {}, FILE, Identity(), FILE.account) == FILE


def test_the_planner_is_named_by_flag_environment_file_or_default(tmp_path: Path) -> None:
    home = Home.of({"DSMT_HOME": str(tmp_path)})
    assert choose_planner(Common(), {}, home) == "http://127.0.0.1:7080"
    home.planner.write_text("http://file:1\n")
    assert choose_planner(Common(), {}, home) == "http://file:1"
    assert choose_planner(Common(), {"DSMT_PLANNER": "http://env:1"}, home) == "http://env:1"
    assert choose_planner(Common(planner="http://flag:1"), {}, home) == "http://flag:1"


def test_a_kept_token_is_found_only_with_its_password(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "new" / "tokens.json")
    tokens.keep(PLACE, "token", "right", remember=True)
    assert tokens.find(PLACE, "right") == "token"
    assert tokens.find(PLACE, "") == "token"
    assert tokens.find(PLACE, "wrong") == ""
    assert tokens.find(Place("http://p", "me", "pi"), "right") == ""
    assert tokens.remembered("http://p") == Identity("me", "", "user")
    assert tokens.path.stat().st_mode & 0o777 == 0o600


def test_kept_tokens_are_bounded(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    for number in range(25):
        tokens.keep(Place("p", str(number), ""), str(number), "")
    assert tokens.find(Place("p", "0", ""), "") == ""
    assert tokens.find(Place("p", "24", ""), "") == "24"


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"tokens": 3, "last": []}', '{"tokens": {"p me ": 3}}']
)
def test_a_damaged_or_open_file_of_tokens_costs_a_login_and_no_more(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)
    path.chmod(0o644)
    tokens = Tokens(path)
    assert tokens.find(Place("p", "me", ""), "") == ""
    assert tokens.remembered("p") == Identity()
    tokens.keep(Place("p", "me", ""), "t", "")
    assert tokens.find(Place("p", "me", ""), "") == "t"
