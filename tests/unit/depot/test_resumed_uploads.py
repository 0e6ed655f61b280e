"""Uploads that broke off and are gone on with, and what others make of that."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import pytest

from depot.incoming import Incoming
from depot.store import Store
from dsmt_core.errors import Conflict, Full, Invalid
from tests.unit.depot.crafted import rpm_bytes

CONTENT = rpm_bytes({1000: "dsmtw_pinger"})
DIGEST = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2


def broken(store: Store, content: bytes, *, scope: str = "s1") -> None:
    incoming = Incoming(store, DIGEST, scope=scope)
    incoming.expect(len(CONTENT))
    incoming.write(content)
    incoming.drop()
    incoming.drop()


@pytest.fixture
def store(tmp_path: Path) -> contextlib.closing[Store]:
    return contextlib.closing(Store(tmp_path, max_bytes=3 * len(CONTENT)))


def test_it_is_gone_on_with_also_by_the_next_life(store: contextlib.closing[Store], tmp_path: Path) -> None:
    with store as opened:
        broken(opened, CONTENT[:HALF])
        assert (opened.used, opened.parts.received(DIGEST, "s1")) == (HALF, HALF)
    with contextlib.closing(Store(tmp_path, max_bytes=10**6)) as again:
        assert (again.used, again.parts.received(DIGEST, "s1")) == (HALF, HALF)
        incoming = Incoming(again, DIGEST, scope="s1", begin=HALF)
        incoming.expect(len(CONTENT))
        incoming.write(CONTENT[HALF:])
        assert incoming.finish().digest == DIGEST
        incoming.drop()
        assert again.used == len(CONTENT)
        assert again.path(DIGEST).read_bytes() == CONTENT
        assert not list((tmp_path / "unfinished").iterdir())


def test_another_slice_does_not_go_on_with_it(store: contextlib.closing[Store]) -> None:
    with store as opened:
        broken(opened, CONTENT[:HALF])
        assert opened.parts.received(DIGEST, "s2") == 0
        with pytest.raises(Conflict, match="0 bytes came earlier"):
            Incoming(opened, DIGEST, scope="s2", begin=HALF)
        assert opened.used == HALF


@pytest.mark.parametrize("begin", [1, HALF - 1, HALF + 1, 10**9])
def test_another_number_of_bytes_is_refused_and_what_came_stays(
    begin: int, store: contextlib.closing[Store]
) -> None:
    with store as opened:
        broken(opened, CONTENT[:HALF])
        with pytest.raises(Conflict):
            Incoming(opened, DIGEST, scope="s1", begin=begin)
        assert opened.parts.received(DIGEST, "s1") == HALF == opened.used


def test_what_is_wrong_in_the_end_leaves_nothing(store: contextlib.closing[Store], tmp_path: Path) -> None:
    with store as opened:
        broken(opened, b"x" * HALF)
        incoming = Incoming(opened, DIGEST, scope="s1", begin=HALF)
        incoming.write(CONTENT[HALF:])
        with pytest.raises(Invalid, match="altered"):
            incoming.finish()
        incoming.drop()
        assert opened.used == 0
        assert not list((tmp_path / "unfinished").iterdir())


def test_beginning_anew_forgets_what_came(store: contextlib.closing[Store]) -> None:
    with store as opened:
        broken(opened, b"x" * HALF)
        incoming = Incoming(opened, DIGEST, scope="s1")
        incoming.write(CONTENT)
        incoming.finish()
        incoming.drop()
        assert opened.used == len(CONTENT)


def test_two_who_send_the_same_do_not_meet(store: contextlib.closing[Store]) -> None:
    with store as opened:
        first, second = Incoming(opened, DIGEST, scope="s1"), Incoming(opened, DIGEST, scope="s1")
        first.write(CONTENT[:HALF])
        assert opened.parts.received(DIGEST, "s1") == 0
        second.write(CONTENT)
        second.finish()
        second.drop()
        first.drop()
        assert opened.used == len(CONTENT) + HALF


def test_parts_go_when_the_room_is_needed_or_they_are_old(
    store: contextlib.closing[Store], tmp_path: Path
) -> None:
    with store as opened:
        broken(opened, CONTENT[:HALF])
        opened.reserve(3 * len(CONTENT))
        assert opened.used == 3 * len(CONTENT)
        with pytest.raises(Full):
            opened.reserve(1)
        opened.reserve(-3 * len(CONTENT))
        broken(opened, CONTENT[:HALF])
        (part,) = (tmp_path / "unfinished").iterdir()
        os.utime(part, (1, 1))
        opened.ages()
        assert (opened.used, part.exists()) == (0, False)


def test_without_a_digest_or_a_scope_nothing_stays(
    store: contextlib.closing[Store], tmp_path: Path
) -> None:
    with store as opened:
        for digest, scope in (("", "s1"), (DIGEST, "")):
            incoming = Incoming(opened, digest, scope=scope)
            incoming.write(CONTENT[:HALF])
            incoming.drop()
        assert opened.used == 0
        assert not list((tmp_path / "unfinished").iterdir())
