"""What a store keeps, in whichever database: SQLite (unit tests) or PostgreSQL (integration tests)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection, func, insert, select, text

from dsmt_core.audit import Entry
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.errors import Conflict, Denied, NotFound, Unavailable
from dsmt_core.guards import Guard
from dsmt_core.names import (
    HOST_BYTES,
    NAME_BYTES,
    SLICE_BYTES,
    Account,
    Application,
    Host,
    PlanName,
    Slice,
)
from dsmt_core.packages import PackageRef
from planner.authority.invitations import Invited
from planner.failed_nodes import Misfit, Note, Past
from planner.fleet import SeenRow
from planner.guarded import Guarded
from planner.labels import VALUE
from planner.release import Release, ReleaseName
from planner.requirements import Package
from planner.restraint import Restraint
from planner.rollout import Rollout, policy
from planner.standing import IN_SERVICE, Mark, Standing, Verb, Wish
from planner.steps import SliceChange
from planner.store import Database, accounts, audit, evidence, nodes, packages, settings, slices, standings
from planner.store.nodes import Joined
from planner.store.rollouts import KEPT, history
from planner.store.slices import NewSlice
from planner.store.tables import APPLICATIONS, METADATA
from planner.store.wanted import commit, load_slice, load_wanted
from planner.wanted import Placement, Plan
from tests.contract.past import PastContract

S1 = Slice("s1")
H1, H2 = Host("h1"), Host("h2")
ME = Account("me")
APP = Application("pinger")
JOINED = Joined(H1, "x" * 64, "b", 1.0)
CHANGE = SliceChange(slice=S1, generation=1, hosts={}, retired={}, placements=())
PAST = Past(
    failures=3, alive_since=5.0, judged_at=7.0, notes=(Note("not heard for 3.2 s", 7.0, "tracker", 2),)
)
MISFIT = Misfit(
    application=APP, release=ReleaseName("1.8-1"), reason="its port is taken", since=1.0, until=301.0
)


ENTRY = Entry(
    number=0, at_ms=1_700_000_000_000, account="me@example.com", role="admin", origin="192.0.2.1",
    act="slice.make", about="", slice="", outcome="done", change="{}", before="",
)  # fmt: skip


def _carried_out(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


class StoreContract(PastContract):
    """Inherited once for each database, with a fixture ``database``: a new one, closed afterwards."""

    @pytest.fixture
    def peopled(self, database: Database) -> Database:
        """It, with a node and a slice."""
        database.write_now(nodes.join, JOINED)
        database.write_now(slices.make, NewSlice(slice=S1, owner=ME))
        return database

    def test_a_planner_that_was_replaced_can_write_nothing_more(self, database: Database) -> None:
        database.write_now(settings.put, settings.EPOCH, "99")
        with pytest.raises(Conflict, match="taken over"):
            database.write_now(slices.make, NewSlice(slice=S1, owner=ME))

    def test_what_fails_leaves_nothing_behind(self, database: Database) -> None:
        def half(connection: Connection) -> None:
            slices.make(connection, NewSlice(slice=S1, owner=ME))
            raise NotFound("the other half")

        with pytest.raises(NotFound):
            database.write_now(half)
        assert database.write_now(load_wanted).slices == {}

    def test_what_is_there_already_is_refused_and_the_database_goes_on(self, peopled: Database) -> None:
        with pytest.raises(Conflict):
            peopled.write_now(slices.make, NewSlice(slice=S1, owner=ME))
        assert peopled.write_now(slices.names) == [S1]

    def test_the_audit_log_is_removed_up_to_its_anchor_only(self, database: Database) -> None:
        said = [replace(ENTRY, about=f"slice/s{one}") for one in range(3)]
        entries = [database.write_now(audit.append, one) for one in said]
        assert database.write_now(audit.head) == entries[-1].head
        for statement in ("UPDATE audit SET account = 'x'", "DELETE FROM audit"):
            with pytest.raises((Conflict, Unavailable), match="the audit log is not"):
                database.write_now(_carried_out, statement)
        assert database.write_now(audit.prune, entries[0].head) == 1
        assert database.write_now(audit.page, 0) == entries[1:]
        assert database.write_now(audit.found, audit.Wish(about="s2", by="me@example.com")) == entries[2:]
        assert database.write_now(audit.anchor) == entries[0].head
        with pytest.raises(Conflict):
            database.write_now(audit.prune, entries[-1].head)

    def test_what_a_round_decides_is_read_back(self, database: Database) -> None:
        database.write_now(slices.make, NewSlice(slice=S1, owner=ME))
        database.write_now(slices.put_plan, S1, Plan(PlanName("p"), "limit", {"count": "3"}))
        placement = Placement(slice=S1, host=H1, application=APP, version="1-1", generation=4)
        change = replace(CHANGE, generation=4, hosts={H1: 4}, retired={H2: 3}, placements=(placement,))
        gone = replace(CHANGE, slice=Slice("gone"))
        stored = database.write_now(commit, [change, gone])
        assert [one.name for one in stored] == [S1]
        read = database.write_now(load_slice, S1)
        assert read == stored[0]
        assert read is not None
        assert (read.generation, read.hosts, read.retired) == (4, {"h1": 4}, {"h2": 3})
        assert read.placements == (placement,)
        assert read.plans[PlanName("p")].parameters == {"count": "3"}
        assert database.write_now(commit, [replace(CHANGE, generation=2)])[0].generation == 4

    def test_a_configuration_is_none_until_a_release_brings_one(self, peopled: Database) -> None:
        packages_ = (PackageRef("a" * 64, 1, "x.rpm"),)
        row = {
            "slice": S1,
            "application": APP,
            "wrapper": "dsmtw_pinger",
            "version": "1-1",
            "packages": list(map(str, packages_)),
            "missing": "",
            "run": "running",
            "restarts": 0,
        }
        peopled.write_now(lambda connection: connection.execute(insert(APPLICATIONS).values(**row)))
        placement = Placement(
            slice=S1, host=H1, application=APP, version="1-1", generation=4, configuration="ab12"
        )
        (before,) = peopled.write_now(commit, [replace(CHANGE, placements=(placement,))])
        assert before.placements == (placement,)
        assert before.applications[APP].configuration == NONE
        release = Release("1-2", packages_, Configuration.of({"greeting": "hello"}))
        (after,) = peopled.write_now(commit, [replace(CHANGE, releases={APP: release})])
        assert after.applications[APP].release == release

    def test_a_deleted_slice_takes_all_that_is_its_own_along(self, peopled: Database) -> None:
        peopled.write_now(slices.put_plan, S1, Plan(PlanName("p"), "failed"))
        placement = Placement(slice=S1, host=H1, application=APP, version="1-1", generation=4)
        peopled.write_now(
            commit, [replace(CHANGE, hosts={H1: 1}, placements=(placement,), rollouts=_one(1))]
        )
        peopled.write_now(slices.remove, S1)
        own = [table.name for table in METADATA.sorted_tables if "slice" in table.columns]
        assert {"plans", "members", "slivers", "placements", "packages", "rollouts", "misfits"} <= {*own}
        assert {name: peopled.write_now(_rows, name) for name in own} == dict.fromkeys(own, 0)

    def test_seen_of_a_node_that_was_forgotten_is_dropped(self, database: Database) -> None:
        database.write_now(nodes.join, JOINED)
        rows = [SeenRow(H1, Slice(""), {"a": 1}), SeenRow(H2, Slice(""), {"a": 2})]
        database.write_now(nodes.write_behind, rows)
        database.write_now(nodes.write_behind, rows)
        assert database.write_now(nodes.load_seen) == rows[:1]
        database.write_now(nodes.write_behind, [SeenRow(H1, Slice(""), None)])
        assert database.write_now(nodes.load_seen) == []
        database.write_now(nodes.write_behind, rows)
        database.write_now(nodes.forget, H1)
        assert database.write_now(nodes.load_seen) == []

    def test_tokens_and_invitations_end(self, database: Database) -> None:
        database.write_now(accounts.make, accounts.Person(ME, "", ("user",)), now=0.0)
        login = accounts.Login(ME, "user", 10.0)
        database.write_now(accounts.add_token, "t" * 64, login, now=0.0)
        assert database.write_now(accounts.login_of, "t" * 64, now=9.9) == login
        assert database.write_now(accounts.login_of, "t" * 64, now=10.0) is None
        database.write_now(nodes.invite, "i" * 64, Invited(ME, 5.0), now=0.0)
        assert database.write_now(nodes.invited, "i" * 64) == Invited(ME, 5.0)
        one, two = (Joined(Host(f"n{number}"), "c" * 64, "b", 1.0, "key") for number in (1, 2))
        once = Invited(ME, 5.0, None, 1, "n*")
        database.write_now(nodes.invite, "o" * 64, once, now=0.0)
        database.write_now(nodes.join, one, "o" * 64, now=4.9)
        assert one in database.write_now(nodes.listed)
        with pytest.raises(Denied, match="as many nodes"):
            database.write_now(nodes.join, two, "o" * 64, now=4.9)
        with pytest.raises(Denied, match="has ended"):
            database.write_now(nodes.join, two, "i" * 64, now=5.0)
        assert two not in database.write_now(nodes.listed)

    def test_a_past_is_kept_for_nodes_that_are_known_and_the_last_word_counts(
        self, peopled: Database
    ) -> None:
        peopled.write_now(evidence.write_behind, {H1: Past(), H2: PAST})
        peopled.write_now(evidence.write_behind, {H1: PAST})
        peopled.write_now(evidence.write_behind, {})
        assert peopled.write_now(evidence.load) == {H1: PAST}
        peopled.write_now(nodes.forget, H1)
        assert peopled.write_now(evidence.load) == {}

    def test_misfits_are_kept_until_they_are_none_or_slice_or_node_are_gone(
        self, peopled: Database
    ) -> None:
        every = {(S1, H1): MISFIT, (S1, H2): MISFIT, (Slice("s2"), H1): MISFIT}
        peopled.write_now(evidence.write_misfits, every)
        assert peopled.write_now(evidence.load_misfits) == {(S1, H1): MISFIT}
        peopled.write_now(evidence.write_misfits, {})
        peopled.write_now(evidence.write_misfits, {(S1, H1): None})
        assert peopled.write_now(evidence.load_misfits) == {}
        peopled.write_now(evidence.write_misfits, {(S1, H1): MISFIT})
        peopled.write_now(slices.remove, S1)
        assert peopled.write_now(evidence.load_misfits) == {}

    def test_what_people_say_of_nodes_is_kept_for_all_or_none(self, peopled: Database) -> None:
        mark = Mark(by="ann", since=5.0, reason="disk swap")
        said = Wish(verb=Verb.CORDON, mark=mark)
        with pytest.raises(NotFound):
            peopled.write_now(standings.wish, [H1, H2], said, now=5.0)
        assert peopled.write_now(standings.load_standings) == {}
        peopled.write_now(standings.wish, [H1], said, now=5.0)
        after = peopled.write_now(standings.wish, [H1], replace(said, verb=Verb.DISTRUST), now=5.0)
        assert after == {H1: Standing(cordoned=mark, distrusted=mark)}
        assert peopled.write_now(load_wanted).standings == after
        for verb in (Verb.TRUST, Verb.UNCORDON):
            after = peopled.write_now(standings.wish, [H1], replace(said, verb=verb), now=5.0)
        assert after.get(H1, IN_SERVICE) == IN_SERVICE

    def test_of_the_rollouts_the_last_are_kept_and_the_latest_is_wanted(self, peopled: Database) -> None:
        for number in range(1, KEPT + 3):
            peopled.write_now(commit, [replace(CHANGE, rollouts=_one(number))])
        kept = peopled.write_now(history, S1, APP)
        assert [one.number for one in kept] == list(range(KEPT + 2, 2, -1))
        assert kept[0] == _one(KEPT + 2)[APP]
        read = peopled.write_now(load_slice, S1)
        assert read is not None
        assert read.rollouts == {APP: kept[0]}

    def test_what_people_choose_for_a_slice_is_kept(self, peopled: Database) -> None:
        guarded = Guarded(Guard(least=1, most=9, step=2, cool_down_s=60.0), changed_at=7.5)
        restraint = Restraint(carried="d" * 64, stopped=2, stopped_at=8.25, agreed=frozenset({H1}))
        peopled.write_now(slices.set_guard, S1, guarded)
        peopled.write_now(slices.set_budget, S1, "keep 80%")
        peopled.write_now(commit, [replace(CHANGE, restraint=restraint)])
        read = peopled.write_now(load_slice, S1)
        assert read is not None
        assert (read.guard, read.budget.text, read.restraint) == (guarded, "keep 80%", restraint)

    def test_the_longest_legal_words_fit(self, database: Database) -> None:
        """PostgreSQL refuses what is longer than its column, and SQLite does not."""
        slice_, host = Slice("s" * SLICE_BYTES), Host("h" * HOST_BYTES)
        name = "n" * NAME_BYTES
        database.write_now(nodes.join, Joined(host, "x" * 64, "b" * 64, 1.0))
        database.write_now(nodes.label, host, {"l" * 64: "v" * VALUE})
        database.write_now(slices.make, NewSlice(slice=slice_, owner=Account(name)))
        database.write_now(slices.put_plan, slice_, Plan(PlanName(name), name, {"expr": "x" * 4_096}))
        database.write_now(slices.set_budget, slice_, "max-unavailable 99.999999%")
        wrapper = Package(
            filename="f" * 200,
            digest="d" * 64,
            size=1 << 60,
            kind="rpm",
            name="p" * 128,
            version="1" * 128,
            arch="a" * 32,
            application=name,
        )
        database.write_now(packages.put, slice_, wrapper)
        assert database.write_now(packages.listed, slice_) == [wrapper]
        read = database.write_now(load_slice, slice_)
        assert read is not None
        assert read.applications[Application(name)].version == "1" * 128

    async def test_many_at_once_are_served_one_after_the_other(self, database: Database) -> None:
        made = [NewSlice(slice=Slice(f"s{number}"), owner=ME) for number in range(50)]
        await asyncio.gather(*(database.write(slices.make, one) for one in made))
        assert len((await database.read(load_wanted)).slices) == 50


def _one(number: int) -> dict[Application, Rollout]:
    return {
        APP: Rollout(
            number=number,
            before=ReleaseName("1-1"),
            after=Release(f"{number}-1"),
            policy=policy(["1", "12.5%"], errors="3"),
            told={H1: 5.5},
            failed={H2: "it burns"},
        )
    }


def _rows(connection: Connection, name: str) -> int:
    return connection.execute(select(func.count()).select_from(METADATA.tables[name])).scalar_one()
