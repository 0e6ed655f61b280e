"""The audit log as people read it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from dsmtc.client.audit import AuditEntry, AuditVerified
from dsmtc.rendering.table import Table, View

_CHANGE_SHOWN = 100
_DIGEST_SHOWN = 12


def entries(found: Sequence[AuditEntry]) -> View:
    """A table, the newest last; times in UTC."""
    if not found:
        return ["no entries"]
    rows = [
        (
            str(one["number"]),
            moment(one["at_ms"]),
            _who(one),
            one["origin"] or "-",
            one["act"],
            one["about"] or "-",
            one["outcome"],
            one["slice"] or "-",
            one["digest"][:_DIGEST_SHOWN],
            _short(one["change"]),
        )
        for one in found
    ]
    columns = ("NUMBER", "WHEN", "WHO", "FROM", "ACT", "ABOUT", "OUTCOME", "SLICE", "DIGEST", "CHANGE")
    return [Table(columns, rows, wide=frozenset({"SLICE", "DIGEST"}))]


def verified(found: AuditVerified) -> View:
    """Whether it is whole, and what is wrong."""
    number, _, digest = found["head"].partition(":")
    last = f"the last entry is {number} ({digest[:12]}…)"
    begins = int(found["anchor"].partition(":")[0] or 0)
    before = f", after {begins} that were pruned" if begins else ""
    if found["whole"]:
        return [f"the audit log is whole: {found['entries']} entries{before}; {last}"]
    more = found["wrong"] - len(found["findings"])
    return [
        f"the audit log is not whole: {found['wrong']} findings in {found['entries']} entries; {last}",
        *(f"  {line}" for line in found["findings"]),
        *([f"  … and {more} more"] if more else []),
    ]


def moment(at_ms: int) -> str:
    """Milliseconds since the epoch as a time in UTC."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{at_ms} ms"


def _who(one: AuditEntry) -> str:
    role = f"[{one['role']}]" if one["role"] else ""
    return " ".join(filter(None, [one["account"], role])) or "-"


def _short(change: object) -> str:
    if isinstance(change, Mapping):
        text = " ".join(f"{name}={_value(value)}" for name, value in change.items())
    else:
        text = str(change)
    return text if len(text) <= _CHANGE_SHOWN else f"{text[:_CHANGE_SHOWN]}…"


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
