"""What can be asked of the planner: one method for each request of its HTTP interface.

Every method raises the class of `dsmt_core.errors` that the planner's answer names, and `Unavailable`
or `DeadlinePassed` without an answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from dsmtc.client import answers, kept
from dsmtc.client.agreements import Agreements
from dsmtc.client.audit import AuditLog
from dsmtc.client.authority import Authority
from dsmtc.client.checkups import Checkups
from dsmtc.client.configurations import Configurations
from dsmtc.client.credentials import AccountCredentials
from dsmtc.client.facts import Facts
from dsmtc.client.files import described, file_chunks, sent_headers
from dsmtc.client.guards import Guards
from dsmtc.client.limits import Limits
from dsmtc.client.looked_in import LookedIn
from dsmtc.client.nodes import Nodes
from dsmtc.client.passages import Passages
from dsmtc.client.past import Pasts
from dsmtc.client.paths import of_slice, word
from dsmtc.client.plans import Plans
from dsmtc.client.psepr import PsEPR
from dsmtc.client.publishers import PublisherKeys
from dsmtc.client.quotas import Quotas
from dsmtc.client.rollouts import Rollouts
from dsmtc.client.secrets import Secrets
from dsmtc.client.sending import Sending
from dsmtc.client.standings import Standings
from dsmtc.client.watches import Watches


class Client(
    Agreements,
    AuditLog,
    AccountCredentials,
    Authority,
    Checkups,
    Guards,
    Secrets,
    Limits,
    Passages,
    Pasts,
    Plans,
    Quotas,
    Rollouts,
    Configurations,
    Watches,
    LookedIn,
    Nodes,
    Standings,
    Facts,
    PsEPR,
    PublisherKeys,
):
    """The planner, for one caller."""

    # -- who ---------------------------------------------------------------------------------------

    def whoami(self) -> answers.WhoAmI:
        """The account and role of the token, and the slices it may use."""
        return self.call("GET", "/v1/whoami", shape=answers.WhoAmI)

    def accounts(self) -> list[answers.Account]:
        """All accounts (admin)."""
        return self.call("GET", "/v1/accounts", shape=list[answers.Account])

    def add_account(self, account: str, password: str, role: str, site: str = "") -> answers.Account:
        """Make an account: with its role everywhere (admin), or at a site (pi or admin there)."""
        body = {"account": account, "password": password, "role": role} | ({"site": site} if site else {})
        return self.call("POST", "/v1/accounts", body, shape=answers.Account)

    def set_password(self, account: str, password: str, *, old: str = "") -> None:
        """Change a password: one's own with the old one, or anyone's as admin. Its logins end."""
        body = {"password": password} | ({"old_password": old} if old else {})
        self.call("PUT", f"/v1/accounts/{word(account)}/password", body, shape=answers.Done)

    # -- slices ------------------------------------------------------------------------------------

    def create(  # noqa: PLR0913 - one for each part of a slice
        self,
        slice_: str,
        *,
        user: str = "",
        members: Sequence[str] = (),
        agent: tuple[str, Mapping[str, str]] | None = None,
        plan: tuple[str, Mapping[str, str]] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> answers.Slice:
        """Make a slice for ``user`` and manage it (pi, admin).

        ``more``: ``description``, ``url``, ``lasts_s`` (seconds that it is wanted; without, it stays),
        ``managed`` (False: it is not).
        """
        body: dict[str, object] = {"slice": slice_, **(more or {})}
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
        return self.call("GET", of_slice(slice_), shape=answers.Slice)

    def delete(self, slice_: str) -> None:
        """Delete a slice, and everything that runs in it."""
        self.call("DELETE", of_slice(slice_), shape=answers.Done)

    def manage(self, slice_: str) -> answers.Managed:
        """Put an existing slice under management."""
        return self.call("POST", of_slice(slice_, "manage"), shape=answers.Managed)

    def unmanage(self, slice_: str) -> answers.Managed:
        """Leave a slice alone from now on; what runs goes on."""
        return self.call("DELETE", of_slice(slice_, "manage"), shape=answers.Managed)

    def set_agent(self, slice_: str, agent: str, parameters: Mapping[str, str]) -> answers.Slice:
        """Choose the installation agent."""
        body = {"agent": agent, "parameters": dict(parameters)}
        return self.call("PUT", of_slice(slice_, "agent"), body, shape=answers.Slice)

    def status(self, slice_: str) -> answers.SliceStatus:
        """How a slice is."""
        return self.call("GET", of_slice(slice_, "status"), shape=answers.SliceStatus)

    # -- packages ----------------------------------------------------------------------------------

    def packages(self, slice_: str) -> list[kept.Package]:
        """What the depot holds for a slice."""
        return self.call("GET", of_slice(slice_, "packages"), shape=list[kept.Package])

    def put_package(
        self, slice_: str, path: Path, *, told: Callable[[int, int], None] = lambda _sent, _size: None
    ) -> kept.Stored:
        """Put a package file into the depot; its digest goes ahead of it.

        Args:
            slice_: for which it is.
            path: of the file; read twice, never held in memory.
            told: hears the bytes sent so far, and all.

        Raises:
            Invalid: the file cannot be read, or changed meanwhile; nothing is kept then.
        """
        digest, size = described(path)
        target = of_slice(slice_, "packages", path.name)

        def send(begin: int, reached: Callable[[int], None]) -> kept.Stored:
            def on_the_way(sent: int) -> None:
                reached(begin + sent)
                told(begin + sent, size)

            self.freshen()
            with path.open("rb") as file:
                file.seek(begin)
                chunks = file_chunks(file, size - begin, told=on_the_way)
                headers = sent_headers(digest, begin, size)
                return self.transport.upload(
                    target, chunks, headers=headers, token=self.token, shape=kept.Stored
                )

        def received() -> int:
            asked = of_slice(slice_, "depot", "uploads", digest)
            come = self.call("GET", asked, shape=kept.Received)["received"]
            return come if come < size else 0

        return Sending(send, received).run()

    def about_package(self, slice_: str, filename: str) -> kept.PackageKnown:
        """One package: what it is, who put it, and what uses it."""
        return self.call("GET", of_slice(slice_, "packages", filename, "about"), shape=kept.PackageKnown)

    @contextlib.contextmanager
    def package(self, slice_: str, filename: str) -> Iterator[Iterator[bytes]]:
        """The bytes of a package, in pieces of at most 256 KiB."""
        target = of_slice(slice_, "packages", filename)
        self.freshen()
        with self.transport.download(target, token=self.token) as pieces:
            yield pieces

    def remove_package(self, slice_: str, filename: str) -> None:
        """Remove a package that nothing wants."""
        self.call("DELETE", of_slice(slice_, "packages", filename), shape=answers.Done)

    def prune(self, slice_: str, *, keep: int, older_than_s: float, dry_run: bool) -> kept.Pruned:
        """Remove the packages that nothing needs, but for the newest versions and what was put lately."""
        body = {"keep": keep, "older_than_s": older_than_s, "dry_run": dry_run}
        return self.call("POST", of_slice(slice_, "packages", "prune"), body, shape=kept.Pruned)

    def room(self, slice_: str) -> kept.Room:
        """How much a slice keeps in the depot, and may keep."""
        return self.call("GET", of_slice(slice_, "depot"), shape=kept.Room)

    def give_room(self, slice_: str, allowed: int | None) -> kept.Room:
        """Say how many bytes a slice may keep (admin); 0: no bound, None: the planner's default."""
        return self.call("PUT", of_slice(slice_, "depot"), {"bytes": allowed}, shape=kept.Room)

    # -- applications ------------------------------------------------------------------------------

    def act(
        self, slice_: str, application: str, verb: str, *, hosts: Sequence[str] = (), **chosen: str
    ) -> answers.Changed:
        """Start, stop, restart, update or uninstall an application, everywhere or on ``hosts``.

        Args:
            slice_: of which slice.
            application: which.
            verb: in lower case.
            hosts: only there.
            **chosen: for update: ``version``, and the ``check_index`` of what was foreseen.
        """
        body: dict[str, object] = {name: text for name, text in chosen.items() if text}
        if hosts:
            body["hosts"] = list(hosts)
        target = of_slice(slice_, "applications", application, verb)
        return self.call("POST", target, body, shape=answers.Changed)
