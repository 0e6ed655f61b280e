"""Policies of trying again, by name; the waits are tenacity's.

A policy says how long to wait, never how often: in this room trying again has no end.
"""

from __future__ import annotations

from typing import Any, cast

from tenacity import RetryCallState, wait_random_exponential
from tenacity.wait import wait_base

from broker.bus import Limits

_FIRST_CONSUMER_S = 0.1
_MOST_CONSUMER_S = 4.0


class Backoff:
    """The waits of one endless series of attempts.

    Args:
        policy: how long to wait after the n-th failure.
    """

    def __init__(self, policy: wait_base) -> None:
        self._policy = policy
        # tenacity's policies read the number of the attempt, and nothing else, from its state.
        self._state = RetryCallState(cast("Any", None), None, (), {})
        self.reset()

    def reset(self) -> None:
        """The last attempt has succeeded."""
        self._state.attempt_number = 0

    def next_s(self) -> float:
        """Seconds to wait before the next attempt."""
        self._state.attempt_number += 1
        return self._policy(self._state)


class Patience:
    """How long an attempt to connect may take: longer after each that only a slow broker ended.

    Args:
        limits: the least and the most.

    Attributes:
        seconds: for the next attempt.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.seconds = limits.connect_s

    def failed(self, *, slow: bool) -> None:
        """An attempt has failed; ``slow`` when the broker had accepted it and time ran out."""
        most = max(self._limits.connect_most_s, self._limits.connect_s)
        self.seconds = min(2 * self.seconds, most) if slow else self._limits.connect_s

    def reset(self) -> None:
        """A connection has lasted."""
        self.seconds = self._limits.connect_s


def reconnection(limits: Limits) -> Backoff:
    """Full jitter: evenly between 0 and a bound that doubles up to ``limits.retry_most_s``.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return Backoff(wait_random_exponential(multiplier=limits.retry_first_s, max=limits.retry_most_s))


def consumer() -> Backoff:
    """For a queue that does not exist yet, or that another consumer still holds."""
    return Backoff(wait_random_exponential(multiplier=_FIRST_CONSUMER_S, max=_MOST_CONSUMER_S))
