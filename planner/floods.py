"""Floods: who says more events a second than a quota allows, and who may not speak for a while. Pure.

    calm       within the quota; ten seconds of it may come at once
    over       the burst is used up: told once
    cut off    still over ten seconds later: those that say most are cut off until the rest is within it

Who is cut off comes back by itself after half a minute, and twice as late each time it does it again. What
is counted are events for whose speaker the broker vouches: applications of slivers, programs of members,
and agents that are not DSMT's own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Final

from broker.parties import Kind
from dsmt_core.names import DEFAULT_AGENT, Slice
from planner.quota import NO_SITE_QUOTA, smaller
from planner.wanted import Wanted

BURST_S: Final = 10.0
"""What a quota allows in so many seconds may come at once."""
GRACE_S: Final = 10.0
"""Who was told has so long to speak less."""
FIRST_S: Final = 30.0
MOST_S: Final = 3_600.0
FORGIVES_S: Final = 3_600.0
_DOUBLINGS: Final = 8
_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Spoken:
    """One bound on what is said.

    Attributes:
        whose: for people, and its key: ``the slice web``.
        rate: events a second, at most.
        slices: that it counts together.
    """

    whose: str
    rate: int
    slices: frozenset[Slice]


@dataclass(frozen=True, slots=True)
class News:
    """Something that is to be told, once.

    Attributes:
        what: ``over``, ``within`` or ``cut``.
        said: events a second that came.
        users: who is cut off, who said most first.
        seconds: for how long.
    """

    what: str
    bound: Spoken
    said: float
    users: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """For people."""
        bound = self.bound
        if self.what == "within":
            return f"{bound.whose} says no more than its quota of {bound.rate:,} events a second again"
        told = f"{bound.whose} says {self.said:,.0f} events a second, and may say {bound.rate:,}"
        if self.what == "over":
            return f"{told}: who says most is cut off in {GRACE_S:.0f} s unless it becomes less"
        return f"{told}: {_shut_out(self.users)} may not connect for {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class Cut:
    """Somebody who may not connect until then, seconds since the epoch; for which time in a row."""

    until: float
    times: int
    whose: str


@dataclass(slots=True)
class _State:
    """How a bound stands: what may still come at once, and, once over, what came since ``since``."""

    level: float
    since: float | None = None
    said: Counter[str] = field(default_factory=Counter)


class Floods:
    """Counts, judges once a second.

    Args:
        cuts: who is cut off, as a planner of before left it.
    """

    def __init__(self, cuts: Mapping[str, Cut] | None = None) -> None:
        self.cuts = dict(cuts or {})
        self.rates: dict[Slice, float] = {}
        self._counts: Counter[str] = Counter()
        self._states: dict[str, _State] = {}
        self._over: dict[str, News] = {}
        self._last: float | None = None

    def heard(self, user: str) -> None:
        """One more event of a user of the broker."""
        self._counts[user] += 1

    def silenced(self, now: float) -> frozenset[str]:
        """Who may not connect now."""
        return frozenset(user for user, cut in self.cuts.items() if cut.until > now)

    def standing(self, slice_: Slice, now: float) -> list[str]:
        """What is to be said now of a slice, for people: what it is over, who of it is cut off how long.

        Who is cut off says nothing, so its slice is soon within its quota: it is told of all the same.
        """
        over = [news.sentence for news in self._over.values() if slice_ in news.bound.slices]
        cuts: dict[str, dict[str, float]] = {}
        for user, cut in self.cuts.items():
            if cut.until > now and speaker(user)[1] == slice_:
                cuts.setdefault(cut.whose, {})[user] = cut.until - now
        return over + [
            f"{_shut_out(sorted(lasts))} may not connect for {max(lasts.values()):.0f} s:"
            f" {whose} said more events than its quota allows"
            for whose, lasts in cuts.items()
        ]

    def tick(
        self, now: float, bounds: Iterable[Spoken], *, foreign: AbstractSet[Slice] = frozenset()
    ) -> list[News]:
        """Judge what was said since the last time.

        Args:
            now: seconds since the epoch.
            bounds: that count now.
            foreign: slices whose agent is not DSMT's own.
        """
        last, self._last = self._last, now
        counts, self._counts = self._counts, Counter()
        # A clock that was set, or a planner that slept: what came is taken for that of one second.
        passed = now - last if last is not None and 0.0 < now - last <= BURST_S else 1.0
        spoken = _by_slice(counts, foreign)
        self.rates = {slice_: mine.total() / passed for slice_, mine in spoken.items()}
        known = {bound.whose: bound for bound in bounds}
        for gone in self._states.keys() - known.keys():
            del self._states[gone]
            self._over.pop(gone, None)
        self.cuts = {user: cut for user, cut in self.cuts.items() if now - cut.until <= FORGIVES_S}
        news = [self._judge(bound, spoken, now, passed) for bound in known.values()]
        return [one for one in news if one is not None]

    def _judge(
        self, bound: Spoken, spoken: Mapping[Slice, Counter[str]], now: float, passed: float
    ) -> News | None:
        most = bound.rate * BURST_S
        state = self._states.setdefault(bound.whose, _State(most))
        mine = Counter[str]()
        for slice_ in bound.slices & spoken.keys():
            mine.update(spoken[slice_])
        level = min(state.level + bound.rate * passed, most) - mine.total()
        state.level = max(level, -most)
        if state.since is None:
            if state.level >= 0:
                return None
            state.since, state.said = now, Counter()
            self._over[bound.whose] = News("over", bound, mine.total() / passed)
            return self._over[bound.whose]
        state.said.update(mine)
        if state.level >= most / 2:
            state.since = None
            self._over.pop(bound.whose, None)
            return News("within", bound, mine.total() / passed)
        window = now - state.since
        if window < GRACE_S:
            return None
        said, state.since, state.said = state.said, now, Counter()
        if said.total() <= bound.rate * window:
            return None
        # Those who stay do not pay for what others said.
        state.level = 0.0
        return self._cut(bound, said, window, now)

    def _cut(self, bound: Spoken, said: Counter[str], window: float, now: float) -> News:
        """Those that said most, until the rest is within the bound."""
        left, users, seconds = said.total(), [], 0.0
        for user, count in sorted(said.items(), key=lambda one: (-one[1], one[0])):
            if left <= bound.rate * window:
                break
            before = self.cuts.get(user)
            times = 1 if before is None else before.times + 1
            lasts = min(FIRST_S * 2.0 ** min(times - 1, _DOUBLINGS), MOST_S)
            self.cuts[user] = Cut(now + lasts, times, bound.whose)
            left, seconds = left - count, max(seconds, lasts)
            users.append(user)
        # From here on what counts is who is cut off.
        self._over.pop(bound.whose, None)
        return News("cut", bound, said.total() / window, tuple(users), seconds)


def bounds_of(wanted: Wanted) -> tuple[Spoken, ...]:
    """The bounds on what slices say, of each slice and of sites."""
    found = []
    together: dict[str, tuple[int, set[Slice]]] = {}
    for one in wanted.slices.values():
        site = wanted.sites.get(one.site, NO_SITE_QUOTA)
        if rate := smaller(one.quota.events_per_second, site.each.events_per_second):
            found.append(Spoken(f"the slice {one.name}", rate, frozenset({one.name})))
        if rate := site.together.events_per_second:
            together.setdefault(f"the site {site.site}", (rate, set()))[1].add(one.name)
    found += [Spoken(whose, rate, frozenset(slices)) for whose, (rate, slices) in together.items()]
    return tuple(found)


def foreign_agents(wanted: Wanted) -> frozenset[Slice]:
    """The slices whose agent is not DSMT's own."""
    return frozenset(one.name for one in wanted.slices.values() if one.agent != DEFAULT_AGENT)


