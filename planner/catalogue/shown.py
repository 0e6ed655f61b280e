"""The catalogue for people: the answers to ``GET /v1/services`` and ``GET /v1/channels`` as plain JSON.

Only what the caller may hear is counted and shown: of channels of a slice, to who may look into the slice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from dsmt_core.channels import Channel, lies_under
from dsmt_core.services import Description, Direction, Use, covers
from planner.catalogue.breaches import Breach
from planner.catalogue.catalogue import Catalogue
from planner.catalogue.parts import PARTS
from planner.catalogue.rows import Row
from planner.silences import Watched

# More lines than this are no overview; a channel narrows them.
SHOWN: Final = 5_000

Allowed = Callable[[Channel], bool]


def services_shown(catalogue: Catalogue, allowed: Allowed) -> dict[str, Any]:
    """Every service: the parts of DSMT first, then who described itself, then who was only heard.

    Args:
        catalogue: what is known.
        allowed: whether the caller may hear a channel.
    """
    rows = [row for row in catalogue.rows if allowed(row.channel)]
    services: list[dict[str, Any]] = [_described(part, part=True) for part in PARTS]
    names = {part.service for part in PARTS} | catalogue.described.keys()
    for described in (catalogue.described[name] for name in sorted(catalogue.described)):
        by = {"described_by": described.user, "instance": described.instance, "described_at": described.at}
        services.append(_described(described.description, part=False) | by)
    heard = _heard_by_service(rows)
    for each in services:
        each.update(heard.get(each["service"], {"events": 0, "heard_at": 0.0}))
    others = sorted(name for name in heard if name not in names)
    services += [
        {"service": name, "text": "", "part": False, "described": False, "channels": []} | heard[name]
        for name in others[:SHOWN]
    ]
    breaches = [breach_shown(each) for each in catalogue.breaches() if allowed(each.channel)]
    return {"services": services, "breaches": breaches, "left_out": max(0, len(others) - SHOWN)}


def channels_shown(
    catalogue: Catalogue, silent: Iterable[Watched], *, below: Channel, allowed: Allowed
) -> dict[str, Any]:
    """Every channel at or below ``below`` on which something was heard, and every one that is described."""
    rows: dict[Channel, list[Row]] = {}
    for row in catalogue.rows:
        if lies_under(row.channel, below) and allowed(row.channel):
            rows.setdefault(row.channel, []).append(row)
    quiet = [one for one in silent if lies_under(one.thing.channel, below) and allowed(one.thing.channel)]
    quiet_on = Counter(one.thing.channel for one in quiet)
    descriptions = [*PARTS, *(each.description for each in catalogue.described.values())]
    heard = [
        {
            "channel": channel,
            "said_by": sorted(row.service for row in rows[channel]),
            "fields": sorted(set().union(*(row.fields for row in rows[channel]))),
            "events": sum(row.events for row in rows[channel]),
            "heard_at": max(row.heard_at for row in rows[channel]),
            "period": max(row.period for row in rows[channel]),
            "silent": quiet_on[channel],
        }
        for channel in sorted(rows)[:SHOWN]
    ]
    return {
        "channels": heard,
        "described": [line for each in descriptions for line in _channels_of(each, below)],
        "silences": [silence_shown(one) for one in quiet[:SHOWN]],
        "left_out": max(0, len(rows) - SHOWN) + max(0, len(quiet) - SHOWN),
    }


def breach_shown(breach: Breach) -> dict[str, Any]:
    """A breach as JSON."""
    return {
        "service": breach.service,
        "kind": breach.kind,
        "channel": breach.channel,
        "field": breach.field,
        "instance": breach.instance,
        "reason": breach.reason,
        "since": breach.since,
        "last": breach.last,
        "times": breach.times,
    }


def silence_shown(watched: Watched) -> dict[str, Any]:
    """A silence as JSON."""
    return {
        "channel": watched.thing.channel,
        "instance": watched.thing.instance,
        "service": watched.last.service,
        "field": watched.thing.field,
        "about": watched.thing.about,
        "host": watched.place.host,
        "slice": watched.place.slice,
        "heard_at": watched.heard,
        "since": watched.silent_since or 0.0,
        "period": watched.period,
    }


def _described(description: Description, *, part: bool) -> dict[str, Any]:
    return {
        "service": description.service,
        "text": description.text,
        "part": part,
        "described": True,
        "channels": [_use(use) for use in description.uses],
    }


def _use(use: Use) -> dict[str, Any]:
    return {
        "channel": use.channel,
        "direction": use.direction,
        "payload": use.payload,
        "field": use.field,
        "least_s": use.least_s,
        "greatest_s": use.greatest_s,
    }


def _heard_by_service(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    heard: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = heard.setdefault(row.service, {"events": 0, "heard_at": 0.0})
        known["events"] += row.events
        known["heard_at"] = max(known["heard_at"], row.heard_at)
    return heard


def _channels_of(description: Description, below: Channel) -> list[dict[str, Any]]:
    """What a service describes at or below ``below``, or above it: it covers what is below."""
    return [
        {"service": description.service, **_use(use)}
        for use in description.uses
        if lies_under(use.channel, below)
        or (use.direction is Direction.GENERATES and covers(use.channel, below))
    ]
