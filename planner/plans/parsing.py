"""Parsing conditions: by a library, and never more than it bears.

What is long or deep is refused before it costs anything.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from dsmt_core.errors import Invalid
from planner.plans.pointing import pointed

BYTES: Final = 4096
DEPTH: Final = 50
HINT: Final = "such as \"country in ('CN','JP') and load1 < 2\"; docs/reference/plans.md has all of it"
NEAR: Final = 12
_MARKS: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]")
_CALLS: Final = 3_000


def _check_size(text: str) -> None:
    size = len(text.encode(errors="surrogatepass"))
    if size > BYTES:
        raise Invalid(f"the condition is {size} bytes long", hint=f"at most {BYTES}")
    depth = deepest = 0
    for mark in _MARKS.findall(text):
        depth += {"(": 1, ")": -1}.get(mark, 0)
        deepest = max(deepest, depth)
    if deepest > DEPTH:
        raise too_deep()


def too_deep() -> Invalid:
    """The error for what is nested too deep."""
    return Invalid(f"the condition is nested more than {DEPTH} deep", hint="split it into several plans")


def parsed(text: str) -> Any:
    """The library's tree of a text.

    Raises:
        Invalid: it is too long, too deep, or no condition at all; the place is told where there is one.
    """
    import sqlglot  # noqa: PLC0415 - only who has a condition loads the parser
    from sqlglot.errors import ParseError, SqlglotError  # noqa: PLC0415

    _check_size(text)
    try:
        with _deep_enough():
            found = sqlglot.parse(text, dialect="postgres")
    except RecursionError:
        raise too_deep() from None
    except ParseError as error:
        where = error.errors[0] if error.errors else {}
        raise _not_understood(text, where.get("col"), where.get("highlight", "")) from None
    except SqlglotError:
        what = "the condition is not understood: a quote or remark does not end"
        raise Invalid(what, hint=HINT, place=pointed(text, _unended(text))) from None
    if len(found) != 1 or found[0] is None:
        raise Invalid(
            "the condition is empty" if not any(found) else "there are several conditions", hint=HINT
        )
    return found[0]


@contextmanager
def _deep_enough() -> Iterator[None]:
    """Each level takes the parser some twenty calls, and whoever asks has made many already."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _CALLS))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _not_understood(text: str, column: int | None, highlight: str) -> Invalid:
    if column is None:
        return Invalid("the condition is not understood", hint=HINT)
    end = min(column, len(text))
    near = text[max(0, end - len(highlight) - NEAR) : end + NEAR]
    start = max(end - max(len(highlight), 1), 0)
    what = f"the condition is not understood at column {start + 1}, near {near!r}"
    return Invalid(what, hint=HINT, place=pointed(text, start))


def _unended(text: str) -> int:
    """Where the quote or remark begins that does not end."""
    rest = _MARKS.sub(lambda found: " " * len(found.group()), text)
    places = [rest.find(mark) for mark in ("'", '"', "/*", "$")]
    return min((place for place in places if place >= 0), default=len(text))
