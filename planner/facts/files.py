"""Facts from a file that somebody else writes: JSON or CSV, read again when it has changed.

JSON: an object of hosts, each an object of facts. CSV: a first row with ``host`` and the names of the
facts, then a row for each host; an empty cell is unknown.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dsmt_core.errors import DsmtError, Invalid, Unavailable

BYTES: Final = 32 << 20
PERIOD_S: Final = 30.0
_HOST: Final = "host"

Facts = Mapping[str, Mapping[str, object]]


class FileFacts:
    """A file of facts.

    Args:
        where: its path; what ends in ``.csv`` is CSV, everything else JSON.
    """

    def __init__(self, where: str) -> None:
        self.period = PERIOD_S
        self._path = Path(where).expanduser()
        self._stamp: tuple[int, int, int] | None = None
        self._known: Facts = {}

    def read(self) -> Facts:
        """What the file says now.

        Raises:
            Unavailable: it cannot be read.
            Invalid: it is longer than `BYTES`, or not what it should be; the line is told.
        """
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._known, self._stamp = self._parsed(self._content()), stamp
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be read: {error.strerror}") from error
        except DsmtError as error:
            raise error.under(str(self._path)) from error
        return self._known

    def _content(self) -> str:
        with self._path.open("rb") as file:
            content = file.read(BYTES + 1)
        if len(content) > BYTES:
            raise Invalid(f"it is longer than {BYTES} bytes")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid(f"it is not UTF-8 at byte {error.start}") from None

    def _parsed(self, content: str) -> Facts:
        return _csv(content) if self._path.suffix.lower() == ".csv" else _json(content)


def _json(content: str) -> Facts:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise Invalid(f"it is no JSON: {error}") from None
    except RecursionError:
        raise Invalid("it is nested too deep") from None
    if not isinstance(found, dict) or not all(isinstance(facts, dict) for facts in found.values()):
        raise Invalid(
            "it is no object of hosts with an object of facts each", hint='{"HOST": {"rack": "r7"}}'
        )
    return found


def _csv(content: str) -> Facts:
    rows = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    found: dict[str, dict[str, object]] = {}
    try:
        if _HOST not in (rows.fieldnames or ()):
            raise Invalid("its first row has no column host", hint="host,rack,owner")
        for row in rows:
            if None in row:
                raise Invalid(f"line {rows.line_num} has more cells than the first row")
            facts = {name: value for name, value in row.items() if value and name != _HOST}
            found[str(row[_HOST])] = facts
    except csv.Error as error:
        raise Invalid(f"it is no CSV: line {rows.reader.line_num}: {error}") from None
    return found
