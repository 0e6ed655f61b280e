"""What people ask of an application: start, stop, restart, update, uninstall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from dsmt_core.commands import Verb
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.names import Application, Host, Slice
from planner.service.guards import Guards
from planner.service.ledger import Ledger
from planner.store import applications, packages

VERBS: Final = {
    verb.lower(): verb for verb in (Verb.START, Verb.STOP, Verb.RESTART, Verb.UPDATE, Verb.UNINSTALL)
}

_ENDING: Final = frozenset({Verb.STOP, Verb.UNINSTALL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of which application, only on which hosts (none: everywhere), and for update to which version."""

    application: Application
    hosts: tuple[Host, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb did: the hosts that it is about, and whether anything changed."""

    application: Application
    hosts: tuple[Host, ...]
    changed: bool


class Applications:
    """Turns verbs into wanted."""

    def __init__(self, ledger: Ledger, guards: Guards) -> None:
        self._ledger = ledger
        self._guards = guards

    async def ask(self, slice_: Slice, verb: Verb, asked: Asked) -> Answer:
        """Do what a verb asks.

        Raises:
            NotFound: no such slice, application, host or version.
            Invalid: the verb does not take hosts or a version.
            Conflict: the application or the new version still lacks a package; or fewer would be left than
                the guard rails of the slice demand.
        """
        if asked.version and verb is not Verb.UPDATE:
            raise Invalid(f"{verb.lower()} takes no version", hint="update does")
        turn = applications.Turn(
            application=asked.application, verb=verb, hosts=asked.hosts, version=asked.version
        )

        def turned(connection: Connection) -> applications.Turned:
            return applications.turn(connection, slice_, turn, packages.listed(connection, slice_))

        def holds() -> None:
            if verb in _ENDING:
                self._guards.check_stop(slice_, asked.application, asked.hosts)

        done = await self._ledger.change_if(slice_, holds, turned)
        return Answer(asked.application, done.hosts, done.changed)


def verb_of(text: str) -> Verb:
    """The verb that people write in lower case.

    Raises:
        NotFound: there is none.
    """
    if text not in VERBS:
        raise NotFound(f"there is no verb {text[:40]!r}", hint=f"the verbs are {', '.join(VERBS)}")
    return VERBS[text]
