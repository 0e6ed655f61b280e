"""Who may have the name of a node: its holder, or whoever has an invitation while the holder does not live.

The holder shows its claim, and from the first time on that it brought a key also a signature with it: a
claim alone may have been read on the way, or in a backup.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import structlog

from dsmt_core.authorities import invitation
from dsmt_core.enrolment import statement
from dsmt_core.errors import Denied, DsmtError, Invalid, Unauthenticated
from dsmt_core.names import Account, Host
from dsmt_core.names import host as host_name
from planner.authority import node_keys
from planner.authority.challenges import Challenges
from planner.authority.invitations import Asked, Invited, legal_hosts, legal_uses, refusal
from planner.authority.node_keys import lived
from planner.authority.tokens import fingerprint, new_token
from planner.service.audit import Audit
from planner.service.join_request import JoinRequest
from planner.service.means import Means
from planner.store import nodes
from planner.store.nodes import Joined

_KEY: Final = 400
_LONGEST_INVITATION_S: Final = 366 * 86_400.0
# Two machines that both go on are told of once in so long.
_COPIED_AGAIN_S: Final = 86_400.0
_log = structlog.get_logger(__name__)


class Entrance:
    """Decides who joins.

    Args:
        means: where invitations are kept, and what time it is.
        joined: who has which name.
        audit: enters that a machine was copied.

    Attributes:
        authority: the fingerprint of whom nodes meet, as invitations tell it; empty: they meet nobody.
    """

    def __init__(self, means: Means, joined: Mapping[Host, Joined], audit: Audit) -> None:
        self._database = means.database
        self._clock = means.clock
        self._joined = joined
        self._audit = audit
        self.authority = ""
        self._challenges = Challenges("", secrets.token_bytes(32))

    def challenge(self, host: Host) -> str:
        """What a node signs when it joins, within a minute."""
        return self._challenges.make(host, now=self._clock(), nonce=secrets.token_hex(16))[0]

    async def invite(self, by: Account, asked: Asked, usual_s: float) -> dict[str, Any]:
        """Make a token with which nodes may join until it ends; they belong to its site.

        Args:
            by: who invites.
            asked: for what.
            usual_s: how long it holds, where nothing was said.

        Raises:
            Invalid: the time is not above 0, or beyond a year; uses or hosts are not legal.
            NotFound: there is no node to be replaced.
        """
        lasts = usual_s if asked.lasts is None else asked.lasts
        if not 0 < lasts <= _LONGEST_INVITATION_S:
            raise Invalid("an invitation holds for more than 0 s and at most 366 days")
        token, now = new_token(), self._clock()
        uses, hosts = legal_uses(asked.uses), legal_hosts(asked.hosts)
        if asked.replaces:
            # One machine for one name: a pattern would let anybody push anybody out.
            uses, hosts = 1, host_name(asked.replaces)
            if hosts not in self._joined:
                raise nodes.no_node(Host(hosts))
        made = Invited(by, now + lasts, asked.site, uses, hosts, replaces=bool(asked.replaces))
        await self._database.write(nodes.invite, fingerprint(token), made, now=now)
        shown = {"token": invitation(token, self.authority), "expires_at": made.expires_at}
        return shown | {"uses": uses or 0, "hosts": hosts, "replaces": asked.replaces}

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

    async def admit(
        self, joined: Joined, token: str, holds: Callable[[Joined], DsmtError | None]
    ) -> tuple[Joined, str]:
        """Let it in: who it is from now on, and the hash of the token that it needed, empty for none.

        Args:
            joined: who asks.
            token: of an invitation.
            holds: why the present holder of the name keeps it, if it does.

        Raises:
            Denied: the token is not of an invitation that lets it in.
            Conflict: another living instance has the name.
        """
        if self.is_holder(joined):
            return await self._again(joined), ""
        of_token = fingerprint(token)
        invited = await self._database.read(nodes.invited, of_token)
        if refused := refusal(invited, joined.host, self._clock()):
            raise self._said(joined, token) or refused
        # Looked at now: somebody may have joined while the database was asked.
        holder = self._joined.get(joined.host)
        if holder is not None and invited is not None:
            refused_by = _same(holder, joined) if invited.replaces else holds(holder)
            if refused_by:
                raise refused_by
        return replace(joined, lives=(joined.boot_id,)), of_token

    async def _again(self, joined: Joined) -> Joined:
        """The holder of a name joins once more."""
        holder, now = self._joined[joined.host], joined.joined_at
        lives, is_twofold = lived(holder.lives, joined.boot_id)
        copied_at = holder.copied_at
        if is_twofold:
            copied_at = now
            _log.error("two machines have the key of one node: one is a copy", host=joined.host)
            if now - holder.copied_at > _COPIED_AGAIN_S:
                await self._audit.note("node.copied", f"node/{joined.host}", {"boot_id": joined.boot_id})
        return replace(joined, lives=lives, copied_at=copied_at, certified=holder.certified)

    def _said(self, joined: Joined, token: str) -> Denied | None:
        holder = self._joined.get(joined.host)
        if token or holder is None:
            return None
        if holder.claim_hash != joined.claim_hash:
            return Denied(
                f"another machine is {joined.host}, since it joined with an invitation",
                hint=f"if this one is right: dsmtc nodes reinvite {joined.host}, and here dsmt-node rekey",
            )
        return Denied(
            f"{joined.host} joined with a key, and now shows {'another one' if joined.key else 'none'}",
            hint="put its directory back from a backup, or join anew: dsmtc nodes invite",
        )


def _same(holder: Joined, joined: Joined) -> Denied | None:
    """Why a machine does not replace another one of the name: what it shows the other one has, too."""
    if joined.claim_hash != holder.claim_hash and joined.key and joined.key != holder.key:
        return None
    return Denied(
        f"the machine that is to replace {holder.host} shows the key or claim of that one, or no key",
        hint="on it, say: dsmt-node rekey --data DIR; then start dsmt-node with the token again",
    )
