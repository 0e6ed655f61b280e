"""What a database keeps of the past, whichever it is."""

from __future__ import annotations

from dsmt_core.names import Host, Slice
from planner.past import Passage
from planner.store import Database, past

_WEB = Slice("web")


def _passed(at: float, state: str, reason: str = "") -> Passage:
    return Passage(at, Host("h1"), _WEB, "application:pinger", state, reason)


class PastContract:
    """Of a fixture ``database``."""

    async def test_what_passed_is_read_back_with_why(self, database: Database) -> None:
        course = [
            Passage(1.5, Host("h1"), Slice(""), "node", "failed", "no heartbeat for 3 s"),
            _passed(2.0, "failed", "it ended with 1"),
            _passed(3.0, "running"),
            _passed(4.0, "failed", "it ended with 1"),
            _passed(5.0, "failed", "x" * 160),
        ]
        await database.write(past.append, course[:3], 3.0)
        await database.write(past.append, course[3:], 5.0)
        # As it was written when the look began, beside everything else.
        assert await database.look(past.between, 0.0, 9.0) == course
        assert await database.look(past.between, 1.9, 4.0, [_WEB], 2, host=Host("h1")) == course[1:3]
        assert await database.look(past.at, 2.5) == course[:2]
        assert await database.read(past.seen_at) == 5.0
        assert await database.write(past.prune, 2.5) == 0
        assert await database.look(past.between, 0.0, 4.0) == [course[0]._replace(reason=""), *course[1:4]]
        await database.write(past.append, [_passed(6.0, "running")], 6.0)
        assert (await database.look(past.between, 5.0, 6.0))[0].state == "running"
