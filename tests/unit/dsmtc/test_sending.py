"""A package on its way: which failures are tried again, and from where."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from dsmt_core.errors import Conflict, Denied, DsmtError, Invalid, NotFound, Unavailable
from dsmtc.client.kept import Stored
from dsmtc.client.sending import ATTEMPTS, WORTH_IT, Sending

STORED = cast("Stored", {"filename": "a.rpm"})


def play(
    outcomes: list[DsmtError | None], received: list[int | DsmtError], sent: int = WORTH_IT
) -> list[int]:
    begins: list[int] = []

    def send(begin: int, reached: Callable[[int], None]) -> Stored:
        begins.append(begin)
        reached(begin + sent)
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return STORED

    def asked() -> int:
        told = received.pop(0)
        if isinstance(told, DsmtError):
            raise told
        return told

    assert Sending(send, asked, pause=lambda _s: None).run() == STORED
    return begins


AWAY = Unavailable("broke off")


def test_it_goes_on_where_the_planner_says() -> None:
    assert play([AWAY, AWAY, None], [100, 500]) == [0, 100, 500]


def test_a_planner_of_before_or_away_gets_the_whole_anew() -> None:
    assert play([AWAY, AWAY, None], [NotFound("what?"), Unavailable("away")]) == [0, 0, 0]


def test_what_came_earlier_and_was_wrong_is_sent_once_anew() -> None:
    assert play([AWAY, Invalid("altered"), None], [100]) == [0, 100, 0]
    assert play([AWAY, Conflict("not 100"), None], [100]) == [0, 100, 0]
    with pytest.raises(Invalid):
        play([AWAY, Invalid("altered"), Invalid("altered")], [100])


@pytest.mark.parametrize("error", [Denied("no"), Invalid("no package"), Conflict("in use")])
def test_a_refusal_is_final(error: DsmtError) -> None:
    with pytest.raises(type(error)):
        play([error], [])


def test_what_had_hardly_begun_is_not_tried_again() -> None:
    with pytest.raises(Unavailable):
        play([AWAY], [], sent=10)


def test_the_attempts_are_bounded() -> None:
    with pytest.raises(Unavailable):
        play([AWAY] * ATTEMPTS, [5] * ATTEMPTS)


def test_a_planner_that_is_away_for_longer_is_waited_for() -> None:
    attempts: list[int] = []

    def send(begin: int, reached: Callable[[int], None]) -> Stored:
        attempts.append(begin)
        if len(attempts) == 1:
            reached(2 * WORTH_IT)
        if len(attempts) < 4:
            # From the second on it cannot even be reached.
            raise AWAY
        return STORED

    def received() -> int:
        if len(attempts) < 3:
            raise AWAY
        return WORTH_IT

    assert Sending(send, received, pause=lambda _s: None).run() == STORED
    assert attempts == [0, 0, 0, WORTH_IT]
