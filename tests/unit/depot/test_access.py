"""Who may ask the depot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depot.access import Caller, Secrets, must_be_planner
from dsmt_core.errors import Denied, Invalid, NotFound, Unauthenticated

SECRETS = Secrets("p" * 20, "n" * 20)


def test_the_two_secrets_tell_the_two_callers() -> None:
    assert SECRETS.caller(f"Bearer {'p' * 20}") is Caller.PLANNER
    assert SECRETS.caller(f"bearer {'n' * 20}") is Caller.NODE


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ", "Bearer x", f"Basic {'p' * 20}", "Bearer é"])
def test_anybody_else_is_not_known(sent: str) -> None:
    with pytest.raises(Unauthenticated):
        SECRETS.caller(sent)


def test_a_node_changes_nothing() -> None:
    must_be_planner(Caller.PLANNER)
    with pytest.raises(Denied):
        must_be_planner(Caller.NODE)


def test_the_secrets_do_not_show_themselves() -> None:
    assert "ppp" not in repr(SECRETS)


def test_the_secrets_are_read_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text(json.dumps({"planner": "p" * 20, "node": "n" * 20}))
    path.chmod(0o600)
    assert Secrets.read(path) == SECRETS
    path.chmod(0o644)
    with pytest.raises(Invalid, match="others"):
        Secrets.read(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '"x"',
        '{"planner": "pppppppppppppppppppp"}',
        '{"planner": "short", "node": "nnnnnnnnnnnnnnnnnnnn"}',
        '{"planner": "nnnnnnnnnnnnnnnnnnnn", "node": "nnnnnnnnnnnnnnnnnnnn"}',
    ],
)
def test_a_file_without_two_good_secrets_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Invalid, match="does not hold"):
        Secrets.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="secrets"):
        Secrets.read(tmp_path / "secrets")
