"""Acts, in one word each: of every request that changes something. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SLICE: Final = "/v1/slices/{slice}"
_APPLICATION: Final = f"{_SLICE}/applications/{{application}}"

# What is asked by these changes nothing, though it is sent as if it did.
ASKS_ONLY: Final = frozenset(
    {
        "POST /v1/login/challenge",
        "POST /v1/sites/{site}/quota/preview",
        f"POST {_SLICE}/quota/preview",
        f"POST {_SLICE}/plan/preview",
        f"POST {_SLICE}/budget/preview",
        f"POST {_SLICE}/plans/eval",
        f"POST {_SLICE}/plans/explain",
        f"POST {_SLICE}/plans/{{plan}}/preview",
    }
)

WORDS: Final[Mapping[str, str]] = {
    "POST /v1/login": "login",
    "POST /v1/login/key": "login",
    "POST /v1/logout": "logout",
    "POST /v1/accounts/{account}/keys": "account.key.add",
    "DELETE /v1/accounts/{account}/keys/{key}": "account.key.remove",
    "POST /v1/accounts/{account}/tokens": "account.token.make",
    "DELETE /v1/accounts/{account}/tokens/{name}": "account.token.revoke",
    "POST /v1/accounts": "account.make",
    "PUT /v1/accounts/{account}/password": "account.password",
    "DELETE /v1/accounts/{account}": "account.remove",
    "PUT /v1/accounts/{account}/roles": "account.roles",
    "POST /v1/sites": "site.make",
    "PATCH /v1/sites/{site}": "site.describe",
    "PUT /v1/sites/{site}/quota": "site.quota",
    "DELETE /v1/sites/{site}": "site.delete",
    "PUT /v1/sites/{site}/people/{account}": "site.roles",
    "DELETE /v1/sites/{site}/people/{account}": "site.no_roles",
    "PUT /v1/sites/{site}/nodes/{host}": "site.node",
    "POST /v1/slices": "slice.make",
    f"PATCH {_SLICE}": "slice.describe",
    f"POST {_SLICE}/renewal": "slice.renew",
    f"PUT {_SLICE}/members/{{account}}": "slice.member",
    f"DELETE {_SLICE}/members/{{account}}": "slice.no_member",
    f"DELETE {_SLICE}": "slice.delete",
    f"POST {_SLICE}/manage": "slice.manage",
    f"DELETE {_SLICE}/manage": "slice.unmanage",
    f"PUT {_SLICE}/agent": "slice.agent",
    f"PUT {_SLICE}/plan": "slice.plan",
    f"POST {_SLICE}/agreement": "slice.agree",
    f"PUT {_SLICE}/guard": "slice.guard",
    f"PUT {_SLICE}/limits": "slice.limits",
    f"PUT {_SLICE}/budget": "slice.budget",
    f"PUT {_SLICE}/depot": "slice.room",
    f"PUT {_SLICE}/quota": "slice.quota",
    f"PUT {_SLICE}/plans/{{plan}}": "plan.put",
    f"DELETE {_SLICE}/plans/{{plan}}": "plan.delete",
    f"PUT {_SLICE}/packages/{{filename}}": "package.put",
    f"DELETE {_SLICE}/packages/{{filename}}": "package.delete",
    f"POST {_SLICE}/packages/prune": "package.prune",
    f"PUT {_SLICE}/packages/{{filename}}/signature": "package.sign",
    f"PUT {_SLICE}/publishers/{{name}}": "slice.publisher",
    f"DELETE {_SLICE}/publishers/{{name}}": "slice.no_publisher",
    f"DELETE {_SLICE}/publishers": "slice.any_publisher",
    f"PUT {_SLICE}/secrets/{{name}}": "secret.put",
    f"DELETE {_SLICE}/secrets/{{name}}": "secret.delete",
    "POST /v1/nodes/secret": "secret.hand_out",
    f"POST {_APPLICATION}/exec": "exec",
    f"POST {_APPLICATION}/configuration": "application.configure",
    f"PUT {_APPLICATION}/watch": "application.watch",
    f"POST {_SLICE}/rollouts/{{application}}": "rollout.start",
    "POST /v1/events": "event.publish",
    "POST /v1/nodes/invite": "node.invite",
    "POST /v1/nodes/join": "node.join",
    "PATCH /v1/nodes/{host}/labels": "node.label",
    "DELETE /v1/nodes/{host}": "node.forget",
    "POST /v1/audit/prune": "audit.prune",
}

# What is asked by a verb in the path, each with the words before it.
_VERBS: Final[Mapping[str, str]] = {
    f"POST {_APPLICATION}/{{verb}}": "application",
    "POST /v1/standings/{verb}": "node",
    f"POST {_SLICE}/rollouts/{{application}}/{{deed}}": "rollout",
}

# Of these nothing is kept of what was sent: it is, or may be, for few.
_CONTENTS: Final[Mapping[str, frozenset[str]]] = {
    "login": frozenset({"challenge"}),
    "secret.put": frozenset({"value"}),
    "event.publish": frozenset({"value", "pairs", "xml"}),
}
# Whoever asks for these shows who it is in another way than by a login.
UNKNOWN_AT_FIRST: Final = frozenset({"login", "node.join", "secret.hand_out"})
# Of these only refusals are told: nodes ask for secrets each time that something starts.
REFUSALS_ONLY: Final = frozenset({"secret.hand_out"})


@dataclass(frozen=True, slots=True)
class Named:
    """An act as its request names it."""

    word: str
    about: str
    slice: str
    change: Mapping[str, object]


def word_of(method: str, path: str, parts: Mapping[str, Any]) -> str:
    """The word for a request: its method, the form of its path, and what stands there.

    A request that nobody gave a word has its method and path for one: it is in the log all the same.
    """
    asked = f"{method} {path}"
    if asked in WORDS:
        return WORDS[asked]
    if asked in _VERBS:
        verb = str(parts.get("verb") or parts.get("deed") or "")[:40].lower()
        return f"{_VERBS[asked]}.{verb}"
    return asked


def named(word: str, parts: Mapping[str, Any], body: object) -> Named:
    """What a request is about, from its path and its body."""
    said = body if isinstance(body, Mapping) else {}
    slice_ = str(parts.get("slice") or said.get("slice") or "")[:80]
    left_out = _CONTENTS.get(word, frozenset())
    asked = {
        name: value for name, value in said.items() if name not in left_out and value not in ("", None)
    }
    path = {name: value for name, value in parts.items() if name not in {"slice", "verb", "deed"}}
    return Named(word, _about(word, slice_, parts, said), slice_, {**path, **asked})


def _about(word: str, slice_: str, parts: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    if account := parts.get("account") or (said.get("account") if not slice_ else ""):
        return f"account/{account}"[:200]
    hosts = said.get("hosts")
    host = parts.get("host") or said.get("host")
    if not host and not slice_ and isinstance(hosts, list) and len(hosts) == 1:
        host = hosts[0]
    if host and not slice_:
        return f"node/{host}"[:200]
    if slice_:
        return f"slice/{slice_}"
    if site := parts.get("site") or said.get("site"):
        return f"site/{site}"[:200]
    if channel := said.get("channel"):
        return f"channel/{channel}"[:200]
    return "nodes" if word.startswith("node.") else ""
