"""The headers of an RPM file: tags and their values, read within bounds (rpm's format, versions 3 and 4).

Rule of this file: bytes in, values out; every offset and count is checked against the bytes that are
there before it is used.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from dsmt_core.errors import Invalid

_MAGIC: Final = b"\x8e\xad\xe8\x01"
_INTRO: Final = struct.Struct(">4s4xII")
_ENTRY: Final = struct.Struct(">IIII")
# rpm itself allows 65,535 tags; its headers of 100,000 files have some 10 MiB.
_ENTRIES: Final = 1 << 16
_STORE_BYTES: Final = 32 << 20
_VALUES: Final = 300_000

_INTEGERS: Final = {2: "B", 3: "H", 4: "I", 5: "Q"}
_TEXT, _BYTES, _TEXTS, _I18N = 6, 7, 8, 9


@dataclass(frozen=True, slots=True)
class Header:
    """One header of an RPM file.

    Attributes:
        entries: tag → (type, offset into the store, count).
        store: the values.
        raw: the header as it stands in the file, for its digest.
    """

    entries: dict[int, tuple[int, int, int]]
    store: bytes
    raw: bytes

    def texts(self, tag: int) -> tuple[str, ...]:
        """The texts of a tag; none when it is not there.

        Raises:
            Invalid: it reaches beyond the store, or is not text.
        """
        kind, offset, count = self.entries.get(tag, (_TEXTS, 0, 0))
        if kind not in {_TEXT, _TEXTS, _I18N}:
            raise Invalid(f"it is damaged: its tag {tag} is not text")
        if not count:
            return ()
        if count > _VALUES:
            raise Invalid(f"its tag {tag} has more than {_VALUES:,} values")
        words = self.store[offset:].split(b"\0", count)
        if len(words) <= count:
            raise _beyond(tag)
        return tuple(word.decode(errors="surrogateescape") for word in words[:count])

    def text(self, tag: int) -> str:
        """The first text of a tag, or an empty one."""
        return next(iter(self.texts(tag)), "")

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The numbers of a tag; none when it is not there.

        Raises:
            Invalid: it reaches beyond the store, or has no numbers.
        """
        kind, offset, count = self.entries.get(tag, (4, 0, 0))
        if kind not in _INTEGERS:
            raise Invalid(f"it is damaged: its tag {tag} has no numbers")
        values = struct.Struct(f">{count}{_INTEGERS[kind]}")
        if offset + values.size > len(self.store):
            raise _beyond(tag)
        return values.unpack_from(self.store, offset)

    def number(self, tag: int) -> int | None:
        """The first number of a tag, if it is there."""
        return next(iter(self.numbers(tag)), None)

    def blob(self, tag: int) -> bytes:
        """The bytes of a tag; none when it is not there.

        Raises:
            Invalid: it reaches beyond the store, or is no bytes.
        """
        kind, offset, count = self.entries.get(tag, (_BYTES, 0, 0))
        if kind != _BYTES or offset + count > len(self.store):
            raise _beyond(tag)
        return self.store[offset : offset + count]


def read_header(file: BinaryIO) -> Header:
    """The header that begins at the file's position; the position is then behind it.

    Raises:
        Invalid: there is none, or it is cut off.
    """
    intro = _exactly(file, _INTRO.size)
    magic, count, size = _INTRO.unpack(intro)
    if magic != _MAGIC or not 0 < count <= _ENTRIES or size > _STORE_BYTES:
        raise Invalid("it is damaged: there is no legal header where one should be")
    index, store = _exactly(file, count * _ENTRY.size), _exactly(file, size)
    entries = {}
    for tag, kind, offset, number in _ENTRY.iter_unpack(index):
        if offset > size or number > size:
            raise _beyond(tag)
        entries[tag] = (kind, offset, number)
    return Header(entries, store, intro + index + store)


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise Invalid("it is cut off", hint="copy it again; rpm -K FILE says more")
    return data


def _beyond(tag: int) -> Invalid:
    return Invalid(f"it is damaged: its tag {tag} reaches beyond the header")
