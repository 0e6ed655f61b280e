"""Entry points of a wrapper in a sliver without walls, where `/usr/local` is somewhere else.

`rpmgen` writes them as two lines, the second ``exec PATH "$@"``. Where the sliver's own tree has PATH, the
script is made to run that one; anything else is left as it is.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_BYTES: Final = 4096
_SHELL: Final = "#!/bin/sh"


def relocate(root: Path, placed: Iterable[Path]) -> None:
    """Let the entry points among ``placed`` run what lies below ``root``."""
    for path in placed:
        if path.parent.parent == root / "opt" / "dsmt" and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                text = file.read(_BYTES).decode(errors="replace")
            moved = relocated(text, root)
            if moved != text:
                path.write_text(moved, encoding="utf-8")


def relocated(text: str, root: Path) -> str:
    """The script ``text`` with its program taken from below ``root``, if it is there."""
    lines = text.splitlines()
    if len(lines) != 2 or lines[0] != _SHELL:
        return text
    try:
        words = shlex.split(lines[1])
    except ValueError:
        return text
    if len(words) != 3 or words[0] != "exec" or words[2] != "$@" or not words[1].startswith("/"):
        return text
    there = root / words[1].lstrip("/")
    return f'{_SHELL}\nexec {shlex.quote(str(there))} "$@"\n' if there.is_file() else text
