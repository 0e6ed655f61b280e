"""What nodes are told of the depot: where it is, and which mirror of it is the one of their site."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.names import Host
from planner.fleet import Fleet
from planner.plans.ground import SITE, site_of
from planner.service.roster import Roster
from planner.service.signing import Signing

EVERYWHERE: Final = "*"


class Mirrors:
    """Mirrors by site.

    Args:
        said: each ``SITE=URL``; the site ``*`` stands for all that have none of their own.
        fleet: knows the sites: a label, or else a fact, or else the domain in the host's name.

    Raises:
        Invalid: one cannot be read.
    """

    def __init__(self, said: Iterable[str], fleet: Fleet) -> None:
        self._urls = dict(map(_read, said))
        self._fleet = fleet

    def of(self, host: Host) -> str:
        """The mirror of a node; empty for none."""
        node = self._fleet.node(host)
        known = (node.facts | node.labels).get(SITE) if node else None
        return self._urls.get(known or site_of(host)) or self._urls.get(EVERYWHERE, "")


@dataclass(frozen=True, slots=True)
class Told:
    """What a joining node is told: the depot, the mirror of its site, the broker, whose orders count."""

    depot: Callable[[], str]
    token: str
    mirror: Callable[[Host], str]
    roster: Roster
    signing: Signing

    def of(self, host: Host) -> dict[str, str]:
        """The pairs of the answer for a node."""
        return {
            "depot": self.depot(),
            "depot_token": self.token,
            "depot_mirror": self.mirror(host),
            "broker": self.roster.node_url(host),
            "application_broker": self.roster.application_url(),
            **self.signing.told(),
        }


def _read(text: str) -> tuple[str, str]:
    site, _, url = text.partition("=")
    if not site or not url.startswith(("http://", "https://")):
        raise Invalid(
            f"--depot-mirror {text!r} is not SITE=URL",
            hint="such as tokyo.example=http://mirror.tokyo.example:7082",
        )
    return site, url.rstrip("/")
