"""A planner's HTTP face over plain dictionaries, for what a real one does not do on demand.

It forgets tokens when told, answers with any error, cuts streams, and speaks hostile text.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dsmt_core.errors import Conflict, DsmtError, Invalid, NotFound, Unauthenticated

EVENT = {
    "channel": "/org/dsmt/ns/deployment/xyz1/org.dsmt.component.deployment-agent/status/node1/",
    "service": "xyz1_mgr",
    "instance": "node1/agent",
    "payload": "http://psepr.org/ns/payload/attribute",
    "field": "deployment-status",
    "value": "hostname=node1,status=running",
    "pairs": {"hostname": "node1", "status": "running"},
    "sent_at": 1_700_000_000.25,
    "id": "1",
    "boot_id": "b",
    "seq": 1,
    "ttl": 60.0,
    "expiry": 90.0,
    "emit_rate": 0.0,
    "schema": "1.0",
}


def a_slice(name: str, **changes: Any) -> dict[str, Any]:
    """A slice as the planner shows it."""
    return {
        "slice": name,
        "managed": True,
        "owner": "pi@example.com",
        "members": [],
        "agent": "deployment-agent",
        "agent_parameters": {},
        "plan": "",
        "plan_parameters": {},
        "generation": 1,
        "applications": [],
        **changes,
    }


NO_GUARD = {
    "slice": "s",
    "least": 0,
    "most": 0,
    "step": 0,
    "cool_down_s": 0.0,
    "changed_at": 0.0,
    "asks": 3,
}


def a_preview(*touched: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A preview that touches these hosts."""
    said = {"step": 1, "replaces": "", "waits": "", "reason": "chosen", "plan": "p", "function": "limit"}
    return {
        "start": len(touched),
        "stop": 0,
        "move": 0,
        "stay": 2,
        "missing": 0,
        "index": "00aa",
        "touched": [said | one for one in touched],
        "waiting": [],
        **changes,
    }


def a_node(host: str) -> dict[str, Any]:
    """A node that is away and has nothing."""
    told: dict[str, Any] = {"evidence": [], "slivers": [], "facts": {}}
    return {"host": host, "state": "failed", "heard_at": 0.0, "period": 1.0, **told}


def a_status(name: str, running: int = 1, **changes: Any) -> dict[str, Any]:
    """A status with one host whose application says ``text``."""
    text = changes.pop("text", "all well")
    return {
        "slice": name,
        "managed": True,
        "plan": "only3",
        "agent": "deployment-agent",
        "generation": 4,
        "wanted": 3,
        "running": running,
        "failed": 0,
        "waiting": 0,
        "missing": 3 - running,
        "waiting_reasons": ["2 nodes are missing"],
        "hosts": [
            {
                "host": "node1",
                "node_state": "alive",
                "container": "running",
                "agent": "running",
                "reason": "",
                "applications": [
                    {
                        "application": "pinger",
                        "state": "running",
                        "version": "1.8-1",
                        "wanted_version": "1.8-1",
                        "wanted": "running",
                        "text": text,
                        "reason": "",
                        "since": 1_700_000_000.0,
                    }
                ],
            }
        ],
        **changes,
    }


