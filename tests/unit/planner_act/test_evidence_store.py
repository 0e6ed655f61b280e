"""What counts against nodes is stored, and goes with the node or the slice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dsmt_core.names import Account, Application, Host, Slice
from planner.failed_nodes import Misfit, Note, Past
from planner.release import ReleaseName
from planner.store import Database, evidence, nodes, slices
from planner.store.database import sqlite_url
from planner.store.nodes import Joined
from planner.store.slices import NewSlice

H1, H2, S1 = Host("h1"), Host("h2"), Slice("s1")
PAST = Past(
    failures=3, alive_since=5.0, judged_at=7.0, notes=(Note("not heard for 3.2 s", 7.0, "tracker", 2),)
)
MISFIT = Misfit(
    application=Application("pinger"),
    release=ReleaseName("1.8-1"),
    reason="its port is taken",
    since=1.0,
    until=301.0,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path))
    made.write_now(nodes.join, Joined(H1, "x" * 64, "b", 1.0))
    made.write_now(slices.make, NewSlice(slice=S1, owner=Account("me")))
    yield made
    made.close_now()


def test_a_past_is_kept_for_nodes_that_are_known_and_the_last_word_counts(database: Database) -> None:
    database.write_now(evidence.write_behind, {H1: Past(), H2: PAST})
    database.write_now(evidence.write_behind, {H1: PAST})
    database.write_now(evidence.write_behind, {})
    assert database.write_now(evidence.load) == {H1: PAST}
    database.write_now(nodes.forget, H1)
    assert database.write_now(evidence.load) == {}


def test_misfits_are_kept_until_they_are_none_or_slice_or_node_are_gone(database: Database) -> None:
    database.write_now(
        evidence.write_misfits, {(S1, H1): MISFIT, (S1, H2): MISFIT, (Slice("s2"), H1): MISFIT}
    )
    assert database.write_now(evidence.load_misfits) == {(S1, H1): MISFIT}
    database.write_now(evidence.write_misfits, {})
    database.write_now(evidence.write_misfits, {(S1, H1): None})
    assert database.write_now(evidence.load_misfits) == {}
    database.write_now(evidence.write_misfits, {(S1, H1): MISFIT})
    database.write_now(slices.remove, S1)
    assert database.write_now(evidence.load_misfits) == {}
