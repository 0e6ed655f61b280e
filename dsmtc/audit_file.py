"""An exported audit log: lines of JSON, what it is first and then its entries; read without a planner."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dsmt_core.audit import FORMAT, Chain, Entry, Head
from dsmt_core.errors import Conflict, Invalid, NotFound

_LINE_BYTES: Final = 1 << 16


@dataclass(slots=True)
class Looked:
    """A log that was looked along.

    Attributes:
        chain: with what is wrong.
        anchor: after which entry it begins.
        entries: their heads and times (milliseconds since the epoch), in order.
    """

    chain: Chain
    anchor: Head
    entries: list[tuple[Head, int]] = field(default_factory=list)

    @property
    def known(self) -> dict[int, str]:
        """Digests by number."""
        return {head.number: head.digest for head, _ in self.entries}


def look(records: Iterable[Mapping[str, Any]], known: Mapping[int, str] | None = None) -> Looked:
    """Look along a log.

    Args:
        records: what it is, then its entries.
        known: digests by number, as they are remembered elsewhere.

    Raises:
        Invalid: it is no audit log.
    """
    lines = iter(records)
    first = next(lines, {})
    if first.get("audit") != FORMAT:
        raise Invalid("it is no exported audit log of this version", hint="dsmtc audit export FILE")
    anchor, head = Head.of(str(first.get("anchor", ""))), Head.of(str(first.get("head", "")))
    beyond = {number: digest for number, digest in (known or {}).items() if number > anchor.number}
    looked = Looked(Chain.after(anchor, beyond), anchor)
    for line in lines:
        entry = Entry.of(line)
        looked.chain.feed(entry)
        looked.entries.append((entry.head, entry.at_ms))
    looked.chain.end(head, last=head)
    return looked


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file.

    Raises:
        NotFound, Invalid: it is not there, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_LINE_BYTES):
                number += 1
                yield _record(line, f"line {number} of {path}")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error


def write(path: Path, records: Iterable[Mapping[str, Any]]) -> Looked:
    """Write a log to a new file of one's own, looking along it; what is not complete is not left there.

    Raises:
        Conflict: there is such a file.
        Invalid: it cannot be written, or is no audit log.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists():
            raise Conflict(f"{path} is there already", hint="choose another name")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            looked = look(_copied(records, file))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return looked


def _copied(records: Iterable[Mapping[str, Any]], file: Any) -> Iterator[Mapping[str, Any]]:
    for record in records:
        file.write(f"{json.dumps(record)}\n")
        yield record


def _record(line: bytes, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Invalid(f"{place} is no record of an audit log", hint="it was cut off or changed there")
    return found
