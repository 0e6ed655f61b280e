"""Bringing one package to the node: from a mirror nearby or the depot, resumed where it broke off.

Rule of this file: whoever sends is believed nothing; the digest of the whole decides. Bytes that turn out
wrong after a resumption are fetched once more from their beginning, since the torn file may have been at
fault; then the source is, and the next one is asked. All attempts together are bounded.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from agents.partial import Partial
from agents.trusting import context_of, explained
from dsmt_core.errors import Denied, DsmtError, Invalid, NotFound, Unavailable

READ_S: Final = 30.0
FETCH_S: Final = 1800.0
# How often a transfer that broke off is taken up again; fewer when it brings nothing.
ATTEMPTS: Final = 10
FRUITLESS: Final = 2
# A mirror that was away or lied is not asked again for this long.
REST_S: Final = 60.0
_FIRST_WAIT_S: Final = 0.1
_MOST_WAIT_S: Final = 5.0
_CHUNK: Final = 1 << 18
_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})\Z")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Depot:
    """Where packages come from: the depot's URL, the node's token for it, and a mirror of its site.

    Attributes:
        url: empty when the node knows no depot yet.
        mirror: asked before the depot; empty for none.
        authority: certificates (PEM) that count over TLS, alone; empty: those that the machine trusts.
    """

    url: str
    token: str
    mirror: str = ""
    authority: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The URLs to ask, in this order."""
        return (self.mirror, self.url) if self.mirror and self.mirror != self.url else (self.url,)


class Torn(Unavailable):
    """A transfer that had begun broke off: it can be taken up where it ended."""


class Wrong(Invalid):
    """What came is not what was ordered.

    Attributes:
        resumed: a part of it came in an earlier attempt.
    """

    resumed = False


@dataclass(slots=True)
class Downloads:
    """Downloads packages, and remembers which mirror is better left alone for a while."""

    clock: Callable[[], float] = time.monotonic
    _rests: dict[str, float] = field(default_factory=dict)

    async def bring(self, depot: Depot, part: Path, digest: str, size: int) -> None:
        """Have a package as the file of its digest beside ``part``.

        Args:
            depot: where it comes from.
            part: what came so far; it stays when this fails, unless it was wrong.
            digest: SHA-256, hex.
            size: bytes.

        Raises:
            Invalid: the depot sent something else.
            NotFound, Denied, Unavailable: the depot has it not, refuses, or is away.
            OSError: the disk.
        """
        deadline = self.clock() + FETCH_S
        *nearer, last = depot.sources
        for url in nearer:
            if self._rests.get(url, 0.0) > self.clock():
                continue
            try:
                await _persist(_Source(url, depot.token, depot.authority), part, digest, size, deadline)
            except DsmtError as error:
                log.warning("the mirror %s is left aside: %s", url, error)
                if not isinstance(error, NotFound):
                    self._rests = {url: self.clock() + REST_S}
            else:
                return
        await _persist(_Source(last, depot.token, depot.authority), part, digest, size, deadline)


@dataclass(frozen=True, slots=True)
class _Source:
    url: str
    token: str
    authority: str


async def _persist(source: _Source, part: Path, digest: str, size: int, deadline: float) -> None:
    """Attempts at one source, until it is there or there is no point in going on."""
    fruitless, wait, again = 0, _FIRST_WAIT_S, True
    for attempt in range(1, ATTEMPTS + 1):
        had = _length(part)
        try:
            await asyncio.to_thread(_attempt, source, part, (digest, size), deadline)
        except Torn:
            fruitless = 0 if _length(part) > had else fruitless + 1
            if fruitless >= FRUITLESS or attempt == ATTEMPTS:
                raise
            await asyncio.sleep(random.uniform(0, wait))  # noqa: S311 - a pause, not a secret
            wait = min(2 * wait, _MOST_WAIT_S)
        except Wrong as error:
            if not (error.resumed and again):
                raise
            again = False
        else:
            return


def _length(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _attempt(source: _Source, part: Path, wanted: tuple[str, int], deadline: float) -> None:
    """One request; blocks. The part stays unless it was wrong."""
    digest, size = wanted
    partial = Partial(part, size)
    had = partial.received
    try:
        if partial.missing or not size:
            _receive(source, partial, digest, deadline)
        if not partial.is_right(digest):
            raise _wrong(digest)
        partial.keep_as(part.with_name(digest))
    except Wrong as error:
        error.resumed = had > 0
        part.unlink(missing_ok=True)
        raise
    finally:
        partial.close()
        if not partial.received:
            # Nothing to go on from: an order for what no depot has would leave a file each time.
            part.unlink(missing_ok=True)


def _receive(source: _Source, partial: Partial, digest: str, deadline: float) -> None:
    parts = urlsplit(source.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Unavailable("this node knows no depot", hint="it learns one when it joins")
    connection = _connection(source, parts)
    headers = {"Authorization": f"Bearer {source.token}", "Connection": "close"}
    if partial.received:
        headers |= {"Range": f"bytes={partial.received}-", "If-Range": f'"{digest}"'}
    begun = False
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/v1/blobs/{digest}", headers=headers)
        with connection.getresponse() as response:
            _check_status(response, digest)
            _take_up(response, partial, digest)
            begun = True
            _copy(response, partial, digest, deadline)
    except (OSError, http.client.HTTPException) as error:
        if why := explained(error, f"the depot at {parts.netloc}"):
            raise why from error
        kind = Torn if begun else Unavailable
        raise kind(f"the depot at {parts.netloc} does not answer: {error}") from error
    finally:
        connection.close()
    if partial.missing:
        raise Torn(f"the depot at {parts.netloc} sent {partial.missing} bytes of {digest[:12]}… too few")


def _connection(source: _Source, parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=READ_S)
    context = context_of(source.authority)
    return http.client.HTTPSConnection(host, parts.port, timeout=READ_S, context=context)


def _check_status(response: http.client.HTTPResponse, digest: str) -> None:
    status = response.status
    if status in {http.client.OK, http.client.PARTIAL_CONTENT}:
        return
    if status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise _wrong(digest)
    if status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
        raise Denied(f"the depot refuses this node ({status})", hint="the node may have to join again")
    if status == http.client.NOT_FOUND:
        raise NotFound(f"the depot has no package {digest[:12]}…")
    raise Unavailable(f"the depot answered {status}")


def _take_up(response: http.client.HTTPResponse, partial: Partial, digest: str) -> None:
    """Where the bytes that come now belong: behind what is there, or at the beginning."""
    if response.status == http.client.OK:
        partial.begin_anew()
    else:
        said = _RANGE.match(response.getheader("Content-Range", "").strip())
        first, last, whole = map(int, said.groups()) if said else (-1, -1, -1)
        size = partial.received + partial.missing
        if (first, last, whole) != (partial.received, size - 1, size):
            raise _wrong(digest)
    if response.length is not None and response.length != partial.missing:
        # Told before it was sent: nothing of it is worth having.
        raise _wrong(digest)


def _copy(response: http.client.HTTPResponse, partial: Partial, digest: str, deadline: float) -> None:
    while chunk := response.read(_CHUNK):
        if len(chunk) > partial.missing:
            raise _wrong(digest)
        partial.write(chunk)
        if time.monotonic() > deadline:
            raise Unavailable(f"the depot took longer than {FETCH_S:.0f} s")


def _wrong(digest: str) -> Wrong:
    return Wrong(
        f"the package {digest[:12]}… is refused: what the depot sent is not what was ordered",
        hint="put the package into the depot again",
    )
