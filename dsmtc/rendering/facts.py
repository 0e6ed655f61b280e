"""Sources of facts for people. Pure."""

from __future__ import annotations

from dsmtc.client.facts import KnownFacts
from dsmtc.rendering.table import Part, Table, View
from dsmtc.rendering.text import since


def known_facts(found: KnownFacts, now: float) -> View:
    """The sources, a line each, and what there is to choose by."""
    rows = [
        (
            each["source"],
            each["state"],
            str(each["hosts"]),
            str(each["facts"]),
            since(each["read_at"], now) or "never",
            each["asked"],
            each["trouble"] or "-",
        )
        for each in found["sources"]
    ]
    columns = ("SOURCE", "STATE", "NODES", "FACTS", "READ", "FROM", "TROUBLE")
    view: list[Part] = [Table(columns, rows)] if rows else ["no further sources of facts"]
    return [*view, f"facts and labels to choose by: {', '.join(found['facts'])}"]
