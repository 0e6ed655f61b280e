"""What can be asked of the planner: one method for each request of its HTTP interface.

Every method raises the class of `dsmt_core.errors` that the planner's answer names, and `Unavailable`
or `DeadlinePassed` without an answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast
from urllib.parse import quote, urlencode

from dsmt_core.errors import Invalid, Unavailable
from dsmtc.client import answers
from dsmtc.client.psepr import PsEPR
from dsmtc.client.transport import file_chunks


class Client(PsEPR):
    """The planner, for one caller."""

    # -- who ---------------------------------------------------------------------------------------

    def whoami(self) -> answers.WhoAmI:
        """The account and role of the token, and the slices it may use."""
        return cast("answers.WhoAmI", self.call("GET", "/v1/whoami"))

    def accounts(self) -> list[answers.Account]:
        """All accounts (admin)."""
        return cast("list[answers.Account]", self.call("GET", "/v1/accounts"))

    def add_account(self, account: str, password: str, role: str) -> answers.Account:
        """Make an account (admin)."""
        body = {"account": account, "password": password, "role": role}
        return cast("answers.Account", self.call("POST", "/v1/accounts", body))

    def set_password(self, account: str, password: str, *, old: str = "") -> None:
        """Change a password: one's own with the old one, or anyone's as admin. Its logins end."""
        body = {"password": password} | ({"old_password": old} if old else {})
        self.call("PUT", f"/v1/accounts/{_word(account)}/password", body)

    # -- slices ------------------------------------------------------------------------------------

    def create(
        self,
        slice_: str,
        *,
        user: str = "",
        members: Sequence[str] = (),
        agent: tuple[str, Mapping[str, str]] | None = None,
        plan: tuple[str, Mapping[str, str]] | None = None,
    ) -> answers.Slice:
        """Make a slice for ``user`` and manage it (pi, admin)."""
        body: dict[str, object] = {"slice": slice_}
        if user:
            body["user"] = user
        if members:
            body["members"] = list(members)
        if agent:
            body |= {"agent": agent[0], "agent_parameters": dict(agent[1])}
        if plan:
            body |= {"plan": plan[0], "plan_parameters": dict(plan[1])}
        return cast("answers.Slice", self.call("POST", "/v1/slices", body))

    def slices(self) -> list[answers.Slice]:
        """The slices that the caller may see."""
        return cast("list[answers.Slice]", self.call("GET", "/v1/slices"))

    def slice(self, slice_: str) -> answers.Slice:
        """One slice."""
        return cast("answers.Slice", self.call("GET", _slice(slice_)))

    def delete(self, slice_: str) -> None:
        """Delete a slice, and everything that runs in it."""
        self.call("DELETE", _slice(slice_))

    def manage(self, slice_: str) -> answers.Managed:
        """Put an existing slice under management."""
        return cast("answers.Managed", self.call("POST", _slice(slice_, "manage")))

    def unmanage(self, slice_: str) -> answers.Managed:
        """Leave a slice alone from now on; what runs goes on."""
        return cast("answers.Managed", self.call("DELETE", _slice(slice_, "manage")))

    def set_agent(self, slice_: str, agent: str, parameters: Mapping[str, str]) -> answers.Slice:
        """Choose the installation agent."""
        body = {"agent": agent, "parameters": dict(parameters)}
        return cast("answers.Slice", self.call("PUT", _slice(slice_, "agent"), body))

    def set_plan(self, slice_: str, plan: str, parameters: Mapping[str, str]) -> answers.Slice:
        """Choose the node selection."""
        body = {"plan": plan, "parameters": dict(parameters)}
        return cast("answers.Slice", self.call("PUT", _slice(slice_, "plan"), body))

    def status(self, slice_: str) -> answers.SliceStatus:
        """How a slice is."""
        return cast("answers.SliceStatus", self.call("GET", _slice(slice_, "status")))

    # -- plans -------------------------------------------------------------------------------------

    def plans(self, slice_: str) -> list[answers.Plan]:
        """The plans of a slice, and the functions that plans are made of."""
        return cast("list[answers.Plan]", self.call("GET", _slice(slice_, "plans")))

    def plan(self, slice_: str, name: str) -> answers.Plan:
        """One plan."""
        return cast("answers.Plan", self.call("GET", _slice(slice_, "plans", name)))

    def define_plan(self, slice_: str, name: str, base: str, parameters: Mapping[str, str]) -> answers.Plan:
        """Define a plan, or define it anew."""
        body = {"base": base, "parameters": dict(parameters)}
        return cast("answers.Plan", self.call("PUT", _slice(slice_, "plans", name), body))

    def delete_plan(self, slice_: str, name: str) -> None:
        """Delete a plan that nothing uses."""
        self.call("DELETE", _slice(slice_, "plans", name))

    def evaluate(self, slice_: str, plan: str, parameters: Mapping[str, str]) -> answers.Evaluation:
        """What a plan selects now, and why; changes nothing."""
        body = {"plan": plan, "parameters": dict(parameters)}
        return cast("answers.Evaluation", self.call("POST", _slice(slice_, "plans", "eval"), body))

    # -- packages ----------------------------------------------------------------------------------

    def packages(self, slice_: str) -> list[answers.Package]:
        """What the depot holds for a slice."""
        return cast("list[answers.Package]", self.call("GET", _slice(slice_, "packages")))

    def put_package(
        self, slice_: str, path: Path, *, told: Callable[[int, int], None] = lambda _sent, _size: None
    ) -> answers.Stored:
        """Put a package file into the depot; its digest goes ahead of it.

        Args:
            slice_: for which it is.
            path: of the file; read twice, never held in memory.
            told: hears the bytes sent so far, and all.

        Raises:
            Invalid: the file cannot be read, or changed meanwhile; nothing is kept then.
        """
        try:
            if not path.is_file() and path.exists():
                raise Invalid(f"{path} is not a file", hint="put packages, such as rpmgen makes")
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}") from error
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "X-Content-SHA256": digest,
        }

        self.freshen()
        target = _slice(slice_, "packages", path.name)
        with path.open("rb") as file:
            chunks = file_chunks(file, size, told=lambda sent: told(sent, size))
            answer = self.transport.upload(target, chunks, headers=headers, token=self.token)
        return cast("answers.Stored", answer)

    @contextlib.contextmanager
    def package(self, slice_: str, filename: str) -> Iterator[Iterator[bytes]]:
        """The bytes of a package, in pieces of at most 256 KiB."""
        target = _slice(slice_, "packages", filename)
        self.freshen()
        with self.transport.download(target, token=self.token) as pieces:
            yield pieces

    def remove_package(self, slice_: str, filename: str) -> None:
        """Remove a package that nothing wants."""
        self.call("DELETE", _slice(slice_, "packages", filename))

    # -- applications ------------------------------------------------------------------------------

    def act(
        self, slice_: str, application: str, verb: str, *, hosts: Sequence[str] = (), version: str = ""
    ) -> answers.Changed:
        """Start, stop, restart, update or uninstall an application, everywhere or on ``hosts``."""
        body: dict[str, object] = {}
        if hosts:
            body["hosts"] = list(hosts)
        if version:
            body["version"] = version
        target = _slice(slice_, "applications", application, verb)
        return cast("answers.Changed", self.call("POST", target, body))

    # -- nodes -------------------------------------------------------------------------------------

    def nodes(self) -> list[answers.Node]:
        """All nodes."""
        return cast("list[answers.Node]", self.call("GET", "/v1/nodes"))

    def node(self, host: str) -> answers.Node:
        """One node."""
        return cast("answers.Node", self.call("GET", f"/v1/nodes/{_word(host)}"))

    def invite(self, *, expires_in_s: float | None = None) -> answers.Invitation:
        """A one-time token for ``dsmt-node`` (admin)."""
        body = {} if expires_in_s is None else {"expires_in_s": expires_in_s}
        return cast("answers.Invitation", self.call("POST", "/v1/nodes/invite", body))

    def forget(self, host: str) -> None:
        """Forget a node (admin)."""
        self.call("DELETE", f"/v1/nodes/{_word(host)}")

    # -- events ------------------------------------------------------------------------------------

    def events(
        self, filters: Mapping[str, str], *, count: int = 0, until: float | None = None
    ) -> Iterator[answers.EventRecord | answers.Lost]:
        """The last events; those that come; the history; or what holds now.

        A follower that is too slow is told in between how many it lost.

        Args:
            filters: ``channel``, ``type``, ``service``, ``state``, ``field``; ``since`` or ``snapshot=1``;
                ``follow=1``.
            count: end after so many; 0: no limit.
            until: on the monotonic clock.

        Raises:
            Unavailable: the planner ended a followed stream; the hint says from where to go on.
            DeadlinePassed: ``until`` came.
        """
        query = {name: value for name, value in filters.items() if value}
        if count:
            query["count"] = str(count)
        path = f"/v1/events?{urlencode(query)}"
        self.freshen()
        heard = 0
        last: int | None = None
        try:
            with contextlib.closing(self.transport.lines(path, token=self.token, until=until)) as lines:
                for line in lines:
                    event = _event(line)
                    yield event
                    if "lost" not in event:
                        heard, last = heard + 1, event.get("offset", last)
                    if count and heard >= count:
                        return
        except Unavailable as error:
            raise Unavailable(error.message, hint=_onwards(last) if heard else error.hint) from error
        if filters.get("follow"):
            raise Unavailable(
                f"the planner at {self.transport.url} ended the stream of events", hint=_onwards(last)
            )

    def broker(self) -> str:
        """The URL with which an operator's program connects to PsEPR."""
        return str(self.call("GET", "/v1/bus")["broker"])


def _onwards(last: int | None) -> str:
    """How to go on after a stream that broke off."""
    if last is None:
        return "follow again; what was published meanwhile is not repeated without --since"
    return f"--since {last + 1} goes on behind the last one that was shown"


def _event(line: bytes) -> answers.EventRecord | answers.Lost:
    try:
        read = json.loads(line)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Unavailable("what comes is no stream of events", hint="is --planner the planner of DSMT?")
    return cast("answers.EventRecord | answers.Lost", read)


def _slice(slice_: str, *words: str) -> str:
    return "/".join(["/v1/slices", _word(slice_), *map(_word, words)])


def _word(text: str) -> str:
    """One segment of a path; never empty, and never one that a server walks up or down with."""
    if text in {"", ".", ".."} or "/" in text:
        raise Invalid(f"{text!r} is not a name", hint="a name has no slash")
    return quote(text, safe="")
