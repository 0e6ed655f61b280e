"""What a request would mean, in sentences, from how things stand. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from dsmt_core.several import several
from dsmtc.client import Node, SliceStatus
from dsmtc.client.kept import PackageKnown
from dsmtc.client.rehearsal import Would

_NAMED: Final = 10
_PLACES: Final = (
    ("act", re.compile(r"POST /v1/slices/([^/]+)/applications/([^/]+)/(start|stop|restart|uninstall)\Z")),
    ("delete", re.compile(r"DELETE /v1/slices/([^/]+)\Z")),
    ("unmanage", re.compile(r"DELETE /v1/slices/([^/]+)/manage\Z")),
    ("package", re.compile(r"DELETE /v1/slices/([^/]+)/packages/([^/]+)\Z")),
    ("plan", re.compile(r"DELETE /v1/slices/([^/]+)/plans/([^/]+)\Z")),
    ("forget", re.compile(r"DELETE /v1/nodes/([^/]+)\Z")),
)
# What each verb does to whom it finds: those in these states, or in any.
_VERBS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "start": ("starts", frozenset({"terminated", "installed", "failed"})),
    "stop": ("stops", frozenset({"running", "failed", "installed"})),
    "restart": ("restarts", frozenset({"running", "failed"})),
    "uninstall": ("is removed from", frozenset()),
}


def place(one: Would) -> tuple[str, tuple[str, ...]]:
    """Of which kind a request is, and the names in it; empty for one whose meaning is not known here."""
    for kind, form in _PLACES:
        if found := form.match(f"{one.method} {one.path}"):
            return kind, tuple(map(unquote, found.groups()))
    return "", ()


def acted(status: SliceStatus, application: str, verb: str, body: object) -> Iterator[str]:
    """Where an application would be started, stopped, restarted or removed."""
    only = body.get("hosts") if isinstance(body, Mapping) else None
    does, states = _VERBS[verb]
    meant = [
        host["host"]
        for host in status["hosts"]
        for one in host["applications"]
        if one["application"] == application
        and (not states or one["state"] in states)
        and (not only or host["host"] in only)
    ]
    if not meant:
        yield f"{application} is nowhere where that would change something now"
        return
    yield f"{application} {does} {'' if does.endswith('from') else 'on '}{hosts(meant)}"


def ended(status: SliceStatus, *, packages: int, plans: int) -> Iterator[str]:
    """What ends with a slice."""
    there = [host["host"] for host in status["hosts"]]
    names = sorted({one["application"] for host in status["hosts"] for one in host["applications"]})
    if there:
        yield f"ends its slivers on {hosts(there)}" + (f", with {', '.join(names)}" if names else "")
    yield f"removes {packages} packages and {plans} plans of it"


def left_alone(status: SliceStatus) -> Iterator[str]:
    """What goes on without being looked after."""
    if there := [host["host"] for host in status["hosts"]]:
        yield f"what runs goes on, and nothing is healed any more, on {hosts(there)}"


def forgotten(node: Node) -> Iterator[str]:
    """What a node that is forgotten has."""
    if slivers := node["slivers"]:
        yield f"what it has of {', '.join(slivers)} is placed elsewhere"
    if node["state"] == "alive":
        yield "it is alive, so this will be refused"


def removed(package: PackageKnown) -> Iterator[str]:
    """What speaks against the removal of a package."""
    if uses := package["uses"]:
        yield f"it is {uses[0]}, so this will be refused"


def hosts(names: Sequence[str]) -> str:
    """So many hosts, the first of them by name."""
    return f"{len(names)} node{'s' * (len(names) != 1)}: {several(names, _NAMED)}"
