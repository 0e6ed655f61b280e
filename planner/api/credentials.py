"""How accounts are let in without a password: keys of OpenSSH, and tokens of programs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request
from pydantic import Field

from dsmt_core.names import account as account_name
from planner.api.access import TheCaller, ThePlanner, origin_of
from planner.api.models import Body
from planner.api.routing import router_at
from planner.api.texts import LongText, Text
from planner.authority.sessions import PROGRAM_S

entrance = router_at("", "sessions")
keys = router_at("/accounts/{account}/keys", "accounts")
tokens = router_at("/accounts/{account}/tokens", "accounts")


class Knock(Body):
    """Who wants to sign a challenge."""

    account: Text


class KeyLogin(Body):
    """A challenge, and its signature as ``ssh-keygen -Y sign -n dsmt-login`` makes it."""

    account: Text
    challenge: Text
    signature: LongText
    role: Text | None = None


class NewKey(Body):
    """A public key, as a line of a ``.pub`` file."""

    key: LongText


class NewToken(Body):
    """A token for a program: its name, its role (else the strongest held), and for how many seconds."""

    name: Text
    role: Text | None = None
    lasts_s: Annotated[float, Field(allow_inf_nan=False)] = PROGRAM_S


@entrance.post("/login/challenge")
async def challenge(body: Knock, planner: ThePlanner) -> dict[str, Any]:
    """What is to be signed to log in with a key."""
    return planner.keys.challenge(body.account)


@entrance.post("/login/key")
async def login(body: KeyLogin, request: Request, planner: ThePlanner) -> dict[str, Any]:
    """Exchange a signed challenge for a token."""
    answer = (body.challenge, body.signature)
    session = await planner.keys.log_in(body.account, answer, body.role or "", origin_of(request))
    return session.record()


@entrance.post("/logout")
async def logout(request: Request, _caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """End the login whose token this is."""
    await planner.gate.sessions.end(request.headers.get("authorization", ""))
    return {"ended": True}


@keys.get("")
async def listed(account: str, caller: TheCaller, planner: ThePlanner) -> list[dict[str, Any]]:
    """The keys of an account."""
    return await planner.keys.listed(caller, account)


@keys.post("")
async def add(account: str, body: NewKey, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Let the account in with this key, too."""
    return await planner.keys.add(caller, account, body.key)


@keys.delete("/{key}")
async def remove(account: str, key: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Forget a key, by the beginning of its id; the account's logins end."""
    await planner.keys.remove(caller, account, key)
    return {"key": key, "deleted": True}


@tokens.get("")
async def programs(account: str, caller: TheCaller, planner: ThePlanner) -> list[dict[str, Any]]:
    """The tokens of the account's programs, without the tokens themselves."""
    return await planner.gate.sessions.programs(caller, account_name(account))


@tokens.post("")
async def make(account: str, body: NewToken, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Make a token for a program; it is shown this once."""
    made = await planner.gate.sessions.make(
        caller, account_name(account), body.name, body.role or "", body.lasts_s
    )
    return made.record() | {"name": body.name}


@tokens.delete("/{name}")
async def revoke(account: str, name: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """End a program's token."""
    await planner.gate.sessions.revoke(caller, account_name(account), name)
    return {"name": name, "deleted": True}
