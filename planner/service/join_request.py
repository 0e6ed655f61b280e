"""What a node says when it joins, and what is known of it by that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dsmt_core.names import Host
from planner.store.nodes import Joined


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """What a node says when it joins.

    Attributes:
        boot_id: names the life of its machine.
        key: its public key; empty: it has none, or is of before there were any.
        challenge: of the planner, that it has signed.
        signature: of `dsmt_core.enrolment.statement`.
        slivers_key: the public key of what is on it; empty: it asks for no certificates.
        certificate: the fingerprint of the one that it has; empty for none.
    """

    host: str
    token: str
    boot_id: str
    claim: str
    key: str = ""
    challenge: str = ""
    signature: str = ""
    slivers_key: str = ""
    certificate: str = ""


class ClaimHashes(Mapping[Host, str]):
    """Host → the hash of its claim; a view, since a copy at each of many joins would cost their square.

    Args:
        joined: who joined.
    """

    def __init__(self, joined: Mapping[Host, Joined]) -> None:
        self._joined = joined

    def __getitem__(self, host: Host) -> str:
        return self._joined[host].claim_hash

    def __iter__(self) -> Iterator[Host]:
        return iter(self._joined)

    def __len__(self) -> int:
        return len(self._joined)
