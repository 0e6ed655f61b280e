"""What can be asked of the planner about facts."""

from __future__ import annotations

from typing import TypedDict

from dsmtc.client.caller import Caller


class FactSource(TypedDict):
    """A source of facts. ``state``: waiting, well, troubled, or unknown (what it said holds no longer)."""

    source: str
    asked: str
    state: str
    hosts: int
    facts: int
    read_at: float | str | None
    period: float
    trouble: str


class KnownFacts(TypedDict):
    """The sources of facts, and the names of all facts that plans can ask for."""

    sources: list[FactSource]
    facts: list[str]


class Facts(Caller):
    """What is known of the machines."""

    def facts(self) -> KnownFacts:
        """The sources of facts with their trouble, and the names of all facts and labels."""
        return self.call("GET", "/v1/facts", shape=KnownFacts)
