"""Secrets of slices: put by people, named by configurations, and handed to the slice's own nodes only."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets as chance
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from dsmt_core.errors import Conflict, Denied, Full, Invalid, NotFound
from dsmt_core.names import Slice, host, slice_name
from dsmt_core.secrets import BYTES, PREFIX, reference, referred_by
from planner.authority.sealing import Seal
from planner.rollout.releases import in_use, needed
from planner.service.means import Means
from planner.service.nodes import Nodes
from planner.store import secrets as store
from planner.wanted import WantedSlice

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_log = structlog.get_logger(__name__)


class Secrets:
    """What people and nodes do with secrets; a value is never logged, listed or told again to people.

    Args:
        means: where they are kept.
        seal: seals them.
        nodes: knows which node is which.
    """

    def __init__(self, means: Means, seal: Seal, nodes: Nodes) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._clock = means.clock
        self._seal = seal
        self._nodes = nodes

    async def put(self, slice_: Slice, name: str, value: str, by: str) -> dict[str, Any]:
        """Keep a content, given in base64, under a name.

        Raises:
            NotFound: there is no such slice.
            Invalid: name or base64 are not legal.
            Full: it is too long, or they are too many.
        """
        self._ledger.slice(slice_)
        if not _NAME.match(name):
            raise Invalid(
                f"{name[:40]!r} is not a name for a secret",
                hint="small letters, digits and underscores, at most 40: it becomes a variable",
            )
        content = _content(value)
        sealed = await asyncio.to_thread(self._seal.close, f"{slice_}/{name}", content)
        kept = store.Kept(
            slice=slice_,
            name=name,
            id=chance.token_hex(16),
            put_at=self._clock(),
            put_by=by,
            sealed=sealed,
        )
        await self._database.write(store.put, kept)
        _log.info("secret put", slice=slice_, name=name, by=by)
        return next(one for one in await self.listed(slice_) if one["name"] == name)

    async def listed(self, slice_: Slice) -> list[dict[str, Any]]:
        """The names, who put them when, and which applications use them: never a value.

        Raises:
            NotFound: there is no such slice.
        """
        self._ledger.slice(slice_)
        return self._shown(slice_, await self._database.read(store.listed, slice_))

    async def remove(self, slice_: Slice, name: str, by: str) -> None:
        """Forget a secret that no application is configured with.

        Raises:
            NotFound: no such slice or secret.
            Conflict: it is in use.
        """
        shown = {one["name"]: one for one in await self.listed(slice_)}
        if users := shown.get(name, {}).get("used_by"):
            raise Conflict(
                f"{name} is in use by {', '.join(users)}",
                hint=f"dsmtc configure APPLICATION --unset {name}",
            )
        await self._database.write(store.remove, slice_, name)
        _log.info("secret removed", slice=slice_, name=name, by=by)

    async def values(
        self, slice_: Slice, values: Mapping[str, str], names: Sequence[str]
    ) -> dict[str, str]:
        """Values of a configuration, with the newest contents of these secrets named in it.

        Raises:
            NotFound: no such slice or secret.
            Invalid: a plain value looks as one that names a secret, or is set besides.
        """
        for name, value in values.items():
            if value.startswith(PREFIX):
                raise Invalid(f"the value of {name[:40]} may not begin with {PREFIX}", hint="--secret NAME")
        if not names:
            return dict(values)
        newest = {one.name: one.id for one in await self._database.read(store.listed, slice_)}
        for name in names:
            if name not in newest:
                raise NotFound(
                    f"{slice_} has no secret {name[:40]!r}", hint=f"dsmtc secret put {name[:40]} @FILE"
                )
            if name in values:
                raise Invalid(f"{name} is set, and to be a secret, at once")
        return {**values, **{name: reference(newest[name]) for name in names}}

    async def hand_out(self, asked: Mapping[str, str]) -> dict[str, str]:
        """A content, in base64, for a node that shows its claim and is to run something with it.

        Raises:
            Denied: it is another node, does not have the slice, or runs nothing with this content.
            NotFound: the slice has no such content.
        """
        name, slice_ = host(asked["host"]), slice_name(asked["slice"])
        has = self._ledger.wanted.slices.get(slice_)
        if not self._nodes.entrance.speaks_for(name, asked) or has is None or name not in has.hosts:
            _log.warning("secret refused", host=name, slice=slice_)
            raise Denied("this node does not have the slice, or is not the one that joined")
        if asked["id"] not in needed(has, name):
            _log.warning("secret refused: nothing there is to run with it", host=name, slice=slice_)
            raise Denied("nothing that is to run on this node is configured with this secret")
        kept = await self._database.read(store.get, slice_, asked["id"])
        content = await asyncio.to_thread(self._seal.open, f"{slice_}/{kept.name}", kept.sealed)
        return {"value": base64.b64encode(content).decode()}

    def _shown(self, slice_: Slice, kept: Sequence[store.Kept]) -> list[dict[str, Any]]:
        newest = {one.name: one for one in kept}
        users = _users(self._ledger.wanted.slices.get(slice_))
        ids = {name: {one.id for one in kept if one.name == name} for name in newest}
        return [
            {
                "name": name,
                "put_at": one.put_at,
                "put_by": one.put_by,
                "used_by": sorted({app for id_ in ids[name] for app in users.get(id_, ())}),
                "outdated_in": sorted({app for id_ in ids[name] - {one.id} for app in users.get(id_, ())}),
            }
            for name, one in newest.items()
        ]


def _users(slice_: WantedSlice | None) -> dict[str, set[str]]:
    """By the id of a content, the applications of which a release names it."""
    found: dict[str, set[str]] = {}
    for name in slice_.applications if slice_ is not None else ():
        for release in in_use(slice_, name) if slice_ is not None else ():
            for id_ in referred_by(release.configuration).values():
                found.setdefault(id_, set()).add(name)
    return found


def _content(value: str) -> bytes:
    try:
        content = base64.b64decode(value, validate=True)
    except ValueError as error:
        raise Invalid("the secret is not base64") from error
    if not content:
        raise Invalid("the secret is empty")
    if len(content) > BYTES:
        raise Full(f"the secret has {len(content)} bytes", hint=f"at most {BYTES}")
    return content
