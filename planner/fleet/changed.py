"""Which rows have changed, for who writes them behind, and for who shows them, if anybody does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dsmt_core.names import Host, Slice

Key = tuple[Host, Slice]
NO_KEYS: Final[frozenset[Key]] = frozenset()


class Changed:
    """Keys of rows: a node (its slice empty) or a sliver; each reader takes its own."""

    def __init__(self) -> None:
        self._kept: set[Key] = set()
        self._shown: set[Key] | None = None

    def add(self, key: Key) -> None:
        """A row has changed."""
        self._kept.add(key)
        if self._shown is not None:
            self._shown.add(key)

    def add_shown(self, keys: Iterable[Key]) -> None:
        """What is shown of these has changed, and nothing that is kept."""
        if self._shown is not None:
            self._shown.update(keys)

    def take_kept(self) -> set[Key]:
        """Those since the last call, to be written behind."""
        kept, self._kept = self._kept, set()
        return kept

    def show(self, *, wanted: bool) -> None:
        """Whether anybody takes what is shown; while nobody does, nothing is gathered."""
        self._shown = set() if wanted else None

    def take_shown(self) -> set[Key] | frozenset[Key]:
        """Those since the last call, to be shown; nothing while it is not wanted."""
        if not self._shown:
            return NO_KEYS
        shown, self._shown = self._shown, set()
        return shown

    def drop(self) -> None:
        """What has changed so far is known, by all."""
        self._kept.clear()
        if self._shown is not None:
            self._shown.clear()
