"""Reading a log that another process writes and turns: whole lines, each once, from any place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.deployment_agent.application import last_line
from agents.deployment_agent.log_file import Piece, Wish, read
from agents.sliver_init import logs
from agents.sliver_init.stamps import LENGTH, Stamper, is_stamped, stamp_of
from dsmt_core.errors import Unavailable

NOON = 1_800_000_000.0


@pytest.fixture
def var(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path


def text(*lines: tuple[float, str]) -> str:
    return "".join(f"{stamp_of(NOON + at).decode()}{line}\n" for at, line in lines)


def all_of(var: Path, wish: Wish, limit: int = 1 << 16) -> str:
    """Piece by piece, as whoever asks again does."""
    found, place = "", wish
    for _ in range(10_000):
        piece = read(var, "x", place, limit=limit)
        found += piece.text
        if not piece.more:
            return found
        place = Wish(after=piece.place)
    raise AssertionError("there is always more")


def test_the_last_lines_are_told_across_both_files(var: Path) -> None:
    (var / "log" / "x.log.1").write_text("one\ntwo\n")
    (var / "log" / "x.log").write_text("three\nfour\npart")
    assert all_of(var, Wish(lines=1)) == "four\n"
    assert all_of(var, Wish(lines=3)) == "two\nthree\nfour\n"
    assert all_of(var, Wish(lines=99)) == all_of(var, Wish()) == "one\ntwo\nthree\nfour\n"


def test_a_place_stays_good_while_the_log_grows_and_is_turned(var: Path) -> None:
    log = var / "log" / "x.log"
    log.write_text("one\npart")
    place = read(var, "x", Wish()).place
    with log.open("a") as file:
        file.write("ly\ntwo\n")
    log.rename(var / "log" / "x.log.1")
    log.write_text("three\n")
    assert all_of(var, Wish(after=place)) == "partly\ntwo\nthree\n"
    place = read(var, "x", Wish(lines=1)).place
    assert read(var, "x", Wish(after=place)) == Piece("", place)


def test_what_is_gone_is_told(var: Path) -> None:
    log = var / "log" / "x.log"
    log.write_text("one\n")
    place = read(var, "x", Wish()).place
    for number in range(2):
        (var / "log" / f"new{number}").write_text(f"new {number}\n")
    (var / "log" / "new0").rename(var / "log" / "x.log.1")
    (var / "log" / "new1").rename(log)
    piece = read(var, "x", Wish(after=place))
    assert (piece.text, piece.lost, piece.more) == ("new 0\n", True, True)
    log.write_text("")
    assert read(var, "x", Wish(after=f"{log.stat().st_ino}:9")).lost


def test_only_what_is_younger(var: Path) -> None:
    log = var / "log" / "x.log"
    (var / "log" / "x.log.1").write_text("old\n" + text((0, "a"), (1, "b")))
    log.write_text(text((2, "c")) + "with c\n" + text((3, "d")))
    for since, expected in ((0.5, "bcd"), (2, "cd"), (2.001, "d"), (9, "")):
        found = all_of(var, Wish(since=NOON + since))
        assert (
            "".join(line[LENGTH:] for line in found.splitlines() if is_stamped(line.encode())) == expected
        )
    assert all_of(var, Wish(since=NOON + 2)).splitlines()[1] == "with c"
    assert all_of(var, Wish(since=NOON, lines=1)) == text((3, "d"))


def test_a_stamp_across_the_border_of_what_is_read_at_once_is_found(var: Path) -> None:
    for before in range((64 << 10) - LENGTH - 3, (64 << 10) + 3):
        (var / "log" / "x.log").write_text("y" * before + "\n" + text((0, "a")))
        assert all_of(var, Wish(since=NOON)) == text((0, "a"))


def test_a_line_longer_than_a_piece_is_told_in_parts(var: Path) -> None:
    (var / "log" / "x.log").write_text("z" * 2_500 + "\nend\n")
    assert all_of(var, Wish(), limit=1_000) == "z" * 2_500 + "\nend\n"


def test_what_is_bent_is_not_read(var: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    (var / "log" / "x.log").symlink_to(secret)
    os.mkfifo(var / "log" / "x.log.1")
    assert read(var, "x", Wish()).text == ""
    other = tmp_path / "other"
    other.mkdir()
    assert read(other, "x", Wish()).text == ""
    (other / "log").symlink_to(var / "log")
    with pytest.raises(Unavailable):
        read(other, "x", Wish())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab\n", max_size=60), max_size=40), st.integers(30, 200), st.integers(1, 80))
def test_every_byte_is_told_once(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[str], bound: int, limit: int
) -> None:
    """Written as the init writes, turned as it turns; read piece by piece in between."""
    var = tmp_path_factory.mktemp("var")
    path = str(var / "log" / "x.log")
    said, told, place = b"", "", ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "LOG_BYTES", bound)
        for chunk in (text.encode() for text in [*chunks, "\n"]):
            logs.append(path, chunk)
            said += chunk
            while True:
                piece = read(var, "x", Wish(after=place), limit=limit)
                assert not piece.lost
                told, place = told + piece.text, piece.place
                if not piece.more:
                    break
    assert told == said.decode()


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_stamps_begin_lines_and_change_nothing_else(chunks: list[bytes]) -> None:
    stamper = Stamper()
    written = b"".join(stamper.stamped(chunk, NOON) for chunk in chunks if chunk)
    whole = b"".join(chunks)
    lines = written.split(b"\n")
    plain = [line[LENGTH:] if is_stamped(line) else line for line in lines]
    assert b"\n".join(plain) == whole
    assert all(is_stamped(line) for line in lines[:-1])


def test_a_flood_of_empty_lines_is_not_made_larger() -> None:
    assert len(Stamper().stamped(b"\n" * 60_000, NOON)) == 60_000 + LENGTH
    assert last_line(text((0, "one"), (1, "no disk"), (2, ""))) == "no disk"
    assert stamp_of(0.25) == b"1970-01-01T00:00:00.250Z "
    assert not is_stamped(b"1970-01-01 00:00:00.250Z ")
