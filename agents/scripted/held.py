"""What an agent of scripts holds: a small file for each application, for all commands of the agent."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from agents import state_file
from dsmt_core.commands import Order, Verb
from dsmt_core.configuration import Configuration
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.lifecycle import State, state
from dsmt_core.names import Application, application
from dsmt_core.nodes import Held

_SUFFIX: Final = ".json"
# What an order is carried out by saying at last.
_GOALS: Final = {
    Verb.STOP: frozenset({State.TERMINATED}),
    Verb.UNINSTALL: frozenset({State.TERMINATED}),
}
_RUNS: Final = frozenset({State.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One application: its last order, and what was said of it.

    Attributes:
        said: the last state that was said, under whichever order; undefined before.
        installed: the version that runs or rests; empty when there is none.
        configuration: that of the order, as its text; ``started``: with which it was last started.
        done: whether that under which this order is carried out was said since it came.
    """

    verb: Verb
    generation: int
    version: str = ""
    packages: str = ""
    restarts: int = 0
    digest: str = ""
    configuration: str = ""
    started: str = ""
    said: State = State.UNDEFINED
    installed: str = ""
    done: bool = False

    @property
    def held(self) -> Held:
        """As holdings tell it."""
        return Held(
            generation=self.generation,
            version=self.installed,
            state=self.said,
            restarts=self.restarts,
            digest=self.digest,
            configuration=Configuration.parse(self.started).digest,
        )

    def has(self, order: Order) -> bool:
        """Whether what the order names is installed already, or was ordered before and is only to rest."""
        same = self.packages == " ".join(map(str, order.packages))
        return same and (self.installed == order.version or order.verb is Verb.STOP)

    def saying(self, became: State) -> Kept:
        """The same after this state was said."""
        there = self.version if became is State.RUNNING else self.installed
        gone = became is State.TERMINATED and self.verb is Verb.UNINSTALL
        done = became in _GOALS.get(self.verb, _RUNS)
        return replace(self, said=became, installed="" if gone else there, done=done)

    def line(self, name: Application) -> str:
        """What a script reads: the verb, the application, its version or ``-``, and its packages."""
        return " ".join([self.verb, name, self.version or "-", *self.packages.split()])


def asked(order: Order) -> Kept:
    """What an order says, of which nothing was done yet."""
    return Kept(
        verb=order.verb,
        generation=order.generation,
        version=order.version,
        packages=" ".join(map(str, order.packages)),
        restarts=order.restarts,
        digest=order.digest,
        configuration=order.configuration.text,
    )


def taken(order: Order, before: Kept | None) -> Kept | None:
    """What is held once an order has come; None when it is older than what is held.

    The same order again changes nothing, whichever verb says best what it changes.
    """
    if before is None:
        return asked(order)
    if order.generation < before.generation:
        return None
    if (order.generation, order.digest) == (before.generation, before.digest):
        return before
    return replace(asked(order), started=before.started, installed=before.installed, said=before.said)


class Holdings:
    """The files, in a directory of the agent's own; blocking."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def all(self) -> dict[Application, Kept]:
        """Everything; what cannot be read is not there, and the planner orders it again."""
        found = {}
        for path in sorted(self._directory.glob(f"*{_SUFFIX}")):
            kept = _read(state_file.load(path).value or {})
            if kept is not None:
                found[application(path.name.removesuffix(_SUFFIX))] = kept
        return found

    def of(self, name: Application) -> Kept:
        """One application.

        Raises:
            NotFound: nothing was ordered about it.
        """
        kept = _read(state_file.load(self._path(name)).value or {})
        if kept is None:
            raise NotFound(f"nothing was ordered about {name}", hint="the name is the order's second word")
        return kept

    def keep(self, name: Application, kept: Kept) -> None:
        """Write it down.

        Raises:
            OSError: the disk has no room.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        state_file.save(self._path(name), {**asdict(kept), "said": str(kept.said), "verb": str(kept.verb)})

    def begin(self, known: Mapping[Application, Kept]) -> None:
        """Begin with what another agent held; nothing where something is known already.

        Raises:
            OSError: the disk has no room.
        """
        if not self._directory.exists():
            for name, kept in known.items():
                self.keep(name, kept)

    def end(self) -> None:
        """Forget everything."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _path(self, name: Application) -> Path:
        return self._directory / f"{name}{_SUFFIX}"


def _read(values: Mapping[str, Any]) -> Kept | None:
    try:
        return Kept(
            verb=Verb(values["verb"]),
            generation=int(values["generation"]),
            version=str(values["version"]),
            packages=str(values["packages"]),
            restarts=int(values["restarts"]),
            digest=str(values["digest"]),
            configuration=str(values["configuration"]),
            started=str(values["started"]),
            said=state(str(values["said"])),
            installed=str(values["installed"]),
            done=values["done"] is True,
        )
    except (KeyError, TypeError, ValueError, Invalid):
        return None
