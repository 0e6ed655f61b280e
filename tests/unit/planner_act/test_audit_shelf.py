"""The older part of the audit log goes into a file that can be verified, and the log stays verifiable."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from dsmt_core.audit import Head
from dsmt_core.errors import DsmtError
from dsmtc import audit_file
from planner.service.audit_shelf import Keeping, Shelf
from planner.service.planner import Planner
from planner.store import audit as store
from tests.unit.planner_act.conftest import Api

DAY_S = 86_400.0


def shelf_of(planner: Planner) -> Shelf:
    return Shelf(planner.database, Keeping(planner.config.audit_folder, DAY_S), planner.id)


async def slices(api: Api, *names: str) -> None:
    for name in names:
        await api("POST", "/slices", {"slice": name})


async def head(planner: Planner) -> Head:
    return await planner.database.read(store.head)


async def test_what_is_old_goes_into_a_file_and_all_stays_verifiable(api: Api, planner: Planner) -> None:
    await slices(api, "a", "b", "c")
    shelf, now = shelf_of(planner), planner.clock()
    assert await shelf.put_away(now) is None
    before = await head(planner)
    path = await shelf.put_away(now + 2 * DAY_S)
    assert path is not None
    # The last entry stays: it says how far the log went.
    assert path.name == f"audit-1-{before.number - 1}.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    put_away = audit_file.look(audit_file.read(path))
    assert put_away.chain.findings == []
    assert (put_away.anchor.number, len(put_away.entries)) == (0, before.number - 1)
    assert (await api("GET", "/audit/verify"))["findings"] == []
    told = (await api("GET", "/audit?act=audit"))[-1]
    assert (told["act"], told["role"], told["change"]["file"]) == ("audit.prune", "planner", path.name)

    await slices(api, "d")
    again = await shelf.put_away(now + 4 * DAY_S)
    assert again is not None
    assert audit_file.look(audit_file.read(again)).anchor == put_away.entries[-1][0]
    assert (await api("GET", "/audit/verify"))["whole"]


async def test_a_part_that_is_not_whole_stays_where_it_is(api: Api, planner: Planner) -> None:
    await slices(api, "a", "b", "c")

    def altered(connection: object) -> None:
        run = connection.execute  # type: ignore[attr-defined]
        for name in run(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            run(text(f"DROP TRIGGER {name}"))
        run(text("UPDATE audit SET account = 'somebody' WHERE number = 2"))

    await planner.database.write(altered)
    assert await shelf_of(planner).put_away(planner.clock() + 2 * DAY_S) is None
    assert not planner.config.audit_folder.exists()
    assert not (await api("GET", "/audit/verify"))["whole"]


async def test_a_folder_that_cannot_be_written_removes_nothing(api: Api, planner: Planner) -> None:
    await slices(api, "a", "b")
    planner.config.audit_folder.write_text("in the way")
    count = await planner.database.read(store.count)
    with pytest.raises(DsmtError, match="cannot be written"):
        await shelf_of(planner).put_away(planner.clock() + 2 * DAY_S)
    assert await planner.database.read(store.count) == count
