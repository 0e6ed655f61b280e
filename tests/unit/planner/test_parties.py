"""Who is to have a user of the broker, and what has to change there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.access import HASHING, password_hash
from broker.parties import Kind, Party, rights_of
from broker.roster import Difference, Entry, Seen, definitions, difference, seen, shared
from dsmt_core.names import Host, Slice
from planner.parties import Keys, banished, entry, look_s, parties, slivers_on
from planner.standing import Exclusion, Standing
from planner.wanted import Wanted, WantedSlice

N1, N2, N3 = Host("n1"), Host("n2"), Host("n3")
A = Slice("a")
WANTED = Wanted(
    {A: WantedSlice(name=A, managed=True, generation=1, hosts={N1: 1}, retired={N2: 2}, life=7)}
)
KEYS = Keys("secret", {N1: "c1", N2: "c2"}, {})
SALT = b"salt"


def excluded(host: Host, *, at_once: bool) -> Wanted:
    mark = Exclusion(by="ann", since=1.0, reason="stolen", at_once=at_once)
    return replace(WANTED, standings={host: Standing(excluded=mark)})


def test_each_node_sliver_and_slice_has_its_own() -> None:
    found = {party.user for party in parties(WANTED, [N1, N2, N3])}
    slivers = {f"{kind}.a.{host}" for kind in ("agent", "sliver") for host in ("n1", "n2")}
    assert found == {"node.n1", "node.n2", "node.n3", "slice.a", *slivers}


def test_those_on_a_host_are_those_of_its_slivers() -> None:
    assert {party.user for party in slivers_on(WANTED, N2)} == {"agent.a.n2", "sliver.a.n2"}
    assert slivers_on(WANTED, N3) == set()


def test_a_sliver_on_a_node_that_never_joined_has_none() -> None:
    assert {party.user for party in parties(WANTED, [])} == {"slice.a"}


@pytest.mark.parametrize(
    ("host", "at_once", "out"),
    [(N1, True, {N1}), (N1, False, frozenset()), (N3, False, {N3})],
)
def test_an_excluded_node_is_banished_at_once_or_when_it_is_empty(
    host: Host, out: set[Host], *, at_once: bool
) -> None:
    wanted = excluded(host, at_once=at_once)
    assert banished(wanted, [N1, N2, N3]) == out
    assert {party.host for party in parties(wanted, [N1, N2, N3])} - {""} == {N1, N2, N3} - out


def test_whom_a_member_left_has_another_password_and_nobody_else() -> None:
    left = replace(KEYS, left={A: 1})
    assert left.of_slice(A, 7) not in {KEYS.of_slice(A, 7), replace(KEYS, left={A: 2}).of_slice(A, 7)}
    assert left.of_slice(Slice("b"), 7) == KEYS.of_slice(Slice("b"), 7)
    assert left.of_node(N1) == KEYS.of_node(N1)


def test_who_is_not_excluded_is_not_banished() -> None:
    assert banished(Wanted(standings={N1: Standing()}), [N1]) == frozenset()


def test_what_makes_a_party_another_one_makes_its_password_another_one() -> None:
    def password(kind: Kind, keys: Keys = KEYS, life: int = 7) -> str:
        slice_ = replace(WANTED.slices[A], life=life)
        named = Slice("") if kind is Kind.NODE else A
        host = Host("") if kind is Kind.SLICE else N1
        return entry(Party(kind, named, host), Wanted({A: slice_}), keys).password

    again, other = replace(KEYS, withdrawn={N1: 1}), replace(KEYS, claims={N1: "x"})
    for kind in (Kind.NODE, Kind.AGENT, Kind.SLIVER):
        keys = (KEYS, again, other, replace(KEYS, secret="y"))
        made = [password(kind, one) for one in keys]
        assert len(set(made)) == 4
    for kind in (Kind.AGENT, Kind.SLIVER, Kind.SLICE):
        assert password(kind) != password(kind, life=8)
    assert password(Kind.NODE) == password(Kind.NODE, life=8)
    assert entry(Party(Kind.SLICE, Slice("gone")), WANTED, KEYS).password


def there(*parties_: Party) -> Seen:
    told = definitions("v", {one.user: Entry("p", rights_of(one)) for one in parties_}, SALT)
    return seen(told["users"], told["permissions"], told["topic_permissions"])


NODE, AGENT = Party(Kind.NODE, host=N1), Party(Kind.AGENT, A, N1)
ENTRIES = {one.user: Entry("p", rights_of(one)) for one in (NODE, AGENT)}


def test_what_is_as_wanted_is_left_alone() -> None:
    assert not difference(ENTRIES, there(NODE, AGENT))


def test_what_is_missing_is_made_and_what_is_strange_goes() -> None:
    found = difference({NODE.user: ENTRIES[NODE.user]}, there(AGENT))
    assert found == Difference(frozenset({NODE.user}), frozenset(), frozenset({AGENT.user}))


def test_users_of_other_names_are_not_touched() -> None:
    more = Seen({"guest": "x", "backup.job": "y", "node": "z"}, {}, {})
    assert not difference({}, more)
    assert difference({}, more, {"node"}).strange == {"node"}


def test_another_password_right_or_tag_is_an_alteration() -> None:
    good = there(NODE, AGENT)
    altered = [
        replace(good, hashes=dict(good.hashes) | {NODE.user: password_hash("q", SALT)}),
        replace(good, hashes=dict(good.hashes) | {NODE.user: ""}),
        replace(good, hashes=dict(good.hashes) | {NODE.user: "no base64!"}),
        replace(good, permissions={AGENT.user: good.permissions[AGENT.user]}),
        replace(good, permissions=dict(good.permissions) | {NODE.user: good.permissions[AGENT.user]}),
        replace(good, topics=dict(good.topics) | {NODE.user: frozenset()}),
        replace(good, topics=dict(good.topics) | {NODE.user: good.topics[AGENT.user]}),
    ]
    for one in altered:
        assert difference(ENTRIES, one).altered == {NODE.user}


def test_tags_and_other_hashes_count_as_no_password() -> None:
    usual: dict[str, object] = {"password_hash": password_hash("p", SALT), "hashing_algorithm": HASHING}
    told: list[dict[str, object]] = [
        {"name": "a", **usual, "tags": []},
        {"name": "b", **usual, "tags": ["administrator"]},
        {"name": "c", **usual, "hashing_algorithm": "rabbit_password_hashing_md5", "tags": ""},
        {"name": "d", "tags": ""},
    ]
    assert [bool(one) for one in seen(told, [], []).hashes.values()] == [True, False, False, False]


def test_the_planner_knows_what_its_own_user_may_do() -> None:
    assert shared("planner") is not None
    assert shared("guest") is None


def test_many_users_are_looked_at_more_seldom() -> None:
    assert look_s(0) == 10.0
    assert look_s(10_000) == 60.0
