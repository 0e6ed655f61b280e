"""What can be asked about the health of an installation."""

from __future__ import annotations

from typing import TypedDict

from dsmtc.client.caller import Caller


class Finding(TypedDict):
    """One thing that was looked at; ``state``: well, doubt or ill; ``todo``: what to do, or nothing."""

    what: str
    state: str
    said: str
    todo: str


class Checkup(TypedDict):
    """All of it, and the planner's time then, seconds since the epoch."""

    findings: list[Finding]
    now: float


class AuthorityShown(TypedDict):
    """The authority of the installation: PEM, ``sha256:…``, and ends in seconds since the epoch."""

    certificate: str
    fingerprint: str
    ends: float
    planner_ends: float


class Checkups(Caller):
    """What is wrong, and what to do."""

    def checkup(self) -> Checkup:
        """What the planner finds about itself, the broker, the depot and the nodes."""
        return self.call("GET", "/v1/checkup", shape=Checkup)

    def authority(self) -> AuthorityShown:
        """Whom the planner's certificate is of; `NotFound` where it speaks plain HTTP."""
        return self.call("GET", "/v1/authority", shape=AuthorityShown)
