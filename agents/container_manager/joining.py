"""Joining: the node shows its token and its claim, and learns broker, queue, depot and period.

The claim is a random id made once: by it the planner tells this node from another one that says it has
the same name. What the join answered is kept, so that a node that joined before needs no planner to work.
"""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from agents import state_file
from agents.container_manager import certificates, pinning
from agents.container_manager.config import NodeConfig
from agents.container_manager.own_key import OwnKey
from agents.container_manager.slivers.record import machine_boot_id
from agents.trusting import Trust, explained
from dsmt_core.authorities import parted
from dsmt_core.enrolment import CERTIFIES, statement
from dsmt_core.errors import DsmtError, Invalid, Unavailable, from_code
from dsmt_core.names import Slice, slice_name

TIMEOUT_S: Final = 5.0
_ANSWER_BYTES: Final = 4 << 20
CLAIM: Final = "claim"
_NODE: Final = "node.json"
# Of this process. A machine's boot id alone is the same in all containers on it, and on all copies of one.
_LIFE: Final = secrets.token_hex(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What the planner told the node.

    Attributes:
        broker: URL with which node and slivers connect; a secret.
        queue: of the orders for this node.
        heartbeat_s: the period.
        application_broker: URL that applications are given; a secret; empty: they get none.
        depot, depot_token: where packages are fetched.
        depot_mirror: a mirror of the depot for this node's site; empty for none.
        order_keys: those with which orders must be signed; empty: with none.
        slivers: what is wanted on this node; empty when it comes from disk.
    """

    broker: str
    queue: str
    heartbeat_s: float
    application_broker: str = ""
    depot: str = ""
    depot_token: str = ""
    depot_mirror: str = ""
    order_keys: str = ""
    slivers: Mapping[Slice, int] = field(default_factory=dict)


def claim_of(data: Path) -> str:
    """The node's claim, made on first use."""
    path = data / CLAIM
    known = (state_file.load(path).value or {}).get(CLAIM)
    if isinstance(known, str) and known:
        return known
    made = secrets.token_hex(16)
    state_file.save(path, {CLAIM: made})
    return made


def remembered(data: Path) -> Joined | None:
    """What an earlier join answered; None when the node has never joined.

    Raises:
        Invalid: it cannot be understood whose orders this node is to follow.
    """
    keys = " ".join(sorted(pinning.known(data)))
    value = state_file.load(data / _NODE).value
    try:
        return None if value is None else _joined(value, keys)
    except Invalid:
        return None


def remember(data: Path, joined: Joined) -> None:
    """Keep what the join answered."""
    values = asdict(joined)
    del values["slivers"], values["order_keys"]
    state_file.save(data / _NODE, values)


def join(config: NodeConfig) -> Joined:
    """Ask the planner once; blocks for a few seconds at most.

    Raises:
        Unavailable: the planner does not answer.
        Conflict: another living node has this name.
        Denied: the token is not valid (any more), or the planner signs with another key than is known.
        Invalid: the answer cannot be understood.
    """
    token, _ = parted(config.token)
    body = {
        "host": config.host,
        "token": token,
        "boot_id": f"{machine_boot_id()}.{_LIFE}",
        "claim": claim_of(config.data),
    }
    body |= _proof(config, body, joins=True)
    status, answer = _post(config, "/v1/nodes/join", body)
    if status >= http.client.BAD_REQUEST:
        raise _refused(status, answer)
    joined = _joined(answer, pinning.pin(config.data, answer))
    certificates.take(config.data, answer)
    return joined


def _proof(config: NodeConfig, body: Mapping[str, str], *, joins: bool = False) -> dict[str, str]:
    """The node's key, and a signature of what it says; nothing for a planner that asks for none.

    Who joins also asks for certificates, where the planner gives any.
    """
    path = f"/v1/authority/challenge?host={quote(config.host)}"
    status, answer = _asked(config, "GET", path, None)
    challenge = answer.get("challenge")
    if status != http.client.OK or not isinstance(challenge, str):
        # One of before there were keys.
        return {}
    key = OwnKey(config.data)
    more = certificates.asked(config.data) if joins and answer.get(CERTIFIES) is True else {}
    said = statement(challenge, {**body, **more, "key": key.public})
    return {**more, "key": key.public, "challenge": challenge, "signature": key.sign(said)}


def secret_of(config: NodeConfig, slice_: Slice, id_: str) -> str:
    """Ask the planner for a content of a secret of a slice that this node has; in base64; blocks.

    Raises:
        Unavailable: the planner does not answer.
        Denied, NotFound: it does not give it.
    """
    body = {"host": config.host, "claim": claim_of(config.data), "slice": slice_, "id": id_}
    body |= _proof(config, body)
    status, answer = _post(config, "/v1/nodes/secret", body)
    if status >= http.client.BAD_REQUEST:
        raise _refused(status, answer)
    return str(answer.get("value", ""))


def trust_of(config: NodeConfig) -> Trust:
    """Whom the node trusts.

    Raises:
        Invalid: the token is followed by what is no fingerprint.
    """
    return Trust(config.data, config.authority, parted(config.token)[1])


def _post(config: NodeConfig, path: str, body: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    return _asked(config, "POST", path, json.dumps(dict(body)))


def _asked(config: NodeConfig, method: str, path: str, body: str | None) -> tuple[int, dict[str, Any]]:
    url = config.planner.rstrip("/") + path
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Invalid(f"{url!r} is not a URL of a planner", hint="such as http://127.0.0.1:7080")
    connection = _connection(config, parts)
    try:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection.request(
            method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers
        )
        with connection.getresponse() as response:
            return response.status, _object(response.read(_ANSWER_BYTES))
    except (OSError, http.client.HTTPException) as error:
        where = f"{parts.scheme}://{parts.netloc}"
        raise explained(error, where) or Unavailable(
            f"the planner at {where} does not answer: {error}",
            hint="the node goes on trying; is dsmt-planner running, and the URL right (http, or https)?",
        ) from error
    finally:
        connection.close()


def _connection(config: NodeConfig, parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    context = trust_of(config).context(config.planner)
    if context is None:
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
    return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=context)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _refused(status: int, answer: Mapping[str, Any]) -> DsmtError:
    code = str(answer.get("code", ""))
    message = str(answer.get("message", f"the planner answered {status}"))
    if not code and status >= http.client.INTERNAL_SERVER_ERROR:
        code = Unavailable.code
    return from_code(code, message, str(answer.get("hint", "")))


def _joined(answer: Mapping[str, Any], order_keys: str = "") -> Joined:
    try:
        period = float(answer["heartbeat_s"])
        joined = Joined(
            broker=str(answer["broker"]),
            queue=str(answer["queue"]),
            heartbeat_s=period,
            application_broker=str(answer.get("application_broker") or ""),
            depot=str(answer.get("depot") or ""),
            depot_token=str(answer.get("depot_token") or ""),
            depot_mirror=str(answer.get("depot_mirror") or ""),
            order_keys=order_keys,
            slivers={slice_name(str(k)): int(v) for k, v in (answer.get("slivers") or {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(f"the planner's answer cannot be understood: {error}") from error
    if not 0 < period < float("inf"):
        raise Invalid(f"the planner's heartbeat period {period} is not a number of seconds above 0")
    return joined
