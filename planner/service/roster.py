"""The broker's users, kept as they are wanted: made before they are needed, withdrawn at once, repaired.

What is there is remembered, so that a change costs only itself. Once in a while, and at the start, it is
looked at: what somebody removed or altered by hand is mended, and what nobody answers for goes.

Rule: an order for a new sliver goes out only after its users were made, or could not be; an agent whose
user is not there yet is refused by the broker and comes again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

import structlog

from broker.address import as_user, parse
from broker.management import Management, managed_at
from broker.parties import Kind, Party, is_party
from broker.roster import Difference, Entry, difference
from dsmt_core.errors import Banished, DsmtError, Unavailable
from dsmt_core.names import Host, Slice
from dsmt_core.rights import APPLICATION, NODE_USER, OPERATOR, PLANNER
from planner.authority.secret_file import secret_in
from planner.config import PlannerConfig
from planner.parties import Keys, banished, entries, look_s, parties, slivers, slivers_on, with_urls
from planner.service.audit import Audit
from planner.service.means import Means
from planner.store import withdrawals

_AGAIN_S: Final = 2.0
_PAUSE_S: Final = 0.1
# Together: so many take the broker about a second, and others wait meanwhile.
_AT_ONCE: Final = 250
# So long a start waits for the first look; without it new users are refused, and come again.
_FIRST_S: Final = 2.0
_OF_SLICES: Final = f"{Kind.SLICE}."
_TOLD: Final = 20
# Users that all nodes, and all applications, share where the planner keeps none.
_RETIRED: Final = frozenset({NODE_USER, APPLICATION})
Claims = Callable[[], Mapping[Host, str]]
_log = structlog.get_logger(__name__)


class Roster:
    """Keeps the users of the broker.

    Args:
        means: what is wanted, where withdrawals are kept, and what time it is.
        config: URLs of the broker, and of its management; without that all share users, and none is kept.
        claims: who joined: host → the hash of its claim.
        audit: enters what was withdrawn or mended.
    """

    def __init__(self, means: Means, config: PlannerConfig, claims: Claims, audit: Audit) -> None:
        self._means = means
        self.audit = audit
        self._config = config
        self._claims = claims
        self._management: Management | None = None
        self._secret = ""
        self._vhost = ""
        if config.broker_management and config.broker.startswith("amqp"):
            authority = parse(config.broker).authority
            self._management = managed_at(config.broker_management, authority)
            self._secret = secret_in(config.broker_key)
            self._vhost = parse(config.broker).vhost
        self._withdrawn: dict[Host, int] = {}
        self._left: dict[Slice, int] = {}
        self._first: asyncio.Task[None] | None = None
        self._banished: frozenset[Host] = frozenset()
        self._there: set[str] = set()
        self._news = asyncio.Event()
        self._looking = asyncio.Lock()
        self.trouble = ""
        # Who may not connect for a while (`planner.service.floods`).
        self.silenced: Callable[[], Collection[str]] = frozenset

    @property
    def keeps(self) -> bool:
        """Whether each party has a user of its own."""
        return self._management is not None

    async def load(self) -> None:
        """Begin: what is stored, and a first look; what cannot be done now is done later.

        A management interface that keeps one waiting is waited for beside what else begins.
        """
        if not self.keeps:
            return
        self._withdrawn = await self._means.database.read(withdrawals.load)
        self._left = await self._means.database.read(withdrawals.left)
        self._banished = banished(self._means.ledger.wanted, self._claims())
        self._first = asyncio.create_task(self._try(self._look), name="users of the broker, first")
        await asyncio.wait({self._first}, timeout=_FIRST_S)

    async def run(self) -> None:
        """Keep them, for ever."""
        if not self.keeps and self._config.broker.startswith("amqp"):
            _log.warning(
                "nodes share one user of the broker: one that is taken over speaks for all",
                do="start the planner with --broker-management",
            )
        if self._first is not None:
            await self._first
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_S if self.trouble else look_s(len(self._there))):
                    await self._news.wait()
            if not self.keeps:
                self._news.clear()
                continue
            changed = self._news.is_set()
            if changed:
                # Changes come together.
                await asyncio.sleep(_PAUSE_S)
            self._news.clear()
            await self._try(self._follow if changed and not self.trouble else self._look)

    def wake(self) -> None:
        """Something is wanted otherwise."""
        self._news.set()

    async def welcome(self, host: Host, *, anew: bool) -> None:
        """Make the user of a node that joins.

        Args:
            host: its name.
            anew: another machine has the name: its slivers get other passwords, who is there is cut off.

        Raises:
            Banished: it is excluded.
            Unavailable, DsmtError: the broker's management does not answer, or refuses.
        """
        if not self.keeps:
            return
        if host in banished(self._means.ledger.wanted, (host,)):
            mark = self._means.ledger.wanted.standings[host].excluded
            reason = mark.sentence("excluded") if mark is not None else "excluded"
            raise Banished(
                f"{host} is {reason}", hint=f"an admin takes it back: dsmtc nodes include {host}"
            )
        mine = {Party(Kind.NODE, host=host)}
        if anew:
            mine |= slivers_on(self._means.ledger.wanted, host)
            await self._remove({one.user for one in mine} & self._there, "another machine has the name")
        await self._admit(mine)

    async def _admit(self, wanted: Iterable[Party]) -> None:
        out = {*self._there, *self.silenced()}
        await self._put(self._entries([party for party in wanted if party.user not in out]))

    async def expect(self, places: Collection[tuple[Slice, Host]]) -> None:
        """Make the users of slivers that are about to be ordered, as far as it can be done now."""
        if not self.keeps:
            return
        out = banished(self._means.ledger.wanted, {host for _, host in places})
        some = [party for slice_, host in places if host not in out for party in slivers(slice_, host)]
        await self._expect(some)

    async def _expect(self, some: Iterable[Party]) -> None:
        # Nobody waits for a management that does not answer; who is refused comes again.
        looked = self._first is None or self._first.done()
        if looked and not self.trouble:
            await self._try(lambda: self._admit(some))

    def node_url(self, host: Host) -> str:
        """With which URL a node connects."""
        url = self._config.node_broker
        if not self.keeps or not url:
            return url
        return as_user(url, Party(Kind.NODE, host=host).user, self._keys().of_node(host))

    def application_url(self) -> str:
        """With which URL applications connect; a node with a user of its own puts theirs into it."""
        url = self._config.application_broker
        return as_user(url, APPLICATION, "-") if self.keeps and url else url

    async def slice_url(self, slice_: Slice) -> str:
        """With which URL programs of a slice's members connect; its user is made before, if that can be.

        Raises:
            Unavailable: no users are kept, or the planner does not know where the broker is.
        """
        url = self._config.operator_broker or self._config.node_broker
        if not self.keeps or not url:
            raise Unavailable(
                "slices have no users of the broker here",
                hint="start the planner with --broker-management and --operator-broker",
            )
        life, party = self._means.ledger.slice(slice_).life, Party(Kind.SLICE, slice_)
        await self._expect([party])
        return as_user(url, party.user, self._keys().of_slice(slice_, life))

    async def _follow(self) -> None:
        """What is wanted otherwise than before."""
        await self._withdraw()
        wanted = {party.user: party for party in self._parties()}
        gone = {user for user in self._there - wanted.keys() if is_party(user)}
        await self._remove(gone, "nobody answers for it any more")
        await self._put(self._entries([wanted[user] for user in wanted.keys() - self._there]))

    async def _look(self) -> None:
        """What is there, and what has to be done about it."""
        await self._withdraw()
        keys = replace(self._keys(), claims=dict(self._claims()), withdrawn=dict(self._withdrawn))
        # Of a large fleet in a second, in which others want the loop.
        own = await asyncio.to_thread(entries, self._parties(), self._means.ledger.wanted, keys)
        wanted = own | with_urls({PLANNER: self._config.broker, OPERATOR: self._config.operator_broker})
        management = self._managed()
        there = await asyncio.to_thread(management.users, self._vhost)
        retired = await self._unused() & there.hashes.keys()
        found = await asyncio.to_thread(difference, wanted, there, retired)
        first = not self._there
        self._there = set(there.hashes)
        if found and not first:
            await self._tell(found)
        await self._remove(found.strange, "nobody answers for it")
        for user in found.altered:
            await asyncio.to_thread(management.clear_topics, self._vhost, user)
        # Who left knows the password of before, and may be connected with it.
        left = {user for user in found.altered if user.startswith(_OF_SLICES)}
        await self._remove(left, "it is to have another password, or other rights")
        await self._put({user: wanted[user] for user in found.missing | found.altered})

    async def _withdraw(self) -> None:
        """Who is banished since the last time comes back with other passwords only, as do slices left."""
        left = await self._means.database.read(withdrawals.left)
        fewer = {
            Party(Kind.SLICE, name).user for name, count in left.items() if count != self._left.get(name)
        }
        self._left = left
        await self._remove(fewer & self._there, "a member left the slice")
        now_out = banished(self._means.ledger.wanted, self._claims())
        for host in now_out - self._banished:
            count = await self._means.database.write(withdrawals.withdraw, host, at=self._means.clock())
            self._withdrawn[host] = count
            _log.warning("a node may not connect any more", host=host)
            await self.audit.note("node.withdraw", f"node/{host}", {"withdrawn": count})
        self._banished = now_out

    async def _put(self, entries: Mapping[str, Entry]) -> None:
        management = self._managed()
        async with self._looking:
            users = list(entries)
            for first in range(0, len(users), _AT_ONCE):
                some = {user: entries[user] for user in users[first : first + _AT_ONCE]}
                await asyncio.to_thread(management.put_users, self._vhost, some)
                self._there |= some.keys()

    async def _remove(self, users: Collection[str], why: str) -> None:
        if not users:
            return
        async with self._looking:
            self._there -= set(users)
            await asyncio.to_thread(self._managed().remove_users, users)
        _log.info("users of the broker were withdrawn", count=len(users), first=min(users), why=why)

    async def _unused(self) -> set[str]:
        """Users that all shared before, and that nobody uses any more."""
        connections = await asyncio.to_thread(self._managed().connections, self._vhost)
        return set(_RETIRED - {str(one.get("user")) for one in connections})

    async def _tell(self, found: Difference) -> None:
        what = found.told(_TOLD)
        _log.warning("users of the broker were not as they should be, and are mended", **what)
        await self.audit.note("broker.repair", "", what)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except DsmtError as error:
            if error.message != self.trouble:
                _log.warning("the broker's users cannot be kept", reason=error.message)
            self.trouble = error.message
            self._news.set()
        else:
            self.trouble = ""

    def _parties(self) -> set[Party]:
        out = self.silenced()
        return {one for one in parties(self._means.ledger.wanted, self._claims()) if one.user not in out}

    def _entries(self, some: Iterable[Party]) -> dict[str, Entry]:
        return entries(some, self._means.ledger.wanted, self._keys())

    def _keys(self) -> Keys:
        return Keys(self._secret, self._claims(), self._withdrawn, self._left)

    def _managed(self) -> Management:
        if self._management is None:
            raise Unavailable("the broker's users are not the planner's to keep")
        return self._management
