"""What a node is known by: shown, kept whole, and put aside where a copy has the same."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.container_manager import certificates, joining, sliver_certificates
from agents.container_manager.config import NodeConfig
from agents.container_manager.main import run
from agents.container_manager.own_key import OwnKey
from agents.container_manager.sole import only_one
from broker.certificates import Authority
from dsmt_core.errors import Invalid
from dsmt_core.names import Host, Slice
from dsmt_core.signing import public_key
from planner.tls.clients import Clients

N1 = Host("n1.example.org")
TLS, PLAIN = "amqps://node:x@127.0.0.1/d", "amqp://node:x@127.0.0.1/d"


def given(data: Path) -> dict[str, str]:
    """What a planner answers to who asks."""
    clients = Clients(Authority.made(datetime.now(UTC)), data, lambda: datetime.now(UTC).timestamp())
    asked = certificates.asked(data)
    own = clients.issue(N1, public_key(OwnKey(data).public))
    slivers = clients.issue(N1, public_key(asked["slivers_key"]))
    return {
        "certificate": own.pem,
        "slivers_certificate": slivers.pem,
        "certificate_ends": f"{own.certified.ends:.0f}",
    }


def test_what_was_given_is_held_and_can_be_shown_to_a_server(tmp_path: Path) -> None:
    assert certificates.held(tmp_path) == certificates.Held()
    assert not certificates.take(tmp_path, {})
    answer = given(tmp_path)
    assert certificates.take(tmp_path, answer)
    held = certificates.held(tmp_path)
    assert certificates.asked(tmp_path)["certificate"] == held.fingerprint
    assert held.ends == float(answer["certificate_ends"])
    for name in (certificates.OWN, certificates.SLIVERS):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        ssl.create_default_context().load_cert_chain(tmp_path / name)
    assert (tmp_path / certificates.OWN).read_text() != (tmp_path / certificates.SLIVERS).read_text()


@pytest.mark.parametrize("name", [certificates.OWN, certificates.SLIVERS, "certificate.json"])
@pytest.mark.parametrize("content", [None, "", "rubbish"])
def test_what_is_not_whole_is_not_held_and_so_given_anew(
    tmp_path: Path, name: str, content: str | None
) -> None:
    certificates.take(tmp_path, given(tmp_path))
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    assert certificates.held(tmp_path).fingerprint == ""
    certificates.take(tmp_path, given(tmp_path))
    assert certificates.held(tmp_path).fingerprint


def test_what_is_no_certificate_changes_nothing(tmp_path: Path) -> None:
    answer = given(tmp_path)
    certificates.take(tmp_path, answer)
    before = certificates.held(tmp_path)
    for change in ({"certificate": "rubbish"}, {"slivers_certificate": "rubbish"}):
        with pytest.raises(Invalid):
            certificates.take(tmp_path, answer | change)
    assert certificates.held(tmp_path) == before


def test_each_sliver_has_the_one_of_slivers_also_when_it_is_another(tmp_path: Path) -> None:
    config = NodeConfig(planner="http://127.0.0.1:1", host=N1, data=tmp_path)
    place = config.place(Slice("s1"))
    place.run.mkdir(parents=True)
    laid = place.run / sliver_certificates.FILE
    sliver_certificates.lay_all(config, TLS)
    assert not laid.exists()
    certificates.take(tmp_path, given(tmp_path))
    sliver_certificates.lay_all(config, PLAIN)
    assert not laid.exists()
    for _ in range(2):
        certificates.take(tmp_path, given(tmp_path))
        sliver_certificates.lay_all(config, TLS)
        assert laid.read_text() == (tmp_path / certificates.SLIVERS).read_text()
        assert laid.stat().st_mode & 0o777 == 0o600
    # What the sliver makes of it is neither followed nor left.
    laid.unlink()
    laid.symlink_to(tmp_path / "node.key")
    key = (tmp_path / "node.key").read_text()
    sliver_certificates.lay_all(config, TLS)
    assert (tmp_path / "node.key").read_text() == key
    assert not laid.is_symlink()
    assert laid.read_text() == (tmp_path / certificates.SLIVERS).read_text()


def test_a_node_tells_what_it_is_known_by(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as told:
        run(["show", "--data", str(tmp_path)])
    assert (told.value.code, "no node has its data in" in capsys.readouterr().err) == (3, True)
    joining.claim_of(tmp_path)
    run(["show", "--data", str(tmp_path), "--json"])
    assert set(json.loads(capsys.readouterr().out).values()) == {""}
    certificates.take(tmp_path, given(tmp_path))
    run(["show", "--data", str(tmp_path)])
    said = capsys.readouterr().out
    assert certificates.held(tmp_path).fingerprint in said
    assert OwnKey(tmp_path).pem not in said
    assert (tmp_path / "node.key").read_text() not in said


def test_another_key_is_made_only_while_nothing_runs_on_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim, key = joining.claim_of(tmp_path), OwnKey(tmp_path).public
    certificates.take(tmp_path, given(tmp_path))
    with only_one(tmp_path), pytest.raises(SystemExit) as told:
        run(["rekey", "--data", str(tmp_path)])
    assert told.value.code == 6
    assert OwnKey(tmp_path).public == key
    run(["rekey", "--data", str(tmp_path)])
    assert "dsmtc nodes reinvite" in capsys.readouterr().out
    assert certificates.held(tmp_path).fingerprint == ""
    assert joining.claim_of(tmp_path) != claim
    assert OwnKey(tmp_path).public != key
    assert (tmp_path / "node.key.replaced").exists()