@dataclass
class Fake:
    """What the planner holds, and what it is told to do wrong.

    Attributes:
        raw: what it answers to every request, but to those whose first word is ``spared``.
    """

    accounts: dict[str, str] = field(default_factory=lambda: {"me@example.com": "secret"})
    slices: dict[str, dict[str, Any]] = field(default_factory=dict)
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    packages: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=lambda: a_status("xyz1"))
    preview: dict[str, Any] = field(default_factory=a_preview)
    most: int = 0
    guard: dict[str, Any] = field(default_factory=lambda: dict(NO_GUARD))
    held: dict[str, Any] = field(default_factory=lambda: {"slice": "s", "index": "", "hosts": []})
    nodes: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    logins: int = 0
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    refusals: list[DsmtError] = field(default_factory=list)
    raw: tuple[int, bytes] | None = None
    spared: frozenset[str] = frozenset()
    events: int = 3
    pings: list[dict[str, Any]] = field(default_factory=list)
    altered: bool = False
    demands: bool = False

    def login(self, body: dict[str, str]) -> dict[str, Any]:
        """Check a password and hand out a token."""
        self.logins += 1
        if self.accounts.get(body["account"]) != body["password"]:
            raise Unauthenticated("account or password is wrong", hint="try again")
        token = f"token{self.logins}"
        self.tokens[token] = {"account": body["account"], "role": body.get("role", "user")}
        return {"token": token, "expires_at": 2e9, **self.tokens[token]}

    def answer(self, method: str, words: list[str], body: Any, caller: dict[str, str]) -> Any:  # noqa: C901, PLR0911 - a table
        """Everything behind the token."""
        if self.refusals:
            raise self.refusals.pop(0)
        match method, words:
            case "GET", ["whoami"]:
                return {**caller, "slices": list(self.slices)}
            case "POST", ["accounts"]:
                self.accounts[body["account"]] = body["password"]
                return {"account": body["account"], "roles": [body["role"]], "has_password": True}
            case "GET", ["accounts"]:
                return [
                    {"account": name, "roles": ["user"], "has_password": True} for name in self.accounts
                ]
            case "PUT", ["accounts", account, "password"]:
                self.accounts[account] = body["password"]
                return {"account": account, "changed": True}
            case "GET", ["slices"]:
                return list(self.slices.values())
            case "POST", ["slices"]:
                if body["slice"] in self.slices:
                    raise Conflict(f"the slice {body['slice']} exists", hint="manage it")
                self.slices[body["slice"]] = a_slice(
                    body["slice"], owner=body.get("user", caller["account"])
                )
                return self.slices[body["slice"]]
            case "GET", ["functions"]:
                takes = {"name": "count", "takes": "a whole number", "default": ""}
                return [{"name": "limit", "text": "so many", "one_of": [], "parameters": [takes]}]
            case _, ["nodes", *rest]:
                return self._nodes(method, rest, body)
            case _, ["slices", name, *rest]:
                if name not in self.slices:
                    raise NotFound(f"there is no slice {name}", hint="dsmtc slices")
                return self._slice(method, name, rest, body)
        raise NotFound(f"no {method} {words}")

    def _nodes(self, method: str, rest: list[str], body: Any) -> Any:
        match method, rest:
            case "GET", []:
                return self.nodes
            case "PATCH", [host, "labels"]:
                return {"host": host, "labels": body["labels"]}
            case "POST", ["invite"]:
                return {"token": "invitation", "expires_at": 2e9}
            case "GET", [host]:
                found = next((node for node in self.nodes if node["host"] == host), None)
                return found or a_node(host)
        return {"host": rest[0], "deleted": True}

    def _slice(self, method: str, name: str, rest: list[str], body: Any) -> Any:  # noqa: C901, PLR0911, PLR0912
        slice_ = self.slices[name]
        match method, rest:
            case "GET", []:
                return slice_
            case "DELETE", []:
                del self.slices[name]
                return {"slice": name, "deleted": True}
            case _, ["manage"]:
                changed = slice_["managed"] != (method == "POST")
                slice_["managed"] = method == "POST"
                return {"slice": name, "managed": slice_["managed"], "changed": changed}
            case "PUT", ["agent" | "plan" as what]:
                if self.most and int(body["parameters"].get("count", 0)) > self.most:
                    raise Conflict(f"{body['parameters']['count']} would be more than {self.most}")
                if body.get("check_index", self.preview["index"]) != self.preview["index"]:
                    raise Conflict("the world has changed", hint="look again")
                slice_[what], slice_[f"{what}_parameters"] = body[what], body["parameters"]
                return slice_ | {"motion": {"start": 2, "stop": 0, "move": 1}}
            case "GET", ["guard"]:
                return self.guard
            case "PUT", ["guard"]:
                self.guard |= body
                return self.guard
            case "GET", ["agreement"]:
                return self.held
            case "POST", ["agreement"]:
                if body["index"] != self.held["index"]:
                    raise Conflict("what waits is another", hint="look again")
                return self.held
            case "POST", ["plan", "preview"]:
                return self.preview
            case "GET", ["status"]:
                return self.status
            case "POST", ["plans", "eval"]:
                return {
                    "hosts": [{"host": "node1", "reason": "chosen", "plan": "p", "function": "limit"}],
                    # An older planner does not say what decided.
                    "left_out": [{"host": "node2", "reason": "failed"}],
                    "missing": 1,
                }
            case "POST", ["plans", "explain"]:
                decided = {"reason": "failed", "plan": "good", "function": "minus"}
                return {"host": body["host"], "selected": False, **decided}
            case "POST", ["applications", application, verb]:
                return {
                    "application": application,
                    "hosts": body.get("hosts", []),
                    "changed": verb != "start",
                }
            case _, ["plans", *_]:
                return self._plans(method, rest[1:], body)
            case _, ["packages", *_]:
                return self._packages(method, rest[1:], body)
        raise NotFound(f"no {method} {rest}")

    def _plans(self, method: str, rest: list[str], body: Any) -> Any:
        match method, rest:
            case "GET", []:
                builtin = {"name": "all_nodes", "base": "all_nodes", "parameters": {}, "builtin": True}
                return [*self.plans.values(), builtin]
            case "POST", [_, "preview"]:
                return self.preview
            case "PUT", [plan]:
                self.plans[plan] = {"name": plan, "builtin": False, **body}
                return self.plans[plan]
            case "GET", [plan]:
                return self.plans[plan]
            case "DELETE", [plan]:
                del self.plans[plan]
        return {"name": rest[0], "deleted": True}

    def _packages(self, method: str, rest: list[str], body: Any) -> Any:
        match method, rest:
            case "GET", []:
                return [self._package(name) for name in self.packages]
            case "PUT", [name]:
                self.packages[name] = body
                return {
                    **self._package(name),
                    "application_added": True,
                    "used_now": True,
                    "lacks_signature": self.demands,
                }
            case "GET", [name]:
                return b"altered" if self.altered else self.packages[name]
            case "GET", [name, "about"]:
                known = {
                    "put_by": "me@example.com",
                    "uses": ["wanted as pinger"],
                    "hosts": [],
                    "slices": [],
                }
                return self._package(name) | known
            case "DELETE", [name]:
                del self.packages[name]
        return {"filename": rest[0], "deleted": True}

    def _package(self, name: str) -> dict[str, Any]:
        data = self.packages[name]
        return {
            "filename": name,
            "digest": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "kind": "rpm",
            "name": name.partition("-")[0],
            "version": "1.8-1",
            "arch": "noarch",
            "requires": [],
            "application": "pinger",
            "put_at": 1_700_000_000.0,
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: Fake

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _serve(self) -> None:
        url = urlsplit(self.path)
        words = [unquote(word) for word in url.path.split("/")[2:]]
        body = self._body()
        self.fake.asked.append((self.command, url.path, body))
        if self.fake.raw and words[0] not in self.fake.spared:
            self._send(*self.fake.raw)
            return
        try:
            answer: Any
            if words == ["login"]:
                answer = self.fake.login(body)
            else:
                caller = self._caller()
                if words == ["events"]:
                    self._events({name: values[0] for name, values in parse_qs(url.query).items()})
                    return
                if words[2:] == ["ping"]:
                    self._lines([json.dumps(line) for line in self.fake.pings])
                    return
                answer = self.fake.answer(self.command, words, body, caller)
        except DsmtError as error:
            told = {"code": error.code, "message": error.message, "hint": error.hint}
            self._send(error.http_status, json.dumps(told).encode())
            return
        self._send(HTTPStatus.OK, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def _body(self) -> Any:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if digest := self.headers.get("X-Content-SHA256"):
            assert digest == hashlib.sha256(data).hexdigest()
            return data
        return json.loads(data) if data else None

    def _caller(self) -> dict[str, str]:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.fake.tokens:
            raise Unauthenticated("the token has ended", hint="log in")
        return self.fake.tokens[token]

    def _events(self, query: dict[str, str]) -> None:
        if not query["channel"].startswith("/"):
            raise Invalid("that is not a channel")
        count = min(self.fake.events, int(query.get("count", self.fake.events)))
        self._lines([json.dumps({**EVENT, "seq": number + 1}) for number in range(count)])

    def _lines(self, lines: list[str]) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for each in lines:
            line = f"{each}\n\n".encode()
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Quiet(ThreadingHTTPServer):
    """What a client that hangs up makes of it is not printed between the lines of the client."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Server:
    """The fake on a free loopback port, until `stop`."""

    def __init__(self) -> None:
        self.fake = Fake()
        handler = type("Handler", (_Handler,), {"fake": self.fake})
        self._server = _Quiet(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
