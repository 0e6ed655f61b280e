"""What can be asked of the planner about keys of accounts, and tokens of programs."""

from __future__ import annotations

from typing import TypedDict

from dsmtc.client import answers
from dsmtc.client.caller import Caller
from dsmtc.client.paths import word


class AccountKey(TypedDict):
    """A key with which an account may log in."""

    id: str
    kind: str
    fingerprint: str
    comment: str
    added_at: float


class ProgramToken(TypedDict):
    """A token of a program, without the token; seconds since the epoch."""

    name: str
    role: str
    made_at: float
    expires_at: float


class MadeToken(TypedDict):
    """A token that was made; it is told this once."""

    token: str
    name: str
    account: str
    role: str
    expires_at: float


class AccountCredentials(Caller):
    """Ways in without a password."""

    def account_keys(self, account: str) -> list[AccountKey]:
        """The keys of an account: one's own, or as admin anyone's."""
        return self.call("GET", f"/v1/accounts/{word(account)}/keys", shape=list[AccountKey])

    def add_account_key(self, account: str, key: str) -> AccountKey:
        """Let an account in with a public key, given as the line of its file."""
        return self.call("POST", f"/v1/accounts/{word(account)}/keys", {"key": key}, shape=AccountKey)

    def remove_account_key(self, account: str, id_: str) -> None:
        """Forget a key by the beginning of its id; the account's logins end."""
        self.call("DELETE", f"/v1/accounts/{word(account)}/keys/{word(id_)}", shape=answers.Done)

    def account_tokens(self, account: str) -> list[ProgramToken]:
        """The tokens of an account's programs."""
        return self.call("GET", f"/v1/accounts/{word(account)}/tokens", shape=list[ProgramToken])

    def make_account_token(self, account: str, name: str, *, role: str, lasts_s: float) -> MadeToken:
        """Make a token for a program."""
        body = {"name": name, "role": role, "lasts_s": lasts_s}
        return self.call("POST", f"/v1/accounts/{word(account)}/tokens", body, shape=MadeToken)

    def revoke_account_token(self, account: str, name: str) -> None:
        """End a program's token."""
        self.call("DELETE", f"/v1/accounts/{word(account)}/tokens/{word(name)}", shape=answers.Done)
