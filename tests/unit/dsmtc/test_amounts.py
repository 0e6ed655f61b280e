"""Numbers of bytes as people write them."""

from __future__ import annotations

import pytest

from dsmtc.amounts import bytes_of
from dsmtc.client.kept import Room
from dsmtc.commandline import Misused
from dsmtc.rendering.depots import room


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("1000", 1000),
        ("5k", 5000),
        ("500MB", 500_000_000),
        (" 20G ", 2 * 10**10),
        ("none", 0),
        ("default", None),
    ],
)
def test_they_are_read(text: str, bytes_: int | None) -> None:
    assert bytes_of(text) == bytes_


@pytest.mark.parametrize("text", ["", "0", "x", "1.5G", "-1", "5P", "9" * 16])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(Misused):
        bytes_of(text)


def told(*, allowed: int, is_default: bool) -> str:
    answer: Room = {"slice": "s1", "used": 512, "allowed": allowed, "is_default": is_default}
    (line,) = room(answer)
    return str(line)


def test_room_is_told() -> None:
    assert told(allowed=1024, is_default=True) == "s1 keeps 512 B of 1.0 KiB (the planner's default)"
    assert "its own" in told(allowed=1024, is_default=False)
    assert "no bound" in told(allowed=0, is_default=True)
