"""Which machine a program or a library is for, read from its first bytes (ELF, `elf(5)`)."""

from __future__ import annotations

import struct
from typing import Final

_MAGIC: Final = b"\x7fELF"
# e_machine → the name that rpm uses.
_MACHINES: Final = {
    3: "i386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "armv7hl",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}


def elf_machine(head: bytes) -> str:
    """The architecture of an ELF file from its first 20 bytes.

    Returns:
        rpm's name of it, ``unknown`` for a machine that is not in the table, empty when it is no ELF file.
    """
    if len(head) < 20 or not head.startswith(_MAGIC):
        return ""
    order = ">" if head[5] == 2 else "<"
    machine = int(struct.unpack_from(f"{order}H", head, 18)[0])
    return "ppc64le" if machine == 21 and order == "<" else _MACHINES.get(machine, "unknown")
