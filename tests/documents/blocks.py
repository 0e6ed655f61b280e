"""What a page shows as code, and what the comments above it say."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

_PIECE: Final = re.compile(
    r"^```(?P<language>\w*)\n(?P<fenced>.*?)^```$"
    r"|^<!--\s*(?P<name>[a-z ]+?)(?::\s*(?P<told>.*?))?\s*-->$"
    r"|(?:(?<=\n\n)|\A)(?P<indented>    [^\n]*\n(?:(?:    [^\n]*)?\n)*)",
    re.DOTALL | re.MULTILINE,
)
# Below a point of a list what is indented goes on with the point.
_POINT: Final = re.compile(r" {0,3}([*-]|\d+\.) ")
MARKS: Final = ("not run", "file", "output", "stays", "exits", "inside", "dry")
OF_PAGE: Final = ("here", "world")


@dataclass(frozen=True, slots=True)
class Block:
    """Code of a page, or lines that only prepare (``prepare``).

    Attributes:
        line: of the page, where it begins.
        language: of a fenced one; empty for an indented one.
        text: without the indent.
        marks: what the comments above it say, by name.
    """

    line: int
    language: str
    text: str
    marks: dict[str, str]

    @property
    def executed(self) -> bool:
        """Whether something is to be done with it; ``not run`` says why not."""
        return "not run" not in self.marks


@dataclass(frozen=True, slots=True)
class Page:
    """A document.

    Attributes:
        blocks: in order.
        here: what is written for what.
        pingers: on how many nodes the application pinger runs when it begins.
    """

    name: str
    blocks: tuple[Block, ...] = ()
    here: tuple[tuple[str, str], ...] = ()
    pingers: int = 0


def page_of(path: Path) -> Page:
    """Read a page.

    Raises:
        ValueError: a comment says something that nobody understands, or stands above nothing.
    """
    page, marks = Page(path.stem), dict[str, str]()
    for block in _pieces(path.read_text()):
        name = block.marks.get("comment")
        if name is None:
            page = replace(page, blocks=(*page.blocks, replace(block, marks=marks)))
            marks = {}
        elif name in OF_PAGE:
            page = _told(page, name, block.text)
        elif name == "prepare":
            page = replace(page, blocks=(*page.blocks, replace(block, marks={"prepare": ""})))
        elif name in MARKS:
            marks[name] = block.text
        else:
            raise ValueError(f"{path.name}:{block.line}: {name!r} is none of {MARKS + OF_PAGE}")
    if marks:
        raise ValueError(f"{path.name}: {marks} stands above no block")
    return page


def _told(page: Page, name: str, text: str) -> Page:
    if name == "world":
        return replace(page, pingers=int(text.removeprefix("pinger ")))
    old, _, new = text.partition(" = ")
    return replace(page, here=(*page.here, (old, new)))


def _pieces(text: str) -> Iterator[Block]:
    """Blocks, and comments as blocks with the mark ``comment``."""
    for match in _PIECE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["name"]:
            yield Block(line, "", match["told"] or "", {"comment": match["name"]})
        elif match["indented"] is None:
            yield Block(line, match["language"], match["fenced"], {})
        elif not _POINT.match(text[: match.start()].rstrip().rpartition("\n\n")[2]):
            code = textwrap.dedent(match["indented"]).strip("\n")
            yield Block(line, "", f"{code}\n", {})
