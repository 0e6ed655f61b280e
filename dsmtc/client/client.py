"""What can be asked of the planner: one method for each request of its HTTP interface.

Every method raises the class of `dsmt_core.errors` that the planner's answer names, and `Unavailable`
or `DeadlinePassed` without an answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

from dsmt_core.errors import Invalid
from dsmtc.client import answers
from dsmtc.client.files import described, file_chunks
from dsmtc.client.psepr import PsEPR


class Client(PsEPR):
    """The planner, for one caller."""

    # -- who ---------------------------------------------------------------------------------------

    def whoami(self) -> answers.WhoAmI:
        """The account and role of the token, and the slices it may use."""
        return self.call("GET", "/v1/whoami", shape=answers.WhoAmI)

    def accounts(self) -> list[answers.Account]:
        """All accounts (admin)."""
        return self.call("GET", "/v1/accounts", shape=list[answers.Account])

    def add_account(self, account: str, password: str, role: str) -> answers.Account:
        """Make an account (admin)."""
        body = {"account": account, "password": password, "role": role}
        return self.call("POST", "/v1/accounts", body, shape=answers.Account)

    def set_password(self, account: str, password: str, *, old: str = "") -> None:
        """Change a password: one's own with the old one, or anyone's as admin. Its logins end."""
        body = {"password": password} | ({"old_password": old} if old else {})
        self.call("PUT", f"/v1/accounts/{_word(account)}/password", body, shape=answers.Done)

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
        return self.call("POST", "/v1/slices", body, shape=answers.Slice)

    def slices(self) -> list[answers.Slice]:
        """The slices that the caller may see."""
        return self.call("GET", "/v1/slices", shape=list[answers.Slice])

    def slice(self, slice_: str) -> answers.Slice:
        """One slice."""
        return self.call("GET", _slice(slice_), shape=answers.Slice)

    def delete(self, slice_: str) -> None:
        """Delete a slice, and everything that runs in it."""
        self.call("DELETE", _slice(slice_), shape=answers.Done)

    def manage(self, slice_: str) -> answers.Managed:
        """Put an existing slice under management."""
        return self.call("POST", _slice(slice_, "manage"), shape=answers.Managed)

    def unmanage(self, slice_: str) -> answers.Managed:
        """Leave a slice alone from now on; what runs goes on."""
        return self.call("DELETE", _slice(slice_, "manage"), shape=answers.Managed)

    def set_agent(self, slice_: str, agent: str, parameters: Mapping[str, str]) -> answers.Slice:
        """Choose the installation agent."""
        body = {"agent": agent, "parameters": dict(parameters)}
        return self.call("PUT", _slice(slice_, "agent"), body, shape=answers.Slice)

    def set_plan(self, slice_: str, plan: str, parameters: Mapping[str, str]) -> answers.Slice:
        """Choose the node selection."""
        body = {"plan": plan, "parameters": dict(parameters)}
        return self.call("PUT", _slice(slice_, "plan"), body, shape=answers.Slice)

    def status(self, slice_: str) -> answers.SliceStatus:
        """How a slice is."""
        return self.call("GET", _slice(slice_, "status"), shape=answers.SliceStatus)

    # -- plans -------------------------------------------------------------------------------------

    def plans(self, slice_: str) -> list[answers.Plan]:
        """The plans of a slice, and the functions that plans are made of."""
        return self.call("GET", _slice(slice_, "plans"), shape=list[answers.Plan])

    def plan(self, slice_: str, name: str) -> answers.Plan:
        """One plan."""
        return self.call("GET", _slice(slice_, "plans", name), shape=answers.Plan)

    def define_plan(self, slice_: str, name: str, base: str, parameters: Mapping[str, str]) -> answers.Plan:
        """Define a plan, or define it anew."""
        body = {"base": base, "parameters": dict(parameters)}
        return self.call("PUT", _slice(slice_, "plans", name), body, shape=answers.Plan)

    def delete_plan(self, slice_: str, name: str) -> None:
        """Delete a plan that nothing uses."""
        self.call("DELETE", _slice(slice_, "plans", name), shape=answers.Done)

    def evaluate(self, slice_: str, plan: str, parameters: Mapping[str, str]) -> answers.Evaluation:
        """What a plan selects now, and why; changes nothing."""
        body = {"plan": plan, "parameters": dict(parameters)}
        return self.call("POST", _slice(slice_, "plans", "eval"), body, shape=answers.Evaluation)

    def explain(
        self, slice_: str, plan: str, parameters: Mapping[str, str], host: str
    ) -> answers.Explanation:
        """Whether a plan selects a node now, and which function of which plan decided."""
        body = {"plan": plan, "parameters": dict(parameters), "host": host}
        return self.call("POST", _slice(slice_, "plans", "explain"), body, shape=answers.Explanation)

    def functions(self) -> list[answers.PlanFunction]:
        """The functions of which plans are made."""
        return self.call("GET", "/v1/functions", shape=list[answers.PlanFunction])

    # -- packages ----------------------------------------------------------------------------------

    def packages(self, slice_: str) -> list[answers.Package]:
        """What the depot holds for a slice."""
        return self.call("GET", _slice(slice_, "packages"), shape=list[answers.Package])

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
        digest, size = described(path)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "X-Content-SHA256": digest,
        }

        self.freshen()
        target = _slice(slice_, "packages", path.name)
        with path.open("rb") as file:
            chunks = file_chunks(file, size, told=lambda sent: told(sent, size))
            return self.transport.upload(
                target, chunks, headers=headers, token=self.token, shape=answers.Stored
            )

    @contextlib.contextmanager
    def package(self, slice_: str, filename: str) -> Iterator[Iterator[bytes]]:
        """The bytes of a package, in pieces of at most 256 KiB."""
        target = _slice(slice_, "packages", filename)
        self.freshen()
        with self.transport.download(target, token=self.token) as pieces:
            yield pieces

    def remove_package(self, slice_: str, filename: str) -> None:
        """Remove a package that nothing wants."""
        self.call("DELETE", _slice(slice_, "packages", filename), shape=answers.Done)

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
        return self.call("POST", target, body, shape=answers.Changed)

    # -- nodes -------------------------------------------------------------------------------------

    def nodes(self, where: str = "") -> list[answers.Node]:
        """All nodes, or those of which a condition on their facts and labels is true."""
        path = f"/v1/nodes?{urlencode({'where': where})}" if where else "/v1/nodes"
        return self.call("GET", path, shape=list[answers.Node])

    def node(self, host: str) -> answers.Node:
        """One node."""
        return self.call("GET", f"/v1/nodes/{_word(host)}", shape=answers.Node)

    def invite(self, *, expires_in_s: float | None = None) -> answers.Invitation:
        """A one-time token for ``dsmt-node`` (admin)."""
        body = {} if expires_in_s is None else {"expires_in_s": expires_in_s}
        return self.call("POST", "/v1/nodes/invite", body, shape=answers.Invitation)

    def label(self, host: str, labels: Mapping[str, str]) -> answers.Labels:
        """Label a node; an empty value takes a label away (admin)."""
        path = f"/v1/nodes/{_word(host)}/labels"
        return self.call("PATCH", path, {"labels": dict(labels)}, shape=answers.Labels)

    def forget(self, host: str) -> None:
        """Forget a node (admin)."""
        self.call("DELETE", f"/v1/nodes/{_word(host)}", shape=answers.Done)


def _slice(slice_: str, *words: str) -> str:
    return "/".join(["/v1/slices", _word(slice_), *map(_word, words)])


def _word(text: str) -> str:
    """One segment of a path; never empty, and never one that a server walks up or down with."""
    if text in {"", ".", ".."} or "/" in text:
        raise Invalid(f"{text!r} is not a name", hint="a name has no slash")
    return quote(text, safe="")
