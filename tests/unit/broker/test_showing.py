"""A certificate that is exchanged while the server goes on."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.certificates import Authority
from broker.showing import Shown
from broker.trust import trusting
from dsmt_core.errors import Invalid

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.made(NOW)


def put(path: Path, authority: Authority, host: str) -> None:
    made = authority.certify(host, NOW)
    draft = path.with_name("draft")
    draft.write_text(made.key + made.certificate)
    draft.replace(path)


def shaken(shown: Shown, authority: Authority, host: str) -> str:
    """What a client that wants ``host`` says; empty: taken."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(authority.der).wrap_bio(back, there, server_hostname=host)
    server = shown.context.wrap_bio(there, back, server_side=True)
    for _ in range(6):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    assert client.version() in {"TLSv1.2", "TLSv1.3"}
    return ""


def test_new_connections_are_shown_the_new_one(tmp_path: Path, authority: Authority) -> None:
    path = tmp_path / "host.pem"
    put(path, authority, "one.example.org")
    shown = Shown(path)
    assert not shown.look()
    assert shaken(shown, authority, "one.example.org") == ""
    put(path, authority, "two.example.org")
    assert shaken(shown, authority, "one.example.org") == ""
    assert shown.look()
    assert shaken(shown, authority, "two.example.org") == ""
    assert "mismatch" in shaken(shown, authority, "one.example.org")


@pytest.mark.parametrize("content", ["", "rubbish"])
def test_a_file_that_is_none_changes_nothing(tmp_path: Path, authority: Authority, content: str) -> None:
    path = tmp_path / "host.pem"
    put(path, authority, "one.example.org")
    shown = Shown(path)
    path.write_text(content)
    with pytest.raises(Invalid, match="does not hold"):
        shown.look()
    assert not shown.look()
    assert shaken(shown, authority, "one.example.org") == ""
    path.unlink()
    with pytest.raises(Invalid, match="does not hold"):
        shown.look()
    assert shaken(shown, authority, "one.example.org") == ""


def test_a_key_of_another_certificate_changes_nothing(tmp_path: Path, authority: Authority) -> None:
    path = tmp_path / "host.pem"
    put(path, authority, "one.example.org")
    shown = Shown(path)
    path.write_text(authority.certify("a", NOW).key + authority.certify("two.example.org", NOW).certificate)
    with pytest.raises(Invalid):
        shown.look()
    assert shaken(shown, authority, "one.example.org") == ""


def test_without_a_file_nothing_is_shown(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="does not hold") as told:
        Shown(tmp_path / "host.pem")
    assert "ca issue" in told.value.hint
