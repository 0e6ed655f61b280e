"""Who may have the name of a node: its holder, or whoever has an invitation while the holder does not live.

The holder shows its claim, and from the first time on that it brought a key also a signature with it: a
claim alone may have been read on the way, or in a backup.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final

import structlog

from dsmt_core.enrolment import statement
from dsmt_core.errors import Denied, DsmtError, Unauthenticated
from dsmt_core.names import Host
from planner.authority import node_keys
from planner.authority.challenges import Challenges
from planner.authority.invitations import refusal
from planner.authority.node_keys import Lives
from planner.authority.tokens import fingerprint
from planner.service.audit import Audit
from planner.service.join_request import JoinRequest
from planner.service.means import Means
from planner.store import nodes
from planner.store.nodes import Joined

_KEY: Final = 400
_log = structlog.get_logger(__name__)


class Entrance:
    """Decides who joins.

    Args:
        means: where invitations are kept, and what time it is.
        joined: who has which name.
        audit: enters that a machine was copied.
    """

    def __init__(self, means: Means, joined: Mapping[Host, Joined], audit: Audit) -> None:
        self._database = means.database
        self._clock = means.clock
        self._joined = joined
        self._audit = audit
        self._lives = Lives()
        self._challenges = Challenges("", secrets.token_bytes(32))

    def challenge(self, host: Host) -> str:
        """What a node signs when it joins, within a minute."""
        return self._challenges.make(host, now=self._clock(), nonce=secrets.token_hex(16))[0]

    def asked(self, host: Host, request: JoinRequest) -> Joined:
        """Who asks; with the key, if it has shown that it has one.

        Raises:
            Denied: the signature is wrong, or its challenge not one that may be answered yet.
        """
        joined = Joined(host, fingerprint(request.claim), request.boot_id[:64], self._clock())
        if not request.key:
            return joined
        self._prove(host, asdict(request))
        return Joined(host, joined.claim_hash, joined.boot_id, joined.joined_at, request.key)

    def speaks_for(self, host: Host, said: Mapping[str, str]) -> bool:
        """Whether the node that has the name says this: by its claim, and by its key if it has shown one.

        Raises:
            Denied: it is signed wrongly.
        """
        holder = self._joined.get(host)
        if holder is None or not hmac.compare_digest(holder.claim_hash, fingerprint(said["claim"])):
            return False
        if not holder.key:
            return True
        if holder.key != said.get("key"):
            return False
        self._prove(host, said)
        return True

    def _prove(self, host: Host, said: Mapping[str, str]) -> None:
        challenge, key = said["challenge"], said["key"]
        try:
            self._challenges.check(challenge, host, now=self._clock())
        except Unauthenticated as error:
            raise Denied(error.message, hint="the node asks for another by itself") from None
        if len(key) > _KEY:
            raise Denied("the key of the node is too long")
        node_keys.check(key, statement(challenge, said), said["signature"])
        self._challenges.use(challenge, now=self._clock())

    def is_holder(self, joined: Joined) -> bool:
        """Whether it is the node that has the name already."""
        holder = self._joined.get(joined.host)
        if holder is None or not hmac.compare_digest(holder.claim_hash, joined.claim_hash):
            return False
        return not holder.key or holder.key == joined.key

    async def admit(self, joined: Joined, token: str, holds: Callable[[Joined], DsmtError | None]) -> str:
        """Let it in; the hash of the token that it needed for that, empty for none.

        Args:
            joined: who asks.
            token: of an invitation.
            holds: why the present holder of the name keeps it, if it does.

        Raises:
            Denied: the token is not of an invitation that lets it in.
            Conflict: another living instance has the name.
        """
        if self.is_holder(joined):
            if self._lives.is_twofold(joined.host, joined.boot_id):
                _log.error("two machines have the key of one node: one is a copy", host=joined.host)
                change = {"boot_id": joined.boot_id}
                await self._audit.note("node.copied", f"node/{joined.host}", change)
            return ""
        of_token = fingerprint(token)
        invited = await self._database.read(nodes.invited, of_token)
        if refused := refusal(invited, joined.host, self._clock()):
            raise self._said(joined, token) or refused
        # Looked at now: somebody may have joined while the database was asked.
        holder = self._joined.get(joined.host)
        if holder is not None and (refused_by := holds(holder)):
            raise refused_by
        self._lives.forget(joined.host)
        self._lives.is_twofold(joined.host, joined.boot_id)
        return of_token

    def _said(self, joined: Joined, token: str) -> Denied | None:
        holder = self._joined.get(joined.host)
        if token or holder is None or holder.claim_hash != joined.claim_hash:
            return None
        return Denied(
            f"{joined.host} joined with a key, and now shows {'another one' if joined.key else 'none'}",
            hint="put its directory back from a backup, or join anew: dsmtc nodes invite",
        )
