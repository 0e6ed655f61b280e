"""A standing as plain JSON, for the database and for people; times that never come are null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from planner.standing.marks import NEVER, Drain, Exclusion, Mark, Standing, Window


def written_standing(standing: Standing) -> dict[str, Any]:
    """The standing as JSON; what is not said is left out."""
    value = {name: said for name, said in asdict(standing).items() if said}
    if standing.drain:
        value["drain"] = _with_null(value["drain"], "deadline")
    if standing.windows:
        value["windows"] = [dict(one) for one in value["windows"]]
    return value


def read_standing(value: Mapping[str, Any]) -> Standing:
    """The inverse of `written_standing`."""
    excluded, cordoned, drain = value.get("excluded"), value.get("cordoned"), value.get("drain")
    distrusted = value.get("distrusted")
    return Standing(
        excluded=Exclusion(**excluded) if excluded else None,
        cordoned=Mark(**cordoned) if cordoned else None,
        drain=Drain(**(drain | {"deadline": NEVER} if drain["deadline"] is None else drain))
        if drain
        else None,
        windows=tuple(Window(**one) for one in value.get("windows", ())),
        distrusted=Mark(**distrusted) if distrusted else None,
    )


def _with_null(mark: dict[str, Any], name: str) -> dict[str, Any]:
    return mark | {name: None} if mark[name] == NEVER else mark
