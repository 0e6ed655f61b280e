"""Entries of the audit log and their chain: each holds the digest of the one before. Pure.

An entry that was changed, removed, put in or moved breaks the chain. A tail that was cut off breaks
nothing: it is noticed by a `Head` (number and digest of an entry) that was known elsewhere. So is a log of
which everything was computed anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from dsmt_core.errors import Invalid

FORMAT: Final = 1
PRUNED: Final = "audit.prune"
CHANGE_BYTES: Final = 4096
FINDINGS: Final = 100
_TEXT: Final = 200
_ITEMS: Final = 20
_DEPTH: Final = 4
_EXACT: Final = 1 << 53
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_LEFT_OUT: Final = "(left out)"
# Names under which people send what nobody may read later.
_SECRET: Final = re.compile(r"password|passphrase|token|claim|signature|private", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """An entry by its number and digest; number 0 is before the first."""

    number: int = 0
    digest: str = "0" * 64

    @classmethod
    def of(cls, text: str) -> Head:
        """The head that ``NUMBER:DIGEST`` names.

        Raises:
            Invalid: it names none.
        """
        number, _, digest = text.strip().partition(":")
        if not number.isascii() or not number.isdecimal() or len(number) > 18 or not _DIGEST.match(digest):
            raise Invalid(f"{text[:80]!r} is not the head of an audit log", hint="NUMBER:DIGEST")
        return cls(int(number), digest)

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


BEGINNING: Final = Head()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who did what, when, from where.

    Attributes:
        number: from 1, without gaps.
        at_ms: milliseconds since the epoch.
        account: who; empty for somebody who did not log in.
        role: in which role; ``planner`` for what the planner did by itself.
        origin: from which address, or how else it came.
        act: what, one word such as ``slice.make``.
        about: of what, such as ``node/HOST``; empty for the installation as a whole.
        slice: which slice it is about; empty for none.
        outcome: ``done``, ``begun`` (of what happens elsewhere), or ``refused: …`` and ``failed: …``.
        change: what was asked and what changed, as canonical JSON, without secrets.
        before: the digest of the entry before.
        digest: of this one.
    """

    number: int
    at_ms: int
    account: str
    role: str
    origin: str
    act: str
    about: str
    slice: str
    outcome: str
    change: str
    before: str
    digest: str = ""

    @property
    def head(self) -> Head:
        """The entry as others remember it."""
        return Head(self.number, self.digest)

    def sealed(self) -> Entry:
        """The same with its digest."""
        return replace(self, digest=self.right_digest())

    def right_digest(self) -> str:
        """The SHA-256 of all but the digest, in canonical JSON."""
        fields = [
            self.number, self.at_ms, self.account, self.role, self.origin, self.act,
            self.about, self.slice, self.outcome, self.change, self.before,
        ]  # fmt: skip
        return hashlib.sha256(canonical([FORMAT, *fields]).encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """As JSON shows it; the change as an object where it is one."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        try:
            opened = json.loads(self.change)
        except (ValueError, RecursionError):
            return shown
        # Another writing of the same would not give the digest back.
        return shown | {"change": opened} if _canonical_or_none(opened) == self.change else shown

    @classmethod
    def of(cls, record: object) -> Self:
        """The entry of a record.

        Raises:
            Invalid: it is none.
        """
        said = record if isinstance(record, dict) else {}
        fields: dict[str, Any] = {name: said.get(name) for name in cls.__slots__}
        if not isinstance(fields["change"], str):
            fields["change"] = _canonical_or_none(fields["change"])
        for name, value in fields.items():
            kind = int if name in {"number", "at_ms"} else str
            if not isinstance(value, kind) or isinstance(value, bool):
                raise Invalid(f"it is no entry of an audit log: {name} is missing or no {kind.__name__}")
        return cls(**fields)


@dataclass(slots=True)
class Chain:
    """Looks along a log, entry by entry, in the order in which they are kept.

    Attributes:
        at: the last entry that was looked at; at first the one before the log begins.
        known: digests by number, as they are remembered elsewhere.
        findings: what is wrong, one line each; the first `FINDINGS` of them.
        wrong: how many there were.
        count: of entries.
        owed: an entry has to say that everything up to here was pruned.
    """

    at: Head = BEGINNING
    known: Mapping[int, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    wrong: int = 0
    count: int = 0
    owed: Head = BEGINNING

    @classmethod
    def after(cls, anchor: Head, known: Mapping[int, str] | None = None) -> Self:
        """Of a log that begins after ``anchor``."""
        return cls(at=anchor, known=known or {}, owed=anchor)

    def feed(self, entry: Entry) -> None:
        """Look at the next entry."""
        self.count += 1
        if entry.number <= self.at.number:
            self._found(f"entry {entry.number} comes after {self.at.number}: moved, or put in")
        elif entry.number > self.at.number + 1:
            self._found(f"{_span(self.at.number + 1, entry.number - 1)} missing, removed")
        elif entry.before != self.at.digest:
            self._found(f"entry {entry.number} does not continue the one before: one of them was replaced")
        if entry.digest != entry.right_digest():
            self._found(f"entry {entry.number} was changed")
        if self.known.get(entry.number, entry.digest) != entry.digest:
            self._found(f"entry {entry.number} is not the one that is remembered: written anew")
        if entry.number > self.at.number:
            self.at = entry.head
        if entry.act == PRUNED and entry.outcome == "done" and f'"{self.owed}"' in entry.change:
            self.owed = BEGINNING

    def end(self, *heads: Head, last: Head | None = None) -> None:
        """There are no more; ``heads`` (and ``known``) must not lie beyond.

        Args:
            *heads: how far the log went, as it is remembered elsewhere.
            last: how far it goes, as its keeper says.
        """
        if last is not None and self.at.number > last.number:
            self._found(f"{_span(last.number + 1, self.at.number)} put in after the last one")
        if self.owed != BEGINNING:
            self._found(f"the log begins after entry {self.owed.number}, and none says that it was pruned")
        furthest = max([self.at.number, *(head.number for head in heads), *self.known])
        if furthest > self.at.number:
            self._found(f"{_span(self.at.number + 1, furthest)} missing, the end was cut off")
        for head in heads:
            if head.number == self.at.number and head.digest != self.at.digest:
                self._found(f"entry {head.number} is not the one that is remembered as the last")

    def _found(self, line: str) -> None:
        self.wrong += 1
        if len(self.findings) < FINDINGS:
            self.findings.append(line)


def canonical(value: object) -> str:
    """The one writing of a JSON value.

    Raises:
        ValueError: JSON cannot write it.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def change_of(said: Mapping[str, object]) -> str:
    """What was asked or changed, as an entry keeps it: without secrets, and bounded."""
    kept = canonical(_bounded(said, _DEPTH))
    if len(kept) <= CHANGE_BYTES:
        return kept
    names = [name[:_TEXT] for name in map(str, said)][:_ITEMS]
    return canonical({"too_long": len(kept), "fields": names})


def known_of(entries: Iterable[Entry]) -> dict[int, str]:
    """Digests by number of entries that are kept elsewhere."""
    return {entry.number: entry.digest for entry in entries}


def _bounded(value: object, depth: int) -> object:
    if isinstance(value, str):
        return value if len(value) <= _TEXT else f"{value[:_TEXT]}… ({len(value)} characters)"
    if isinstance(value, Mapping):
        return _bounded_mapping(value, depth) if depth else "…"
    if isinstance(value, list | tuple | set | frozenset):
        some = [_bounded(one, depth - 1) for one in list(value)[:_ITEMS]] if depth else []
        return [*some, f"… {len(value) - len(some)} more"] if len(value) > len(some) else some
    if value is None or isinstance(value, bool):
        return value
    # What JSON cannot write, or not every reader of it reads alike, is a text.
    exact = isinstance(value, int | float) and -_EXACT < value < _EXACT
    return value if exact else str(value)[:_TEXT] if not isinstance(value, int) else "(a huge number)"


def _bounded_mapping(value: Mapping[Any, object], depth: int) -> dict[str, object]:
    shown: dict[str, object] = {}
    for name, one in list(value.items())[:_ITEMS]:
        text = str(name)[:_TEXT]
        shown[text] = _LEFT_OUT if _SECRET.search(text) else _bounded(one, depth - 1)
    return shown | ({"…": len(value) - _ITEMS} if len(value) > _ITEMS else {})


def _canonical_or_none(value: object) -> str | None:
    try:
        return canonical(value)
    except (ValueError, TypeError, RecursionError):
        return None


def _span(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
