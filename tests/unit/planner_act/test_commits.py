"""Commits: who knows what is stored writes what differs, and memory is what a planner would load."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from dsmt_core.names import Account, Application, Host, Slice
from planner.restraint import Restraint
from planner.steps import SliceChange
from planner.store import Database, slices
from planner.store.database import sqlite_url
from planner.store.slices import NewSlice
from planner.store.wanted import commit, load_slice, load_wanted
from planner.wanted import Placement, Run, WantedSlice

S1 = Slice("s1")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(sqlite_url(tmp_path))


def random_change(luck: random.Random, before: WantedSlice) -> SliceChange:
    """Some hosts come, go or are told anew; what stays is the same object, now and then an equal one."""
    generation = before.generation + 1
    names = [Host(f"h{number}") for number in range(8)]
    hosts = {host: before.hosts.get(host, generation) for host in luck.sample(names, luck.randrange(8))}
    hosts |= {host: generation for host in hosts if luck.random() < 0.2}
    retired = {host: luck.randrange(generation) for host in luck.sample(names, 3) if host not in hosts}
    kept = [one for one in before.placements if one.host in hosts and luck.random() < 0.7]
    have = {one.host for one in kept}
    made = [
        Placement(
            slice=S1, host=host, application=Application("a"), version="1", generation=generation,
            run=luck.choice(list(Run)), restarts=luck.randrange(3),
        )
        for host in hosts.keys() - have
    ]  # fmt: skip
    kept = [replace(one) if luck.random() < 0.2 else one for one in kept]
    placements = sorted([*kept, *made], key=lambda one: one.host)
    return SliceChange(
        slice=S1, generation=generation, hosts=hosts, retired=retired, placements=tuple(placements),
        restraint=Restraint(carried=str(generation)) if luck.random() < 0.5 else None,
    )  # fmt: skip


def test_who_knows_what_is_stored_writes_what_differs_and_need_not_read(database: Database) -> None:
    luck = random.Random(7)  # noqa: S311
    for name in (S1, Slice("s2")):
        database.write_now(slices.make, NewSlice(slice=name, owner=Account("me")))
    other = SliceChange(slice=Slice("s2"), generation=1, hosts={Host("h1"): 1}, retired={}, placements=())
    (untouched,) = database.write_now(commit, [other])
    known = database.write_now(load_wanted).slices
    for _ in range(40):
        change = random_change(luck, known[S1])
        (now,) = database.write_now(commit, [change], known)
        known = database.write_now(load_wanted).slices
        assert now == known[S1] == change.applied(known[S1])
        assert known[untouched.name] == untouched
        # What is loaded is other objects: the next round would keep those of the last.
        known = {**known, S1: now}
    database.close_now()


def test_who_is_wrong_about_what_is_stored_does_no_harm(database: Database) -> None:
    database.write_now(slices.make, NewSlice(slice=S1, owner=Account("me")))
    old = database.write_now(load_wanted).slices
    luck = random.Random(8)  # noqa: S311
    first, second = random_change(luck, old[S1]), random_change(luck, old[S1])
    database.write_now(commit, [first])
    (now,) = database.write_now(commit, [second], old)
    assert now == database.write_now(load_slice, S1)
    assert (now.hosts, now.retired, now.placements) == (second.hosts, second.retired, second.placements)
    database.write_now(slices.remove, S1)
    assert database.write_now(commit, [second], {S1: now}) == []
    database.close_now()
