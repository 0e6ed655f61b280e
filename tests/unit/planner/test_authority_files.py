"""The authority's files: made once, and what is missing or changed is told, never replaced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker.certificates import Authority, key_of, life_of
from dsmt_core.authorities import certificates, fingerprint
from dsmt_core.errors import Conflict, Denied, Invalid, NotFound
from planner.config import PlannerConfig
from planner.store import Database
from planner.tls import authority
from planner.tls.deciding import LASTS_S, Wish
from planner.tls.showing import Tls, names_of

NOW = datetime.now(UTC)


def test_it_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    made = authority.make(tmp_path)
    assert authority.load(tmp_path) == made
    assert (tmp_path / authority.KEY).stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict, match="has an authority already"):
        authority.make(tmp_path)
    assert authority.load(tmp_path) == made


def test_where_none_was_made_there_is_none(tmp_path: Path) -> None:
    assert authority.load(tmp_path) is None


@pytest.mark.parametrize("name", [authority.KEY, authority.CERTIFICATE])
def test_a_part_that_is_missing_is_told(tmp_path: Path, name: str) -> None:
    authority.make(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(NotFound, match=rf"{name} is missing") as told:
        authority.load(tmp_path)
    assert "backup" in told.value.hint


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    authority.make(tmp_path)
    (tmp_path / authority.KEY).chmod(0o640)
    with pytest.raises(Denied, match="640"):
        authority.load(tmp_path)


def test_a_key_of_another_authority_is_told(tmp_path: Path) -> None:
    authority.make(tmp_path)
    (tmp_path / authority.KEY).write_bytes(Authority.made(NOW).key)
    with pytest.raises(Invalid, match="not the one of its certificate"):
        authority.load(tmp_path)


def test_one_of_elsewhere_is_taken_over_only_whole(tmp_path: Path) -> None:
    one, other = Authority.made(NOW), Authority.made(NOW)
    with pytest.raises(Invalid):
        authority.keep(tmp_path, replace(one, key=other.key))
    assert authority.load(tmp_path) is None
    assert authority.keep(tmp_path, one) == authority.load(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(PlannerConfig(data=tmp_path, broker="").database_url)
    yield opened
    opened.close_now()


def test_another_authority_than_that_of_before_is_refused(database: Database) -> None:
    one = Authority.made(NOW)
    database.write_now(authority.known, None)
    database.write_now(authority.known, one)
    database.write_now(authority.known, one)
    with pytest.raises(Conflict, match="is another one") as told:
        database.write_now(authority.known, Authority.made(NOW))
    assert fingerprint(one.der) in str(told.value)
    with pytest.raises(Conflict, match="is missing"):
        database.write_now(authority.known, None)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = NOW.timestamp()

    def __call__(self) -> float:
        return self.now


def test_the_planner_s_certificate_is_renewed_in_time_or_for_other_names(tmp_path: Path) -> None:
    signer, clock = Authority.made(NOW), Clock()
    config = PlannerConfig(data=tmp_path, broker="", wish=Wish(tls=True), names=("planner.example.org",))
    tls = Tls(config, signer, clock)
    first = config.certificate.read_bytes()
    assert config.certificate.stat().st_mode & 0o777 == 0o600
    assert life_of(first).hosts == set(names_of(config)) >= {"planner.example.org", "127.0.0.1", "::1"}
    assert life_of(first).issuer == key_of(signer.certificate)
    assert not Tls(config, signer, clock).renew()
    assert config.certificate.read_bytes() == first
    clock.now += LASTS_S * 0.7
    assert tls.renew()
    assert tls.shown.look()
    second = config.certificate.read_bytes()
    assert life_of(second).ends > life_of(first).ends
    Tls(replace(config, names=("other.example.org",)), signer, clock)
    assert "other.example.org" in life_of(config.certificate.read_bytes()).hosts
    Tls(config, Authority.made(NOW + timedelta(days=1)), clock)
    assert life_of(config.certificate.read_bytes()).issuer != key_of(signer.certificate)


def test_a_file_that_is_no_certificate_is_made_anew(tmp_path: Path) -> None:
    config = PlannerConfig(data=tmp_path, broker="")
    config.certificate.write_text("rubbish")
    Tls(config, Authority.made(NOW), Clock())
    assert certificates(config.certificate.read_text())


def test_writing_leaves_no_draft(tmp_path: Path) -> None:
    authority.write_private(tmp_path / "x", b"1")
    authority.write_private(tmp_path / "x", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
