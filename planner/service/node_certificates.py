"""Gives certificates to nodes that join, over their own keys, in time; each is in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dsmt_core.names import Host
from dsmt_core.signing import public_key
from planner.authority.node_certificates import is_due
from planner.service.audit import Audit
from planner.service.clock import SteadyClock
from planner.service.join_request import JoinRequest
from planner.store.nodes import Joined
from planner.tls.clients import Clients

_SLIVERS: Final = "slivers on "


class NodeCertificates:
    """See above.

    Args:
        clock: judges how old a certificate is.
        audit: enters each that is given.

    Attributes:
        clients: makes them; None: nobody is given any.
    """

    def __init__(self, clock: SteadyClock, audit: Audit) -> None:
        self._clock = clock
        self._audit = audit
        self.clients: Clients | None = None

    async def give(self, joined: Joined, asked: JoinRequest) -> tuple[Joined, Mapping[str, str]]:
        """What a node is given with the answer to its join, and what is remembered of it.

        Args:
            joined: who joins, with the key that it has shown; its certificate is the one of before.
            asked: what it says.

        Raises:
            Invalid: the key of its slivers is none.
            Unavailable, Full: it cannot be entered in the audit log.
        """
        if self.clients is None or not joined.key or not asked.slivers_key:
            return joined, {}
        if not is_due(joined.certified, asked.certificate, self._clock()):
            return joined, {}
        host = joined.host
        node = self.clients.issue(host, public_key(joined.key))
        slivers = self.clients.issue(host, public_key(asked.slivers_key), f"{_SLIVERS}{host}")
        await self._note(host, node.certified.fingerprint, slivers.certified.fingerprint)
        given = {
            "certificate": node.pem,
            "slivers_certificate": slivers.pem,
            "certificate_ends": f"{node.certified.ends:.0f}",
        }
        return replace(joined, certified=node.certified), given

    async def _note(self, host: Host, node: str, slivers: str) -> None:
        await self._audit.note("node.certify", f"node/{host}", {"node": node, "slivers": slivers})
