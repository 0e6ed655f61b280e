"""Logging in with an ssh key: a challenge of the planner, signed by the key's owner."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from dsmt_core.errors import Invalid, NotFound, Unauthenticated
from dsmt_core.names import account
from planner.authority.challenges import NAMESPACE, Challenges
from planner.authority.gate import Gate
from planner.authority.rights import Caller
from planner.authority.sessions import Session, check_own
from planner.authority.ssh_signatures import public_key, signer, verify
from planner.store import Database, account_keys, accounts
from planner.store.account_keys import KeptKey

_HINT = "dsmtc account keys list shows the account's keys"


class Keys:
    """The keys of accounts.

    Args:
        database: of the planner.
        now: seconds since the epoch.
        gate: counts wrong attempts, and gives tokens.
        installation: its id.
    """

    def __init__(self, database: Database, now: Callable[[], float], gate: Gate, installation: str) -> None:
        self._database = database
        self._now = now
        self._gate = gate
        self._challenges = Challenges(installation, secrets.token_bytes(32))

    def challenge(self, name: str) -> dict[str, Any]:
        """What somebody who says to be ``name`` is to sign, for the purpose ``dsmt-login``.

        Raises:
            Invalid: the name is not legal.
        """
        made, until = self._challenges.make(account(name), now=self._now(), nonce=secrets.token_hex(16))
        return {"challenge": made, "namespace": NAMESPACE, "expires_at": until}

    async def log_in(self, name: str, answer: tuple[str, str], asked_role: str, origin: str) -> Session:
        """Let in who signed a challenge (``answer``: it and its signature).

        Raises:
            Unauthenticated: challenge, signature or account are not right.
            Denied: too many wrong attempts, or a role that the account does not hold.
            Invalid: the signature cannot be read.
        """
        challenge, signature = answer
        now = self._now()
        self._challenges.check(challenge, account(name), now=now)
        by = signer(signature)
        await self._gate.knock(name, origin)
        person = await self._database.read(accounts.find, account(name))
        key = await self._database.read(account_keys.find, account(name), by)
        if person is None or key is None:
            raise Unauthenticated(f"{name} has not this key", hint=_HINT)
        if not verify(public_key(key.text), signature, challenge.encode(), NAMESPACE):
            raise Unauthenticated(f"the signature is not by {name}, or of something else", hint=_HINT)
        # Not before: nobody but the owner can use one up. Looked at again, as others may have been quicker.
        self._challenges.check(challenge, account(name), now=now)
        self._challenges.use(challenge, now=now)
        self._gate.welcome(name, origin)
        return await self._gate.sessions.begin(person, asked_role, by=f"key {by}")

    async def add(self, caller: Caller, name: str, text: str) -> dict[str, Any]:
        """Let an account in with a key, too.

        Raises:
            Denied: it is not the caller's own account, and the role is not admin.
            Invalid: it is no key that is taken.
            NotFound, Conflict, Full: see `planner.store.account_keys.add`.
        """
        target = account(name)
        check_own(caller, target)
        key = public_key(text)
        kept = KeptKey(target, key.id, key.text, key.comment, self._now())
        await self._database.write(account_keys.add, kept)
        return _shown(kept)

    async def listed(self, caller: Caller, name: str) -> list[dict[str, Any]]:
        """The keys of an account.

        Raises:
            Denied: it is not the caller's own account, and the role is not admin.
            NotFound: there is no such account.
        """
        check_own(caller, account(name), program=True)
        return [_shown(one) for one in await self._database.read(account_keys.listed, account(name))]

    async def remove(self, caller: Caller, name: str, id_: str) -> None:
        """Forget a key; the logins of its account end.

        Raises:
            Denied, NotFound: as for `listed`; or there is no such key.
        """
        target = account(name)
        check_own(caller, target)
        if len(id_) < 8:
            raise Invalid("a key is named by the beginning of its id", hint=_HINT)
        found = await self._database.read(account_keys.listed, target)
        matching = [one.id for one in found if one.id.startswith(id_)]
        if len(matching) != 1:
            raise NotFound(f"{name} has no key {id_[:64]}", hint=_HINT)
        await self._database.write(account_keys.remove, target, matching[0])


def _shown(kept: KeptKey) -> dict[str, Any]:
    key = public_key(kept.text)
    return {
        "id": kept.id,
        "kind": key.kind,
        "fingerprint": key.fingerprint,
        "comment": kept.comment,
        "added_at": kept.added_at,
    }
