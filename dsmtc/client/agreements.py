"""What waits for people to agree, and to agree."""

from __future__ import annotations

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice
from dsmtc.client.previewed import ToAgree


class Agreements(Caller):
    """What the planner would stop by its own idea, and does not before people agree."""

    def held_back(self, slice_: str) -> ToAgree:
        """What waits now."""
        return self.call("GET", of_slice(slice_, "agreement"), shape=ToAgree)

    def agree(self, slice_: str, index: str) -> ToAgree:
        """Let go what waits.

        Args:
            slice_: in which slice.
            index: of what was looked at (`held_back`, or the slice's status).

        Returns:
            What was let go.

        Raises:
            Conflict: nothing waits, or something else; nothing was changed.
        """
        return self.call("POST", of_slice(slice_, "agreement"), {"index": index}, shape=ToAgree)
