"""What people ask of an application: start, stop, restart, update, uninstall."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection

from dsmt_core.commands import Verb
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.names import Application, Host, Slice
from dsmt_core.watch import Watch
from planner import turns
from planner.foresight import Foresight
from planner.service.guards import Guards
from planner.service.means import Means
from planner.service.previews import check_index, written_foresight
from planner.store import applications, packages

VERBS: Final = {
    verb.lower(): verb for verb in (Verb.START, Verb.STOP, Verb.RESTART, Verb.UPDATE, Verb.UNINSTALL)
}

_ENDING: Final = frozenset({Verb.STOP, Verb.UNINSTALL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of an application.

    Attributes:
        hosts: only there; none: everywhere.
        version: for update: to which.
        index: for update: only if all is as `Applications.foresee` told it; empty: in any case.
    """

    application: Application
    hosts: tuple[Host, ...] = ()
    version: str = ""
    index: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb did: the hosts that it is about, and whether anything changed."""

    application: Application
    hosts: tuple[Host, ...]
    changed: bool


class Applications:
    """Turns verbs into wanted."""

    def __init__(self, means: Means, guards: Guards) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._guards = guards

    async def ask(self, slice_: Slice, verb: Verb, asked: Asked) -> Answer:
        """Do what a verb asks.

        Raises:
            NotFound: no such slice, application, host or version.
            Invalid: the verb does not take hosts or a version.
            Conflict: the application or the new version still lacks a package; or fewer would be left than
                the guard rails of the slice demand.
        """
        turn = _turn(verb, asked)

        def turned(connection: Connection) -> applications.Turned:
            depot = packages.listed(connection, slice_)
            if asked.index:
                check_index(asked.index, applications.foreseen(connection, slice_, turn, depot).index)
            return applications.turn(connection, slice_, turn, depot)

        def holds() -> None:
            if verb in _ENDING:
                self._guards.check_stop(slice_, asked.application, asked.hosts)

        done = await self._ledger.change_if(slice_, holds, turned)
        return Answer(asked.application, done.hosts, done.changed)

    def watch(self, slice_: Slice, name: Application) -> dict[str, Any]:
        """How an application is watched, as the API shows it.

        Raises:
            NotFound: no such slice or application.
        """
        wanted = turns.wanted_of(self._ledger.slice(slice_), name)
        return {"application": name, **asdict(wanted.watch)}

    async def set_watch(self, slice_: Slice, name: Application, watch: Watch) -> dict[str, Any]:
        """Have an application watched in another way; it is not restarted.

        Raises:
            NotFound: no such slice or application.
            Conflict: the application still lacks a package.
        """
        changed = await self._ledger.change(slice_, applications.watch, slice_, name, watch)
        return {**self.watch(slice_, name), "changed": changed}

    async def foresee(self, slice_: Slice, verb: Verb, asked: Asked) -> dict[str, Any]:
        """What an update would change; refused as `ask` refuses it.

        Raises:
            Invalid: of any other verb nothing is foreseen.
        """
        if verb is not Verb.UPDATE:
            raise Invalid(f"{verb.lower()} takes no dry run", hint="update does")
        turn = _turn(verb, asked)

        def thought(connection: Connection) -> Foresight:
            return applications.foreseen(connection, slice_, turn, packages.listed(connection, slice_))

        return written_foresight(await self._database.read(thought))


def _turn(verb: Verb, asked: Asked) -> applications.Turn:
    if (asked.version or asked.index) and verb is not Verb.UPDATE:
        raise Invalid(f"{verb.lower()} takes no version and no index", hint="update does")
    return applications.Turn(
        application=asked.application, verb=verb, hosts=asked.hosts, version=asked.version
    )


def verb_of(text: str) -> Verb:
    """The verb that people write in lower case.

    Raises:
        NotFound: there is none.
    """
    if text not in VERBS:
        raise NotFound(f"there is no verb {text[:40]!r}", hint=f"the verbs are {', '.join(VERBS)}")
    return VERBS[text]
