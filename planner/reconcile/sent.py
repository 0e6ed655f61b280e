"""What was ordered and not yet confirmed: when each order is due again.

The planner repeats an order while what it hears differs from what is wanted: at once when the order is
new, then after 2 s, 4 s, … at most 30 s. Soft: after a start everything that is not confirmed is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from dsmt_core.commands import Order
from dsmt_core.names import Application, Host, Slice

FIRST_S: Final = 2.0
MOST_S: Final = 30.0


class Key(NamedTuple):
    """What an order is about; the application is empty for a sliver, the slice for a node."""

    slice: Slice
    host: Host
    application: Application = Application("")  # noqa: RUF009 - a NewType is a plain str
    report: bool = False


@dataclass(slots=True)
class _Sent:
    what: tuple[object, ...]
    times: int
    due: float


class SentOrders:
    """Owned by the task that runs the rounds; `reconcile` changes it in place."""

    def __init__(self) -> None:
        self._sent: dict[Key, _Sent] = {}
        self._answered: dict[tuple[Slice, Host], int] = {}
        self._people: dict[Slice, object] = {}
        self._calm_until: dict[Slice, float] = {}
