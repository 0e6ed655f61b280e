"""Wrong passwords are counted, and slowed down: by account and address, and by each of the two. Pure.

Rule: a stranger who guesses keeps the right owner out for a minute at most. From an address where the
account was let in before, only the wrong passwords of that address count, and little; a token goes on.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from dsmt_core.errors import Denied

_MOST: Final = 10_000


class Attempts:
    """Counts wrong passwords and refuses for a while after too many.

    Memory is bounded: of ``limit`` keys the one used least recently is forgotten.

    Args:
        free: how many wrong passwords cost nothing.
        first_s: the wait after one more; it doubles with each, up to ``most_s``.
    """

    def __init__(
        self, *, free: int = 5, first_s: float = 1.0, most_s: float = 300.0, limit: int = _MOST
    ) -> None:
        self._free = free
        self._first_s = first_s
        self._most_s = most_s
        self._limit = limit
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, key: str, now: float) -> None:
        """Refuse while ``key`` has to wait.

        Raises:
            Denied: too many wrong passwords; the hint says how long to wait.
        """
        count, last = self._wrong.get(key, (0, 0.0))
        left = last + self._wait(count) - now
        if left > 0:
            raise Denied("too many wrong passwords", hint=f"wait {math.ceil(left)} s, then try again")

    def wrong(self, key: str, now: float) -> bool:
        """Count one; older ones than ten times the longest wait are forgiven. Whether waiting begins."""
        count, last = self._wrong.pop(key, (0, now))
        if now - last > 10 * self._most_s:
            count = 0
        self._wrong[key] = (count + 1, now)
        if len(self._wrong) > self._limit:
            self._wrong.popitem(last=False)
        return count == self._free

    def right(self, key: str) -> None:
        """Forgive everything."""
        self._wrong.pop(key, None)

    def undo(self, key: str) -> None:
        """Forgive the last one."""
        if key in self._wrong:
            count, last = self._wrong[key]
            self._wrong[key] = (count - 1, last)

    def _wait(self, count: int) -> float:
        beyond = count - self._free
        if beyond <= 0:
            return 0.0
        return float(min(self._most_s, self._first_s * 2 ** min(beyond - 1, 30)))


class Doors:
    """Where people try to get in."""

    def __init__(self) -> None:
        self._pairs = Attempts()
        self._at_home = Attempts(most_s=10.0)
        self._accounts = Attempts(free=20, most_s=60.0)
        self._places = Attempts(free=30)
        # Where each account was let in, the latest last.
        self._known: OrderedDict[str, None] = OrderedDict()

    def knows(self, pairs: Iterable[tuple[str, str]]) -> None:
        """These accounts were let in from these addresses before, the latest last."""
        for account, origin in pairs:
            self._remember(_pair(account, network(origin)))

    def check(self, account: str, origin: str, now: float) -> None:
        """Refuse who has to wait.

        Raises:
            Denied: too many wrong passwords; the hint says how long to wait.
        """
        place = network(origin)
        pair = _pair(account, place)
        if pair in self._known:
            self._at_home.check(pair, now)
            return
        self._pairs.check(pair, now)
        self._accounts.check(account, now)
        self._places.check(place, now)

    def wrong(self, account: str, origin: str, now: float) -> list[str]:
        """Count a wrong password; who begins to wait because of it: ``account/…`` and ``address/…``."""
        place = network(origin)
        pair = _pair(account, place)
        if pair in self._known:
            return [f"account/{account}"] if self._at_home.wrong(pair, now) else []
        begins = {
            f"account/{account}": self._accounts.wrong(account, now),
            f"address/{place}": self._places.wrong(place, now),
        }
        # As every attempt, this one counts for all three.
        if self._pairs.wrong(pair, now):
            begins[f"account/{account}"] = True
        return [who for who, began in begins.items() if began]

    def right(self, account: str, origin: str) -> None:
        """The password was right: the attempt is taken back, and the address is known from now on."""
        place = network(origin)
        pair = _pair(account, place)
        if pair not in self._known:
            self._accounts.undo(account)
            self._places.undo(place)
        self._pairs.right(pair)
        self._at_home.right(pair)
        self._remember(pair)

    def _remember(self, pair: str) -> None:
        self._known.pop(pair, None)
        self._known[pair] = None
        if len(self._known) > _MOST:
            self._known.popitem(last=False)


def network(origin: str) -> str:
    """What counts as one address: of IPv6 the first half, of which one customer has all."""
    try:
        read = ipaddress.ip_address(origin.partition("%")[0])
    except ValueError:
        return origin[:80]
    if isinstance(read, ipaddress.IPv4Address):
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(ipaddress.ip_network((int(read), 64), strict=False))


def _pair(account: str, place: str) -> str:
    return f"{place} {account[:200]}"
