"""How a roll-out goes: its waves, and when a host, a wave, the whole counts as well or as failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from dsmt_core.errors import Invalid
from planner.amount import ALL, TENTH, Amount, Rounding, read_amount

MOST_WAVES: Final = 20
LONGEST_S: Final = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What somebody chose for one roll-out.

    Attributes:
        waves: up to how many hosts have the new release after each; the last is all of them.
        min_healthy_s: a host counts as well when its instance has run that long at the new release.
        deadline_s: a host that is not well so long after it was told counts as failed.
        errors: from so many failed hosts on the roll-out goes back.
        need: so much of a wave has to be well; the rest is not waited for.
    """

    waves: tuple[Amount, ...] = (ALL,)
    min_healthy_s: float = 30.0
    deadline_s: float = 300.0
    errors: Amount = TENTH
    need: float = 90.0

    def target(self, wave: int, hosts: int) -> int:
        """How many of ``hosts`` have the new release when a wave (from 0) is full."""
        upto = (one.of(hosts, Rounding.UP) for one in self.waves[: wave + 1])
        return min(max(upto, default=hosts), hosts)

    def needed(self, members: int) -> int:
        """How many of a wave's members have to be well."""
        return Amount(self.need, percent=True).of(members, Rounding.UP)

    def too_many(self, hosts: int) -> int:
        """From how many failed ones of ``hosts`` on the roll-out goes back."""
        return self.errors.of(hosts, Rounding.DOWN)


DEFAULT: Final = Policy()


def policy(
    waves: Iterable[str] = (),
    *,
    min_healthy_s: float = DEFAULT.min_healthy_s,
    deadline_s: float = DEFAULT.deadline_s,
    errors: str = "",
    need: str = "",
) -> Policy:
    """The policy that these texts tell; what is empty is as in `DEFAULT`.

    Args:
        waves: each a number of hosts or a percentage; a last one of all hosts is added when it lacks.
        min_healthy_s: seconds.
        deadline_s: seconds.
        errors: a number of hosts or a percentage of the slice's.
        need: a percentage.

    Raises:
        Invalid: one is not legal, or the waves do not ascend.
    """
    amounts = [_amount(text, "a wave") for text in waves] or [ALL]
    if amounts[-1] != ALL:
        amounts.append(ALL)
    if len(amounts) > MOST_WAVES:
        raise Invalid(f"{len(amounts)} waves are too many", hint=f"at most {MOST_WAVES}")
    for kind in (True, False):
        mine = [one.number for one in amounts if one.percent is kind]
        if any(later <= sooner for sooner, later in pairwise(mine)):
            texts = ",".join(str(one) for one in amounts)
            raise Invalid(f"the waves {texts} do not ascend", hint="such as 1,10%,50%,100%")
    return Policy(
        waves=tuple(amounts),
        min_healthy_s=_seconds(min_healthy_s, "the minimum healthy time", least=0.0),
        deadline_s=_deadline(deadline_s, min_healthy_s),
        errors=_amount(errors, "the number of errors") if errors else DEFAULT.errors,
        need=_need(need) if need else DEFAULT.need,
    )


def _amount(text: str, what: str) -> Amount:
    read = read_amount(text)
    if read is None or not read.number:
        raise Invalid(
            f"{text[:40]!r} is not {what}",
            hint="a number of hosts, such as 3, or a part of all, such as 10%",
        )
    return read


def _need(text: str) -> float:
    read = _amount(text, "the part of a wave that is needed")
    if not read.percent:
        raise Invalid(f"{text[:40]!r} is not a part of a wave", hint="such as 90%")
    return read.number


def _deadline(deadline_s: float, min_healthy_s: float) -> float:
    read = _seconds(deadline_s, "the deadline", least=1.0)
    if read <= min_healthy_s:
        raise Invalid(
            f"the deadline of {deadline_s:g} s passes before a host can be healthy for {min_healthy_s:g} s",
            hint="a deadline counts from when the host is told; make it longer",
        )
    return read


def _seconds(value: float, what: str, *, least: float) -> float:
    if not least <= value <= LONGEST_S:
        raise Invalid(f"{what} is {value:g} s", hint=f"it takes {least:g} to {LONGEST_S:.0f} seconds")
    return value
