"""``dsmtc doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import shutil
import ssl
import time
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from typing import Final
from urllib.parse import urlsplit

import typer

from dsmt_core.errors import Conflict, DsmtError
from dsmtc import checkup
from dsmtc.client.checkups import Finding
from dsmtc.dispatch import session_of
from dsmtc.rendering.checkups import findings
from dsmtc.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_PACKAGES: Final = ("dsmt_core", "broker", "planner", "agents", "depot", "dsmtc", "lab")


@app.command()
def doctor(context: typer.Context) -> None:
    """Look at planner, broker, depot, nodes, clock, TLS, versions and disk, and tell what to do.

    Exit code 0: nothing is wrong, though there may be doubts. 6: something is.

    Example: dsmtc doctor
    """
    session = session_of(context)
    found = [*_here(session), *_there(session)]
    session.out.answer(found, lambda: findings(found))
    if wrong := [one["what"] for one in found if one["state"] == checkup.ILL]:
        raise Conflict(f"not all is well: {', '.join(wrong)}")


def _here(session: Session) -> Iterator[Finding]:
    owners = packages_distributions()
    yield checkup.shadowed({name: owners.get(name, []) for name in _PACKAGES})
    folder = session.home.folder
    there = next(place for place in (folder, *folder.parents) if place.exists())
    yield checkup.disk(shutil.disk_usage(there).free, str(folder))


def _there(session: Session) -> Iterator[Finding]:
    try:
        began = time.monotonic()
        health = session.client.health()
        yield checkup.reached(session.planner, (time.monotonic() - began) * 1000, health["status"])
        yield checkup.versions(version("dsmt"), health["version"])
        yield _line(session)
    except DsmtError as error:
        yield checkup.failed("planner", error.message, error.hint)
        return
    try:
        token = session.client.whoami()
        yield checkup.known(token["account"], token["role"])
        before = time.time()
        seen = session.client.checkup()
        yield checkup.clock(before, seen["now"], time.time())
        yield from seen["findings"]
    except DsmtError as error:
        yield checkup.failed("login", error.message, error.hint)


def _line(session: Session) -> Finding:
    parts = urlsplit(session.planner)
    shown = session.client.transport.certificate()
    ends = shown.get("notAfter")
    ends_at = ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None
    return checkup.line(parts.scheme, parts.hostname or "", ends_at, time.time())
