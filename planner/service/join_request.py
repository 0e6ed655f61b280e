"""What a node says when it joins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """What a node says when it joins; ``boot_id`` names the life of its machine."""

    host: str
    token: str
    boot_id: str
    claim: str
