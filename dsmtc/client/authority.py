"""What can be asked of the planner about sites, people, and who a slice belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from dsmtc.client import answers
from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice, word


class Person(TypedDict):
    """An account with its roles at a site; none: it only belongs there."""

    account: str
    roles: list[str]


class Site(TypedDict):
    """A site, and how much belongs to it."""

    site: str
    description: str
    home: bool
    depot_bytes: NotRequired[int]
    people: int | list[Person]
    slices: int
    nodes: int


class Members(TypedDict):
    """Who belongs to a slice."""

    slice: str
    owner: str
    members: list[str]
    changed: bool
    accounts_made: NotRequired[list[str]]


class Removed(TypedDict):
    """An account that is no more: what it owned is the remover's now."""

    account: str
    owned: list[str]
    member_of: list[str]


class NodeSite(TypedDict):
    """To which site a node belongs."""

    host: str
    site: str


class Authority(Caller):
    """Sites, people, members."""

    def sites(self) -> list[Site]:
        """Every site."""
        return self.call("GET", "/v1/sites", shape=list[Site])

    def site(self, site: str) -> Site:
        """One site with its people (pi or admin there, admin)."""
        return self.call("GET", f"/v1/sites/{word(site)}", shape=Site)

    def add_site(self, site: str, description: str = "") -> Site:
        """Make a site (admin)."""
        return self.call("POST", "/v1/sites", {"site": site, "description": description}, shape=Site)

    def remove_site(self, site: str) -> None:
        """Delete a site to which no slice and no node belongs (admin)."""
        self.call("DELETE", f"/v1/sites/{word(site)}", shape=answers.Done)

    def describe_site(self, site: str, description: str) -> Site:
        """Say what a site is (admin)."""
        return self.call("PATCH", f"/v1/sites/{word(site)}", {"description": description}, shape=Site)

    def set_site_roles(self, site: str, account: str, roles: Sequence[str]) -> Site:
        """Say which roles an account has at a site; none takes them all away."""
        path = f"/v1/sites/{word(site)}/people/{word(account)}"
        return self.call("PUT", path, {"roles": list(roles)}, shape=Site)

    def move_node(self, host: str, site: str) -> NodeSite:
        """Have a node belong to a site (admin)."""
        return self.call("PUT", f"/v1/sites/{word(site)}/nodes/{word(host)}", shape=NodeSite)

    def account(self, account: str) -> answers.Account:
        """One account: one's own, or one that the caller looks after."""
        return self.call("GET", f"/v1/accounts/{word(account)}", shape=answers.Account)

    def set_roles(self, account: str, roles: Sequence[str]) -> answers.Account:
        """Say which roles an account has everywhere (admin)."""
        path = f"/v1/accounts/{word(account)}/roles"
        return self.call("PUT", path, {"roles": list(roles)}, shape=answers.Account)

    def remove_account(self, account: str) -> Removed:
        """Remove an account; its logins end, and the slices that it owned are the caller's."""
        return self.call("DELETE", f"/v1/accounts/{word(account)}", shape=Removed)

    def add_member(self, slice_: str, account: str) -> Members:
        """Have an account be a member of a slice; one that does not exist is made (pi, admin)."""
        return self.call("PUT", of_slice(slice_, "members", account), shape=Members)

    def remove_member(self, slice_: str, account: str) -> Members:
        """Have an account be a member no more (pi, admin)."""
        return self.call("DELETE", of_slice(slice_, "members", account), shape=Members)

    def describe(
        self, slice_: str, *, description: str | None = None, url: str | None = None
    ) -> answers.Slice:
        """Say what a slice is for; None leaves it as it is."""
        said = {"description": description, "url": url}
        body = {name: text for name, text in said.items() if text is not None}
        return self.call("PATCH", of_slice(slice_), body, shape=answers.Slice)

    def renew(self, slice_: str, lasts_s: float | None) -> answers.Slice:
        """Say for how many seconds from now a slice is wanted; None: it stays (pi, admin)."""
        return self.call("POST", of_slice(slice_, "renewal"), {"lasts_s": lasts_s}, shape=answers.Slice)
