"""``--dry-run`` of any verb: all that would be sent, and what it would mean as far as the planner tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Final

from dsmt_core.errors import DsmtError, NotFound
from dsmtc.client import Client
from dsmtc.client.rehearsal import Would
from dsmtc.consequences import acted, ended, forgotten, left_alone, place, removed
from dsmtc.names import nearest
from dsmtc.output import Output
from dsmtc.rendering.views import names
from dsmtc.session import Session

_BODY_SHOWN: Final = 200
SOMETHING: Final = 1


def rehearsed(session: Session, *, whole: bool) -> int:
    """Tell what was noted instead of sent; the exit code says that there is something to do.

    Args:
        session: that has rehearsed.
        whole: it came to its end; else more may follow, by what the planner answers.

    Raises:
        NotFound: what it is about does not exist.
    """
    noted = session.rehearsal.would if session.rehearsal else []
    means = [list(_means(session.client, one)) for one in noted]
    told = [
        {name: value for name, value in asdict(one).items() if value is not None} | {"means": lines}
        for one, lines in zip(noted, means, strict=True)
    ]
    verb = " ".join(word for word in session.words[:2] if not word.startswith("-"))
    Output(form=session.common.form).answer(
        {"would": told, "whole": whole},
        lambda: [
            f"{verb} would change something:",
            *(line for one, lines in zip(noted, means, strict=True) for line in _shown(one, lines)),
            *([] if whole else ["  and more, by what the planner answers"]),
            "nothing was changed",
        ],
    )
    return SOMETHING


def _shown(one: Would, means: list[str]) -> Iterator[str]:
    said = json.dumps(one.body, ensure_ascii=False) if one.body else ""
    cut = said if len(said) <= _BODY_SHOWN else f"{said[:_BODY_SHOWN]}…"
    yield f"  {one.method} {one.path} {cut}".rstrip()
    yield from (f"    {line}" for line in means)


def _means(client: Client, one: Would) -> Iterator[str]:
    """What it would mean, in sentences; nothing where that is not known.

    Raises:
        NotFound: what it is about does not exist.
    """
    kind, words = place(one)
    look = _LOOKS.get(kind)
    if look is None:
        return
    try:
        yield from look(client, one, *words)
    except NotFound:
        raise
    except DsmtError:
        # It is told without.
        return


def _acted(client: Client, one: Would, slice_: str, application: str, verb: str) -> Iterator[str]:
    known = names(client.slice(slice_)["applications"])
    if application not in known:
        raise nearest(application, known, what=f"application of {slice_}")
    return acted(client.status(slice_), application, verb, one.body)


def _ended(client: Client, _: Would, slice_: str) -> Iterator[str]:
    own = [each for each in client.plans(slice_) if not each["builtin"]]
    return ended(client.status(slice_), packages=len(client.packages(slice_)), plans=len(own))


def _plan(client: Client, _: Would, slice_: str, plan: str) -> Iterator[str]:
    client.plan(slice_, plan)
    return iter(())


_LOOKS: Final[Mapping[str, Callable[..., Iterator[str]]]] = {
    "act": _acted,
    "delete": _ended,
    "plan": _plan,
    "unmanage": lambda client, _, slice_: left_alone(client.status(slice_)),
    "package": lambda client, _, slice_, name: removed(client.about_package(slice_, name)),
    "forget": lambda client, _, host: forgotten(client.node(host)),
}
