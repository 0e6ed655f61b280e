"""Programs and their machines."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from depot.elf import elf_machine


@pytest.mark.parametrize(
    ("machine", "order", "name"),
    [
        (3, 1, "i386"),
        (62, 1, "x86_64"),
        (183, 1, "aarch64"),
        (21, 1, "ppc64le"),
        (21, 2, "ppc64"),
        (9, 1, "unknown"),
    ],
)
def test_the_machine_is_read_in_the_order_of_its_bytes(machine: int, order: int, name: str) -> None:
    head = b"\x7fELF\x02" + bytes([order]) + bytes(12) + struct.pack("<H" if order == 1 else ">H", machine)
    assert elf_machine(head) == name


@pytest.mark.parametrize("head", [b"", b"\x7fELF", b"#!/bin/sh\n" * 10])
def test_what_is_no_program_has_no_machine(head: bytes) -> None:
    assert elf_machine(head) == ""


def test_this_python_is_for_a_known_machine() -> None:
    head = Path(sys.executable).resolve().read_bytes()[:64]
    assert elf_machine(head) not in {"", "unknown"}
