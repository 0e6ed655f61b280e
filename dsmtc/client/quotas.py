"""What can be asked of the planner about quotas: what slices and sites may use, and use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice, word


class Bound(TypedDict):
    """One bound that counts.

    Attributes:
        what: nodes, slivers, memory (bytes), depot_bytes or events_per_second.
        whose: in words, such as ``the site princeton``.
        used: how much of it; None where that is not counted.
    """

    what: str
    most: int
    whose: str
    used: int | None


class SliceQuota(TypedDict):
    """What a slice may use: its own bounds (0: none), and all that count for it."""

    slice: str
    site: str
    quota: dict[str, int]
    used: dict[str, int]
    bounds: list[Bound]


class SiteQuota(TypedDict):
    """What each slice of a site may use, and all of them together."""

    site: str
    each: dict[str, int]
    together: dict[str, int]
    used: dict[str, int]
    bounds: list[Bound]


class Held(TypedDict):
    """What would wait, and why; the host is empty when it concerns the whole slice."""

    slice: str
    host: str
    reason: str


class Preview(TypedDict):
    """What another quota would hold back."""

    waiting: list[Held]


class Quotas(Caller):
    """What may be used."""

    def quota(self, slice_: str) -> SliceQuota:
        """What a slice may use, and uses."""
        return self.call("GET", of_slice(slice_, "quota"), shape=SliceQuota)

    def set_quota(self, slice_: str, given: Mapping[str, int]) -> SliceQuota:
        """Say what a slice may use (admin; pi within what the site has); 0 takes a bound away."""
        return self.call("PUT", of_slice(slice_, "quota"), dict(given), shape=SliceQuota)

    def preview_quota(self, slice_: str, given: Mapping[str, int]) -> Preview:
        """What would wait then."""
        return self.call("POST", of_slice(slice_, "quota", "preview"), dict(given), shape=Preview)

    def site_quota(self, site: str) -> SiteQuota:
        """What the slices of a site may use, and use (pi or admin there, admin)."""
        return self.call("GET", f"/v1/sites/{word(site)}/quota", shape=SiteQuota)

    def set_site_quota(
        self, site: str, *, each: Mapping[str, int] | None = None, together: Mapping[str, int] | None = None
    ) -> SiteQuota:
        """Say what each slice of a site, and all of them together, may use (admin)."""
        body = {"each": dict(each or {}), "together": dict(together or {})}
        return self.call("PUT", f"/v1/sites/{word(site)}/quota", body, shape=SiteQuota)

    def preview_site_quota(
        self, site: str, *, each: Mapping[str, int] | None = None, together: Mapping[str, int] | None = None
    ) -> Preview:
        """What would wait then, slice by slice."""
        body = {"each": dict(each or {}), "together": dict(together or {})}
        return self.call("POST", f"/v1/sites/{word(site)}/quota/preview", body, shape=Preview)
