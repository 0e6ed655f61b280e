"""A kit for service planners of your own: the count of a slice's plan, read and set within guard rails.

What a service planner wants (from load, queue lengths, the time of day) is its own; this makes of it what
may be asked now. The planner keeps the rails that `dsmtc guard` set, too: what it refuses is no error here
but a reason, as after a wish that came too soon.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from dsmt_core.errors import Conflict, Invalid
from dsmt_core.guards import Guard, Ruled
from dsmtc.client import Client

__all__ = ["Count", "Guard", "Ruled"]


class Count:
    """How many hosts the plan in force of a slice asks for.

    Args:
        client: who asks; a member of the slice.
        slice_: which one. The plan in force takes a count, such as ``limit`` or a plan made of it.
        guard: rails of the service planner's own; the slice's come on top.
        clock: seconds, for the cool-down.
    """

    def __init__(
        self,
        client: Client,
        slice_: str,
        guard: Guard | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._slice = slice_
        self._guard = guard or Guard()
        self._clock = clock
        self._changed_at = -math.inf

    def now(self) -> int:
        """How many there are to be.

        Raises:
            Invalid: the plan in force says no count.
        """
        return self._read()[2]

    def wish(self, wished: int) -> Ruled:
        """Ask for this many, or for as many as the rails allow now.

        Returns:
            How many there are to be from now on, and why not as many as were wished.

        Raises:
            Invalid: the plan in force says no count.
            DsmtError: whatever the planner answers besides; the wish may be repeated.
        """
        plan, parameters, current = self._read()
        now = self._clock()
        ruled = self._guard.decide(current, wished, now=now, changed_at=self._changed_at)
        if ruled.count == current:
            return ruled
        try:
            self._client.set_plan(self._slice, plan, {**parameters, "count": str(ruled.count)})
        except Conflict as error:
            return Ruled(current, error.message)
        self._changed_at = now
        return ruled

    def _read(self) -> tuple[str, dict[str, str], int]:
        """The plan in force, the parameters that came with it, and its count."""
        shown = self._client.slice(self._slice)
        plan, parameters = shown["plan"], shown["plan_parameters"]
        text = parameters.get("count")
        if text is None and plan:
            text = self._client.plan(self._slice, plan)["parameters"].get("count")
        if not text:
            raise Invalid(
                f"the plan in force of {self._slice} says no count",
                hint="put one in force that does: dsmtc setplan --plan limit count=3",
            )
        return plan, parameters, int(text)
