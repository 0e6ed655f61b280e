"""What can be asked of the planner about its audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict, cast
from urllib.parse import urlencode

from dsmtc.client.caller import Caller
from dsmtc.client.shape import fault, read_json


class AuditEntry(TypedDict):
    """An entry, as `dsmt_core.audit.Entry` describes it; ``change`` is an object, or its text."""

    number: int
    at_ms: int
    account: str
    role: str
    origin: str
    act: str
    about: str
    slice: str
    outcome: str
    change: object
    before: str
    digest: str


class AuditBegin(TypedDict):
    """What an export begins with: its form, of which installation, and from where to where it goes."""

    audit: int
    installation: str
    anchor: str
    head: str


class AuditVerified(TypedDict):
    """What is wrong with the log: ``findings`` are the first of so many (``wrong``)."""

    whole: bool
    entries: int
    anchor: str
    head: str
    wrong: int
    findings: list[str]


class AuditPruned(TypedDict):
    """How many entries were removed, and after which the log begins now."""

    removed: int
    anchor: str


class AuditLog(Caller):
    """The audit log."""

    def audit(self, filters: Mapping[str, object]) -> list[AuditEntry]:
        """Entries, the oldest first: the newest so many of which all the filters are true."""
        asked = urlencode({name: value for name, value in filters.items() if value not in ("", None)})
        return self.call("GET", f"/v1/audit?{asked}", shape=list[AuditEntry])

    def audit_verify(self) -> AuditVerified:
        """Have the planner look along its log (admin)."""
        return self.call("GET", "/v1/audit/verify", shape=AuditVerified)

    def audit_export(self) -> Iterator[dict[str, Any]]:
        """The whole log: what it is first, then each entry (admin)."""
        path = "/v1/audit/export"
        begun = False
        self.freshen()
        for line in self.transport.lines(path, token=self.token, until=None, opened=lambda: None):
            read = read_json(line)
            wrong = fault(read, AuditEntry if begun else AuditBegin)
            if wrong:
                raise self.transport.stranger(f"GET {path}: {wrong}")
            begun = True
            yield cast("dict[str, Any]", read)

    def audit_prune(self, through: str) -> AuditPruned:
        """Remove everything up to an entry, NUMBER:DIGEST, that was exported (admin)."""
        return self.call("POST", "/v1/audit/prune", {"through": through}, shape=AuditPruned)
