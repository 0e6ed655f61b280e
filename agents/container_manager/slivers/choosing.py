"""Which driver this machine gets: what was asked for, or by `auto` the best that really works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from agents.container_manager.limits.groups import Groups
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.driver import SliverDriver
from agents.container_manager.slivers.process import ProcessDriver
from dsmt_core.errors import Invalid, Unavailable

AUTO: Final = "auto"
# Best first.
DRIVERS: Final[Mapping[str, Callable[[Groups | None], SliverDriver]]] = {
    "bubblewrap": BubblewrapDriver,
    "process": ProcessDriver,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A driver, and what an operator should know about the choice; empty when there is nothing."""

    driver: SliverDriver
    warning: str = ""


def choose(name: str, groups: Groups | None = None) -> Choice:
    """The driver called ``name``, tried; by ``auto`` the first that works.

    Raises:
        Invalid: there is no such driver.
        Unavailable: it was asked for by name and does not work here.
    """
    if name == AUTO:
        return _best(groups)
    if name not in DRIVERS:
        raise Invalid(f"{name!r} is not a sliver driver", hint=f"one of auto, {', '.join(DRIVERS)}")
    driver = DRIVERS[name](groups)
    reason = driver.probe()
    if reason:
        raise Unavailable(
            f"slivers by {name} do not work here: {reason}",
            hint="--sliver-driver auto takes what works",
        )
    return Choice(driver)


def _best(groups: Groups | None) -> Choice:
    reasons: list[str] = []
    for name, make in DRIVERS.items():
        driver = make(groups)
        reason = driver.probe()
        if not reason:
            said = "; ".join(reasons)
            return Choice(driver, said and f"slivers by {name}, without walls between them: {said}")
        reasons.append(reason)
    raise Unavailable(f"no sliver driver works here: {'; '.join(reasons)}")
