"""Who is to have a user of the broker, and which password: from what is wanted. Pure.

A node that people excluded has none, from the moment on when nothing is left on it, or at once if they said
so; nor have the slivers on it. What is on its way out of a node keeps its own, until the node says that it
is gone: so it can say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from broker.address import parse, password_in
from broker.parties import Kind, Party, derived, rights_of, sliver_password
from broker.roster import Entry, shared
from dsmt_core.names import Host, Slice
from planner.standing import IN_SERVICE
from planner.wanted import Wanted

_LOOK_S: Final = 10.0
# Ten thousand users are read in a second: then it is looked once a minute.
_USERS_A_SECOND: Final = 200


@dataclass(frozen=True, slots=True)
class Keys:
    """From what passwords follow.

    Attributes:
        secret: of the installation.
        claims: host → the hash of the claim of the node that has the name.
        withdrawn: host → how often its users were withdrawn.
        left: slice → how often a member left it.
    """

    secret: str = field(repr=False)
    claims: Mapping[Host, str]
    withdrawn: Mapping[Host, int]
    left: Mapping[Slice, int] = field(default_factory=dict)

    def of_node(self, host: Host) -> str:
        """The password of a node."""
        count = self.withdrawn.get(host, 0)
        return derived(self.secret, Kind.NODE, host, self.claims.get(host, ""), str(count))

    def of_slice(self, slice_: Slice, life: int) -> str:
        """The password of the programs of a slice's members."""
        count = self.left.get(slice_, 0)
        return derived(self.secret, Kind.SLICE, slice_, str(life), *([str(count)] if count else []))


def banished(wanted: Wanted, joined: Iterable[Host]) -> frozenset[Host]:
    """The nodes that may not connect: excluded at once, or excluded and empty."""
    out = {host: wanted.standings.get(host, IN_SERVICE).excluded for host in joined}
    excluded = {host: mark for host, mark in out.items() if mark is not None}
    used = wanted.hosts if excluded else frozenset()
    return frozenset(host for host, mark in excluded.items() if mark.at_once or host not in used)


def parties(wanted: Wanted, joined: Iterable[Host]) -> set[Party]:
    """Everybody who is to have a user."""
    welcome = set(joined) - banished(wanted, joined)
    found = {Party(Kind.NODE, host=host) for host in welcome}
    for one in wanted.slices.values():
        found.add(Party(Kind.SLICE, one.name))
        for host in (one.hosts.keys() | one.retired.keys()) & welcome:
            found |= slivers(one.name, host)
    return found


def slivers_on(wanted: Wanted, host: Host) -> set[Party]:
    """Those of all slivers on a host."""
    named = (one.name for one in wanted.slices.values() if host in one.hosts or host in one.retired)
    return {party for slice_ in named for party in slivers(slice_, host)}


def slivers(slice_: Slice, host: Host) -> set[Party]:
    """Those of one sliver: its agent and its applications."""
    return {Party(Kind.AGENT, slice_, host), Party(Kind.SLIVER, slice_, host)}


def entry(party: Party, wanted: Wanted, keys: Keys) -> Entry:
    """The user of a party."""
    slice_ = wanted.slices.get(party.slice)
    life = 0 if slice_ is None else slice_.life
    if party.kind is Kind.SLICE:
        password = keys.of_slice(party.slice, life)
    else:
        password = keys.of_node(party.host)
        if party.kind is not Kind.NODE:
            password = sliver_password(password, party, life)
    return Entry(password, rights_of(party))


def entries(some: Iterable[Party], wanted: Wanted, keys: Keys) -> dict[str, Entry]:
    """The users of some parties, by name."""
    return {party.user: entry(party, wanted, keys) for party in some}


def with_urls(urls: Mapping[str, str]) -> dict[str, Entry]:
    """The users that are no parties, the planner's own and that of operators: URLs have the passwords."""
    found = {}
    for user, url in urls.items():
        rights = shared(user)
        if rights is not None and url and parse(url).user == user:
            found[user] = Entry(password_in(url), rights)
    return found


def look_s(users: int) -> float:
    """Seconds between two looks at so many users."""
    return _LOOK_S + users / _USERS_A_SECOND
