"""``--dry-run`` and ``--check-index``: look before a change; make it only if all is as it was seen.

Whatever takes ``--dry-run`` ends with exit code 0 when there is nothing to do, 1 when there is, and 255
when that cannot be told: a script asks one question and gets one of three answers.
"""

from __future__ import annotations

from typing import Annotated, Final, NoReturn

import typer

from dsmt_core.errors import Conflict
from dsmtc.client import Foreseen, Preview
from dsmtc.failures import DRY_RUN
from dsmtc.rendering.previews import preview
from dsmtc.rendering.rollouts import foreseen
from dsmtc.session import Session

NOTHING: Final = 0
CHANGES: Final = 1

DryRun = Annotated[
    bool, typer.Option(DRY_RUN, help="tell what it would do, and do nothing; exit code 0, 1, 255")
]
CheckIndex = Annotated[
    str, typer.Option("--check-index", metavar="INDEX", help="only if all is as --dry-run told it")
]


def look_ahead(session: Session, found: Foreseen, index: str = "") -> NoReturn:
    """The same for another release of an application: who would get it in which wave.

    Raises:
        Conflict: ``index`` is given, and is not that of now.
    """
    session.out.answer(found, lambda: foreseen(found))
    _check(index, found["index"])
    touched = found["changes"] or any(wave["hosts"] for wave in found["waves"])
    raise typer.Exit(CHANGES if touched else NOTHING)


def look(session: Session, found: Preview, index: str = "") -> NoReturn:
    """Show what a change would set in motion, and end with the exit code that says whether it is anything.

    Raises:
        Conflict: ``index`` is given, and is not that of now.
    """
    session.out.answer(found, lambda: preview(found))
    _check(index, found["index"])
    raise typer.Exit(CHANGES if found["touched"] else NOTHING)


def _check(index: str, now: str) -> None:
    if index not in {"", now}:
        raise Conflict(f"the world has changed since the index {index!r} was given")
