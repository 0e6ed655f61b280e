"""How a roll-out goes: its waves, and when a host, a wave, the whole counts as well or as failed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from dsmt_core.errors import Invalid

MOST_WAVES: Final = 20
LONGEST_S: Final = 7 * 86_400.0
_SHARE: Final = re.compile(r"(\d{1,7}|\d{1,3}(?:\.\d{1,3})?\s?%)\Z")


@dataclass(frozen=True, slots=True)
class Share:
    """A number of hosts, or so many of a hundred.

    Attributes:
        amount: hosts; of a hundred when ``percent``.
        percent: which of the two.
    """

    amount: float
    percent: bool = False

    def of(self, hosts: int) -> int:
        """How many of ``hosts`` this is, rounded up; at least one, at most all."""
        asked = math.ceil(round(self.amount * hosts / 100, 6)) if self.percent else int(self.amount)
        return min(max(asked, 1), hosts)

    def floor_of(self, hosts: int) -> int:
        """The same rounded down; at least one, also above all of them."""
        return max(math.floor(self.amount * hosts / 100) if self.percent else int(self.amount), 1)

    @property
    def text(self) -> str:
        """As people write it: ``3`` or ``10%``."""
        return f"{self.amount:g}{'%' if self.percent else ''}"


ALL: Final = Share(100, percent=True)


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

    waves: tuple[Share, ...] = (ALL,)
    min_healthy_s: float = 30.0
    deadline_s: float = 300.0
    errors: Share = Share(10, percent=True)
    need: float = 90.0

    def target(self, wave: int, hosts: int) -> int:
        """How many of ``hosts`` have the new release when a wave (from 0) is full."""
        return max((share.of(hosts) for share in self.waves[: wave + 1]), default=hosts)

    def is_last(self, wave: int) -> bool:
        """Whether a wave is the one of all hosts."""
        return wave >= len(self.waves) - 1

    def needed(self, members: int) -> int:
        """How many of a wave's members have to be well."""
        return min(max(math.ceil(round(self.need * members / 100, 6)), 1), members)


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
    shares = [share(text, what="a wave") for text in waves] or [ALL]
    if shares[-1] != ALL:
        shares.append(ALL)
    if len(shares) > MOST_WAVES:
        raise Invalid(f"{len(shares)} waves are too many", hint=f"at most {MOST_WAVES}")
    for kind in (True, False):
        mine = [one.amount for one in shares if one.percent is kind]
        if any(later <= sooner for sooner, later in pairwise(mine)):
            texts = ",".join(one.text for one in shares)
            raise Invalid(f"the waves {texts} do not ascend", hint="such as 1,10%,50%,100%")
    return Policy(
        waves=tuple(shares),
        min_healthy_s=_seconds(min_healthy_s, "the minimum healthy time", least=0.0),
        deadline_s=_deadline(deadline_s, min_healthy_s),
        errors=share(errors, what="the number of errors") if errors else DEFAULT.errors,
        need=_need(need) if need else DEFAULT.need,
    )


def share(text: str, *, what: str) -> Share:
    """A share from its text.

    Raises:
        Invalid: it is not one, or not above 0.
    """
    bare = text.strip()
    read = _SHARE.match(bare)
    amount = float(bare.rstrip("% ")) if read else 0.0
    percent = bare.endswith("%")
    if not amount or (percent and amount > 100):
        raise Invalid(
            f"{text[:40]!r} is not {what}",
            hint="a number of hosts, such as 3, or a part of all, such as 10%",
        )
    return Share(amount, percent)


def _need(text: str) -> float:
    read = share(text, what="the part of a wave that is needed")
    if not read.percent:
        raise Invalid(f"{text[:40]!r} is not a part of a wave", hint="such as 90%")
    return read.amount


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
