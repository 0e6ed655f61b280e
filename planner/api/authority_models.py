"""The bodies of requests about accounts, sites, and what a slice is to people."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from planner.api.models import Body
from planner.api.texts import LongText, Parameters, Text

Roles = Annotated[list[Text], Field(max_length=8)]


class NewAccount(Body):
    """An account to make; without a password nobody can log in to it yet.

    With a site it belongs there, and has its roles there only; without one everywhere.
    """

    account: Text
    password: Text = ""
    role: Text | None = None
    roles: Roles = Field(default=[])
    site: Text | None = None


class RolesHeld(Body):
    """The roles that an account has from now on: everywhere, or at the site that the path names."""

    roles: Roles


class NewSite(Body):
    """A site to make."""

    site: Text
    description: LongText = ""


class SiteChange(Body):
    """What a site is."""

    description: LongText


class QuotaGiven(Body):
    """What may be used; what is not named stays as it is, 0 takes a bound away.

    Nodes and slivers in numbers, memory and depot in bytes, events a second.
    """

    nodes: int | None = None
    slivers: int | None = None
    memory: int | None = None
    depot_bytes: int | None = None
    events_per_second: int | None = None

    @property
    def given(self) -> dict[str, int]:
        """What is named."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class SiteQuota(Body):
    """What each slice of a site may use, and what all of them may use together.

    ``depot_bytes`` alone is that of each, as before there were others.
    """

    each: QuotaGiven = Field(default=QuotaGiven())
    together: QuotaGiven = Field(default=QuotaGiven())
    depot_bytes: int | None = None

    @property
    def of_each(self) -> dict[str, int]:
        """What is named of each."""
        old = {} if self.depot_bytes is None else {"depot_bytes": self.depot_bytes}
        return old | self.each.given


class NewSlice(Body):
    """A slice to make; ``user`` owns it (by default whoever asks), ``members`` may act on it too.

    It is wanted for so many seconds; without a number it stays.
    """

    slice: Text
    user: Text | None = None
    members: list[Text] = Field(default=[], max_length=1000)
    agent: Text | None = None
    agent_parameters: Parameters = Field(default={})
    plan: Text | None = None
    plan_parameters: Parameters = Field(default={})
    managed: bool = True
    description: LongText = ""
    url: Text = ""
    lasts_s: float | None = None


class Renewal(Body):
    """How long a slice is wanted from now on, seconds; without a number it stays."""

    lasts_s: float | None


class SliceChange(Body):
    """What a slice is for; what is not named stays."""

    description: LongText | None = None
    url: Text | None = None


class Invitation(Body):
    """How long nodes may join with the token (s), how many (0: any), which, and to which site.

    With ``replaces`` one machine takes the name of this node, also while that lives, and that is out.
    """

    expires_in_s: float | None = None
    site: Text | None = None
    uses: int | None = None
    hosts: Text = ""
    replaces: Text = ""


class PublisherKey(Body):
    """A publisher whose packages a slice takes: a line of a ``.pub`` file of OpenSSH, of Ed25519."""

    key: LongText


class Signature(Body):
    """A signature of a package, as ``ssh-keygen -Y sign -n dsmt-package`` writes it."""

    signature: LongText
