"""The act that goes on: one request of a person, one wish that came over the bus.

It belongs to the task that serves it and to those that this one begins, so nothing has to hand it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

DONE: Final = "done"
BEGUN: Final = "begun"
_CURRENT: Final[ContextVar[Act | None]] = ContextVar("act", default=None)


@dataclass(slots=True)
class Act:
    """What somebody does.

    Attributes:
        word: of `planner.audit.words`.
        account, role: who, as soon as that is known.
        open: who does it is known, so that a write can carry its entry.
        change: what was asked; what was changed is added.
        entered: its entry is in the log, or on its way there.
        refusal: what came of it, when it was refused or failed.
        describe: says what it is about, when that is asked for first.
    """

    word: str = ""
    origin: str = ""
    about: str = ""
    slice: str = ""
    account: str = ""
    role: str = ""
    open: bool = False
    change: dict[str, object] = field(default_factory=dict)
    entered: bool = False
    refusal: str = ""
    describe: Callable[[Act], None] | None = None

    def by(self, account: str, role: str) -> None:
        """Who does it."""
        self.account, self.role, self.open = account, role, True

    def known(self) -> Act:
        """The same, with what it is about."""
        describe, self.describe = self.describe, None
        if describe is not None:
            describe(self)
        return self

    def note(self, changed: Mapping[str, object]) -> None:
        """What else is to be remembered of it."""
        self.change.update(changed)


def current() -> Act | None:
    """The act that goes on, if one does."""
    return _CURRENT.get()


@contextmanager
def acting(act: Act | None) -> Iterator[None]:
    """Have ``act`` go on; None: what happens is no act, or one that has its entry."""
    before = _CURRENT.set(act)
    try:
        yield
    finally:
        _CURRENT.reset(before)
