"""Markdown out of texts: a table, and text that means nothing to Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """A word of code; nothing for nothing."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """A text on one line that is shown as it is."""
    return escaped(" ".join(text.split()))


def escaped(text: str) -> str:
    """The same with its spaces."""
    return text.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def block(text: str) -> str:
    """Several lines, as a terminal shows them."""
    return f"```text\n{text.strip(chr(10)).rstrip()}\n```\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in cells)} |"
