"""The store on disk: whole, described and within its bound, or not there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from depot.incoming import Incoming
from depot.package import Package
from depot.store import Store
from dsmt_core.errors import Conflict, DsmtError, Full, Invalid, NotFound
from tests.unit.depot.crafted import rpm_bytes

CONTENT = rpm_bytes()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / "depot", max_bytes=10_000)) as opened:
        yield opened


def put(store: Store, content: bytes, announced: str = "", *, piece: int = 100) -> Package:
    incoming = Incoming(store, announced)
    try:
        for begin in range(0, len(content), piece):
            incoming.write(content[begin : begin + piece])
        return incoming.finish()
    finally:
        incoming.drop()


def files(directory: Path) -> set[str]:
    """The files of a store, but its lock."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)) for path in found} - {"lock"}


def test_what_was_put_is_there_under_its_digest(store: Store, tmp_path: Path) -> None:
    package = put(store, CONTENT, DIGEST.upper())
    assert package == store.package(DIGEST)
    assert (package.digest, package.size) == (DIGEST, len(CONTENT))
    assert store.path(DIGEST).read_bytes() == CONTENT
    place = f"blobs/{DIGEST[:2]}/{DIGEST}"
    assert files(tmp_path / "depot") == {place, f"{place}.json"}


def test_the_same_content_twice_takes_its_room_once(store: Store, tmp_path: Path) -> None:
    assert put(store, CONTENT) == put(store, CONTENT)
    assert store.used == len(CONTENT)
    assert len(files(tmp_path / "depot")) == 2


def test_another_digest_than_announced_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="digest"):
        put(store, CONTENT, "0" * 64)
    assert (store.used, files(tmp_path / "depot")) == (0, set())


def test_what_is_no_package_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="not a package"):
        put(store, b"#!/bin/sh\n")
    assert (store.used, files(tmp_path / "depot")) == (0, set())


def test_more_than_the_bound_is_refused_while_it_comes(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Full, match="depot is full"):
        put(store, rpm_bytes(payload=bytes(20_000)))
    assert (store.used, files(tmp_path / "depot")) == (0, set())


def test_more_than_the_bound_is_refused_before_it_comes(store: Store) -> None:
    incoming = Incoming(store)
    with pytest.raises(Full):
        incoming.expect(10_001)
    incoming.expect(10_000)
    other = Incoming(store)
    with pytest.raises(Full):
        other.expect(1)
    other.drop()
    incoming.drop()
    assert store.used == 0


def test_what_was_expected_and_did_not_come_is_given_back(store: Store) -> None:
    incoming = Incoming(store)
    incoming.expect(9_000)
    incoming.write(CONTENT)
    incoming.finish()
    incoming.drop()
    assert store.used == len(CONTENT)


def test_a_full_disk_is_said_in_our_words(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(Full, match="disk"):
        put(store, CONTENT)
    assert store.used == 0


def test_the_disk_keeps_a_spare(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(100, 99, 1))
    with pytest.raises(Full, match="disk"):
        put(store, CONTENT)


def test_deleting_gives_the_room_back(store: Store, tmp_path: Path) -> None:
    put(store, CONTENT)
    store.delete(DIGEST)
    assert (store.used, files(tmp_path / "depot")) == (0, set())
    for ask in (store.delete, store.path, store.package):
        with pytest.raises(NotFound):
            ask(DIGEST)


@pytest.mark.parametrize("digest", ["", "x", "../" * 21 + "x", "0" * 63, "0" * 64 + "\n"])
def test_what_is_no_digest_reaches_no_path(digest: str, store: Store) -> None:
    for ask in (store.path, store.package, store.delete):
        with pytest.raises(Invalid):
            ask(digest)


def test_two_depots_never_share_a_directory(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="another depot"):
        Store(tmp_path / "depot")


def test_a_store_is_as_it_was_when_it_is_opened_again(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path)) as before:
        put(before, CONTENT)
    (tmp_path / "unfinished" / "left").write_bytes(b"half")
    (tmp_path / "blobs" / DIGEST[:2] / f"{'0' * 64}.json").write_text("{}")
    with contextlib.closing(Store(tmp_path)) as after:
        assert after.used == len(CONTENT)
        assert after.package(DIGEST).said.name == "pinger"
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("description", [None, "", "{}", '{"digest": "x"}', "\xff"])
def test_a_torn_description_is_written_anew(description: str | None, tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path)) as before:
        package = put(before, CONTENT)
    path = tmp_path / "blobs" / DIGEST[:2] / f"{DIGEST}.json"
    path.unlink()
    if description is not None:
        path.write_text(description, encoding="latin-1")
    with contextlib.closing(Store(tmp_path)) as after:
        assert after.package(DIGEST) == package


def test_a_cut_blob_is_set_aside_at_the_start(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path)) as before:
        put(before, CONTENT)
        before.path(DIGEST).write_bytes(CONTENT[:-1])
    with contextlib.closing(Store(tmp_path)) as after:
        assert after.used == 0
        with pytest.raises(NotFound):
            after.path(DIGEST)
    assert files(tmp_path) == {f"aside/{DIGEST}"}


class StoreMachine(RuleBasedStateMachine):
    """Put, refuse, delete, break off and reopen in any order: the store equals a dictionary."""

    BOUND = 6_000

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="store-"))
        self.store = Store(self.directory, max_bytes=self.BOUND)
        self.held: dict[str, bytes] = {}

    @rule(size=st.integers(0, 3_000), damage=st.booleans(), lie=st.booleans())
    def put(self, *, size: int, damage: bool, lie: bool) -> None:
        content = rpm_bytes(payload=bytes(size))[: -1 if damage else None]
        digest = hashlib.sha256(content).hexdigest()
        room = sum(map(len, self.held.values())) + len(content) <= self.BOUND
        good = room and not damage and not lie
        try:
            put(self.store, content, "0" * 64 if lie else digest, piece=500)
        except DsmtError:
            assert not good
        else:
            assert good
            self.held[digest] = content

    @rule(size=st.integers(1, 3_000))
    def break_off(self, *, size: int) -> None:
        incoming = Incoming(self.store)
        with contextlib.suppress(Full):
            incoming.write(bytes(size))
        incoming.drop()

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        digest = data.draw(st.sampled_from(sorted(self.held)))
        self.store.delete(digest)
        del self.held[digest]

    @rule()
    def reopen(self) -> None:
        self.store.close()
        (self.directory / "unfinished" / "left").write_bytes(b"x")
        self.store = Store(self.directory, max_bytes=self.BOUND)

    @invariant()
    def it_holds_exactly_what_was_put(self) -> None:
        assert self.store.used == sum(map(len, self.held.values())) <= self.BOUND
        for digest, content in self.held.items():
            assert self.store.path(digest).read_bytes() == content
            assert self.store.package(digest).size == len(content)
        assert len(files(self.directory)) == 2 * len(self.held)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.directory)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=30, stateful_step_count=20)
