"""Reading an application's log: two files that the sliver's init writes, NAME.log and before it NAME.log.1.

A place is ``INODE:OFFSET`` and stays good when the log is turned. The way to the files is the application's
to bend, so nothing on it follows a link, and what is no plain file is not read. Blocking, for threads.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agents.sliver_init.stamps import LENGTH, is_stamped
from dsmt_core.calls import PIECE_BYTES
from dsmt_core.errors import Unavailable

_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
_CHUNK: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a log, and where they end.

    Attributes:
        more: there is more already.
        lost: something before them is not kept any more.
    """

    text: str
    place: str
    more: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    descriptor: int
    inode: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self.descriptor, length, offset)


@dataclass(frozen=True, slots=True)
class _Place:
    """A byte of one of the files; ``number`` counts them, the older first."""

    number: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which piece.

    Attributes:
        after: a place that was told; empty: begin as the next two say.
        lines: the last so many; 0: all.
        since: only from this moment on, seconds since the epoch; 0: any.
    """

    after: str = ""
    lines: int = 0
    since: float = 0.0


def read(directory: Path, name: str, wish: Wish, *, limit: int = PIECE_BYTES) -> Piece:
    """A piece of a log.

    Args:
        directory: of the sliver's ``/var`` for this process.
        name: of the application.
        wish: which.
        limit: bytes.

    Raises:
        Unavailable: the log cannot be read.
    """
    with _opened(directory, name) as files:
        if not files:
            return Piece("", wish.after)
        if wish.after:
            start, lost = _found(files, wish.after)
            return _piece(files, start, limit, lost=lost)
        start = max(
            _last_lines(files, wish.lines) if wish.lines else _Place(0, 0),
            _first_since(files, wish.since) if wish.since else _Place(0, 0),
            key=lambda place: (place.number, place.offset),
        )
        return _piece(files, start, limit, lost=False)


def _piece(files: list[_File], start: _Place, limit: int, *, lost: bool) -> Piece:
    number, offset = start.number, start.offset
    while number < len(files) - 1 and offset >= files[number].size:
        number, offset = number + 1, 0
    file = files[number]
    chunk = file.read(offset, min(limit, max(0, file.size - offset)))
    newest = number == len(files) - 1
    ends = not newest and offset + len(chunk) >= file.size
    end = len(chunk) if ends else chunk.rfind(b"\n") + 1
    if not end and len(chunk) >= limit:
        # A line that fills a piece is not waited for.
        end = len(chunk)
    place = offset + end
    more = (place < file.size and len(chunk) >= limit) or not newest
    return Piece(chunk[:end].decode(errors="replace"), f"{file.inode}:{place}", more, lost)


def _found(files: list[_File], after: str) -> tuple[_Place, bool]:
    """Where a place is now, and whether something behind it is gone."""
    inode, _, offset = after.partition(":")
    for number, file in enumerate(files):
        if file.inode == int(inode) and int(offset) <= file.size:
            return _Place(number, int(offset)), False
    return _Place(0, 0), True


def _last_lines(files: list[_File], lines: int) -> _Place:
    """Where the last so many lines begin."""
    left = lines + 1
    for number in reversed(range(len(files))):
        file = files[number]
        end = file.size
        while end > 0:
            begin = max(0, end - _CHUNK)
            chunk = file.read(begin, end - begin)
            # A line that is not whole yet is not counted.
            at = len(chunk)
            while (at := chunk.rfind(b"\n", 0, at)) >= 0:
                left -= 1
                if not left:
                    return _Place(number, begin + at + 1)
            end = begin
        # A file begins a line, as its predecessor's last byte ended one.
    return _Place(0, 0)


def _first_since(files: list[_File], since: float) -> _Place:
    """Where the first line begins that was printed at ``since`` or later."""
    moment = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[: LENGTH - 2].encode()
    for number, file in enumerate(files):
        for offset, line in _beginnings(file):
            if is_stamped(line) and line[: LENGTH - 2] >= moment:
                return _Place(number, offset)
    return _Place(len(files) - 1, files[-1].size)


def _beginnings(file: _File) -> Iterator[tuple[int, bytes]]:
    """Each line's place and its first bytes."""
    offset = 0
    begins = True
    while offset < file.size:
        # So many bytes more that a stamp at the end of a chunk is whole.
        chunk = file.read(offset, _CHUNK + LENGTH)
        if begins:
            yield offset, chunk[:LENGTH]
        at = -1
        while (at := chunk.find(b"\n", at + 1, _CHUNK)) >= 0:
            if offset + at + 1 < file.size:
                yield offset + at + 1, chunk[at + 1 : at + 1 + LENGTH]
        begins = False
        offset += _CHUNK


@contextlib.contextmanager
def _opened(directory: Path, name: str) -> Iterator[list[_File]]:
    """The files that are there, the older first."""
    with contextlib.ExitStack() as stack:
        try:
            top = os.open(directory, _DIRECTORY)
            stack.callback(os.close, top)
            log = os.open("log", _DIRECTORY, dir_fd=top)
            stack.callback(os.close, log)
        except FileNotFoundError:
            yield []
            return
        except OSError as error:
            raise Unavailable(f"the log of {name} cannot be read: {error.strerror}") from error
        files = []
        for file in (f"{name}.log.1", f"{name}.log"):
            with contextlib.suppress(OSError):
                descriptor = os.open(file, _FLAGS, dir_fd=log)
                stack.callback(os.close, descriptor)
                status = os.fstat(descriptor)
                if stat.S_ISREG(status.st_mode):
                    files.append(_File(descriptor, status.st_ino, status.st_size))
        yield files