def written(cuts: Mapping[str, Cut]) -> str:
    """Who is cut off, as it is stored."""
    return json.dumps({user: asdict(cut) for user, cut in cuts.items()}) if cuts else ""


def read(text: str) -> dict[str, Cut]:
    """The inverse of `written`."""
    return {user: Cut(**cut) for user, cut in (json.loads(text) if text else {}).items()}


@lru_cache(1 << 14)
def speaker(user: str) -> tuple[str, Slice]:
    """Which kind of a slice's parties a user of the broker is, and of which slice; empty for others."""
    kind, _, rest = user.partition(".")
    if kind not in {Kind.SLIVER, Kind.SLICE, Kind.AGENT}:
        return "", Slice("")
    return kind, Slice(rest.partition(".")[0])


def _shut_out(users: Sequence[str]) -> str:
    more = f" and {len(users) - _TOLD} more" if len(users) > _TOLD else ""
    return f"{', '.join(users[:_TOLD])}{more}"


def _by_slice(counts: Mapping[str, int], foreign: Collection[Slice]) -> dict[Slice, Counter[str]]:
    found: dict[Slice, Counter[str]] = {}
    for user, count in counts.items():
        kind, slice_ = speaker(user)
        if slice_ and (kind != Kind.AGENT or slice_ in foreign):
            found.setdefault(slice_, Counter())[user] += count
    return found
