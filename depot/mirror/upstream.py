"""The depot that is mirrored, over HTTP: a package from some byte on, as its bytes come."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from dsmt_core.errors import Denied, DsmtError, Invalid, NotFound, Unavailable

_TIMES: Final = httpx.Timeout(30.0, connect=5.0, pool=60.0)
_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})\Z", re.ASCII)


class Torn(Unavailable):
    """The transfer had begun and broke off."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A package on its way: where its bytes begin, how many the whole has, and the bytes."""

    begin: int
    size: int
    pieces: AsyncIterator[bytes]


class Upstream:
    """The depot that is mirrored.

    Args:
        url: of the depot, or of another mirror.
        token: the nodes'.
        transport: another way than by the network, for tests.
        verify: whose certificates count over TLS; by default those that the machine trusts.
    """

    def __init__(
        self,
        url: str,
        token: str,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self.url = url.rstrip("/")
        # As it is sent: nothing that is packed on the way is unpacked here.
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=_TIMES,
            trust_env=False,
            transport=transport,
            follow_redirects=False,
            verify=verify,
        )

    @asynccontextmanager
    async def get(self, digest: str, had: int) -> AsyncIterator[Coming]:
        """A package from the byte ``had`` on, or from the beginning where the upstream knows no ranges.

        Raises:
            NotFound, Denied, Unavailable: it has it not, refuses, or is away.
            Torn: the transfer broke off.
            Invalid: the answer makes no sense.
        """
        headers = {"Range": f"bytes={had}-", "If-Range": f'"{digest}"'} if had else {}
        begun = False
        try:
            async with self._client.stream("GET", f"{self.url}/v1/blobs/{digest}", headers=headers) as got:
                begin, size = _placed(got, digest)
                begun = True
                yield Coming(begin, size, got.aiter_raw())
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            reason = str(error) or type(error).__name__
            kind = Torn if begun else Unavailable
            raise kind(f"the depot at {self.url} does not answer: {reason}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _placed(got: httpx.Response, digest: str) -> tuple[int, int]:
    """Where the bytes begin, and how many the whole package has."""
    if got.status_code == httpx.codes.OK:
        announced = got.headers.get("content-length", "")
        if not (announced.isascii() and announced.isdecimal() and len(announced) <= 18):
            raise Invalid("the upstream does not say how long the package is")
        return 0, int(announced)
    if got.status_code == httpx.codes.PARTIAL_CONTENT:
        said = _RANGE.match(got.headers.get("content-range", "").strip())
        if said is None:
            raise Invalid("the upstream does not say which bytes it sends")
        return int(said[1]), int(said[3])
    raise _refusal(got.status_code, digest)


def _refusal(status: int, digest: str) -> DsmtError:
    if status == httpx.codes.NOT_FOUND:
        return NotFound(f"the depot has no package {digest[:16]}…")
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return Denied(
            f"the depot refuses this mirror ({status})",
            hint="its --secret-file must hold the nodes' secret",
        )
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return Invalid("the package is shorter than what came of it")
    return Unavailable(f"the depot answered {status}")
