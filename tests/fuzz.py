"""``python -m tests.fuzz --inputs N [--seed S]``: hurt bodies for both decoders, for as long as wanted.

Each input is a file of the kept corpus, changed a few times (or plain random bytes). Only `Invalid` may
come of it; what is read as an event must come back unchanged from both codecs. The first input that
breaks this is printed and ends the run; it belongs into the corpus.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dsmt_core import wire
from dsmt_core.errors import Invalid

CORPUS: Final = Path(__file__).parent / "unit" / "core" / "corpus"
CODECS: Final = {".msgpack": wire.MSGPACK, ".xml": wire.XML}
# Large ones test bounds; hurting them a little tests the same bounds again, slowly.
_LARGEST: Final = 4096
_PIECES: Final = (
    *(
        b"\xc0",
        b"\xc3",
        b"\x81",
        b"\x91",
        b"\x00",
        b"\xff" * 9,
        b"\xed\xa0\x80",
        b"\xef\xbf\xbf",
        b"\xff\xfe",
    ),
    *(b"\xdf\xff\xff\xff\xff", b"\xdd\x00\x01\x00\x00", b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"),
    *(b"\xa3seq", b"\xc7\x01\x05", b"\xd6\xff", b"<", b">", b'="', b" x='1'", b"-", b"1e999", b"\xff\xfe"),
    *(
        b"&#0;",
        b"&#xD800;",
        b"&a;",
        b"<!DOCTYPE a>",
        b"<!--",
        b"<![CDATA[",
        b"]]>",
        b"<?xml version='1.1'?>",
    ),
    *(b"</value>", b"<av>=", b"<extra>", b"<list name='a'>"),
)


def seeds() -> list[tuple[str, bytes]]:
    """Codec and body of each file of the corpus; the good ones, which lead further, several times."""
    files = [path for path in CORPUS.glob("*/*.*") if path.stat().st_size <= _LARGEST]
    return [
        (CODECS[path.suffix], path.read_bytes())
        for path in sorted(files)
        for _ in range(10 if path.parent.name == "taken" else 1)
    ]


def hurt(body: bytes, others: list[tuple[str, bytes]], chance: random.Random) -> bytes:
    """``body``, changed once."""
    start = chance.randrange(len(body) + 1)
    end = min(len(body), start + chance.choice((0, 1, 1, 2, 4, 16, 64)))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: chance.randbytes(chance.randrange(1, 5)),
        lambda: chance.choice(_PIECES),
        lambda: body[start:end] * chance.choice((0, 2, 40)),
        lambda: bytes(byte ^ (1 << chance.randrange(8)) for byte in body[start:end]),
        lambda: chance.choice(others)[1][start:end],
    )
    return body[:start] + chance.choice(ways)() + body[end:]


def try_one(codec: str, body: bytes) -> bool:
    """Whether it was read as an event; anything but `Invalid` rises."""
    try:
        read = wire.decode(body, codec)
    except Invalid:
        return False
    for other in CODECS.values():
        if wire.decode(wire.encode(read, other), other) != read:
            raise AssertionError(f"{other} does not carry what {codec} read")
    return True


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="how many")
    parser.add_argument("--seed", type=int, default=None, help="of the random numbers; printed at the end")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    chance, known, read = random.Random(seed), seeds(), 0  # noqa: S311 - to be repeated, not to be secret
    began = time.monotonic()
    for number in range(asked.inputs):
        codec, body = chance.choice(known)
        if number % 20 == 0:
            body = chance.randbytes(chance.randrange(200))
        for _ in range(chance.randrange(1, 5)):
            body = hurt(body, known, chance)
        try:
            read += try_one(codec, body)
        except Exception:
            sys.stderr.write(f"seed {seed}, input {number}, {codec}: {body!r}\n")
            raise
    seconds = time.monotonic() - began
    sys.stdout.write(f"{asked.inputs} inputs, {read} read, seed {seed}, {seconds:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
