"""The planner's side of the depot: bytes pass through it, never into its memory whole."""

from __future__ import annotations

import json
import secrets
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from dsmt_core.errors import DsmtError, Invalid, Unavailable, from_code
from dsmt_core.packages import wrapped_application
from planner.requirements import Package

_TIMES: Final = httpx.Timeout(60.0, connect=5.0)
_SCOPE: Final = "X-Upload-Scope"
_DESCRIBE: Final = httpx.Timeout(330.0, connect=5.0)
_DIGEST: Final = "X-Content-SHA256"


@dataclass(frozen=True, slots=True)
class DepotSecrets:
    """Two bearer tokens: the planner's may write, the nodes' may only read."""

    planner: str
    node: str

    @classmethod
    def kept_in(cls, path: Path) -> DepotSecrets:
        """Those of the file, which is made if there is none (mode 0600).

        Raises:
            Invalid: the file does not hold them.
        """
        if not path.exists():
            fresh = {"planner": secrets.token_urlsafe(32), "node": secrets.token_urlsafe(32)}
            path.touch(mode=0o600)
            path.write_text(json.dumps(fresh))
        try:
            read = json.loads(path.read_text())
            return cls(str(read["planner"]), str(read["node"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid(
                f"{path} does not hold the secrets of the depot",
                hint='remove it, or write {"planner": "…", "node": "…"} into it',
            ) from error


@dataclass(frozen=True, slots=True)
class Upload:
    """A package on its way in.

    Attributes:
        content: its bytes, in pieces.
        size: how many, as the sender announced; None when it did not.
        digest: SHA-256, hex, that the sender announced; empty when it did not.
        begin: so many bytes of it came earlier; ``size`` counts them, too.
        scope: whose upload it is; only with it can it be gone on with.
    """

    content: AsyncIterator[bytes]
    size: int | None = None
    digest: str = ""
    begin: int = 0
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in the depot: their digest, and how many seconds ago they came."""

    digest: str
    age: float


class DepotClient:
    """Speaks HTTP to the depot.

    Args:
        url: of the depot; may be set later (`moved`), when it has started.
        secret: the planner's.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._client = httpx.AsyncClient(headers=self._headers, timeout=_TIMES, trust_env=False)

    def moved(self, url: str) -> None:
        """The depot answers somewhere else from now on."""
        self.url = url

    def trust(self, context: ssl.SSLContext) -> None:
        """Whose certificates count over TLS; said before the first request."""
        self._client = httpx.AsyncClient(
            headers=self._headers, timeout=_TIMES, trust_env=False, verify=context
        )

    def through(self, transport: httpx.AsyncBaseTransport) -> None:
        """Reach the depot another way than by the network, such as within this process."""
        self._client = httpx.AsyncClient(headers=self._headers, timeout=_TIMES, transport=transport)

    async def put(self, upload: Upload, filename: str) -> Package:
        """Stream a package into the depot, which the slice will know as ``filename``.

        Raises:
            Invalid: it is not a package, or not what the digest says.
            Full: the depot has no room for it.
            Unavailable: the depot does not answer.
        """
        headers = {_DIGEST: upload.digest} if upload.digest else {}
        if upload.size is not None:
            # The depot refuses what has no room before it comes.
            headers["Content-Length"] = str(upload.size - upload.begin)
        if upload.begin and upload.size is not None:
            headers["Content-Range"] = f"bytes {upload.begin}-{upload.size - 1}/{upload.size}"
        if upload.scope:
            headers[_SCOPE] = upload.scope
        with _reachable(self.url):
            answer = await self._client.put(f"{self.url}/v1/blobs", content=upload.content, headers=headers)
        _check(answer.status_code, answer.content)
        return _package(answer.json(), filename)

    async def received(self, digest: str, scope: str) -> int:
        """How many bytes came of an upload that broke off.

        Raises:
            Invalid: it is not a digest.
            Unavailable: the depot does not answer.
        """
        with _reachable(self.url):
            answer = await self._client.get(f"{self.url}/v1/uploads/{digest}", headers={_SCOPE: scope})
        _check(answer.status_code, answer.content)
        return int(answer.json()["received"])

    @asynccontextmanager
    async def get(self, digest: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of a package, as they come.

        Raises:
            NotFound: the depot has no such content.
            Unavailable: the depot does not answer.
        """
        with _reachable(self.url):
            request = self._client.build_request("GET", f"{self.url}/v1/blobs/{digest}")
            answer = await self._client.send(request, stream=True)
        try:
            if answer.is_error:
                _check(answer.status_code, await answer.aread())
            yield answer.aiter_bytes()
        finally:
            await answer.aclose()

    async def delete(self, digest: str) -> None:
        """Delete what no slice refers to any more; what is not there is no error."""
        with _reachable(self.url):
            answer = await self._client.delete(f"{self.url}/v1/blobs/{digest}")
        if answer.status_code != httpx.codes.NOT_FOUND:
            _check(answer.status_code, answer.content)

    async def check(self, digest: str) -> None:
        """Make sure that the depot has this content.

        Raises:
            Unavailable: it has it no longer, or does not answer.
        """
        with _reachable(self.url):
            answer = await self._client.head(f"{self.url}/v1/blobs/{digest}")
        if answer.is_error:
            raise Unavailable("what came was removed from the depot meanwhile", hint="put it again")

    async def described(self, packages: Iterable[Package]) -> dict[str, Any]:
        """What dnf needs to know of RPMs: ``{"files": {name: base64}, "left_out": [filename]}``.

        Raises:
            Unavailable, DeadlinePassed: it could not be made, or the depot does not answer.
        """
        named = [{"filename": one.filename, "digest": one.digest} for one in packages]
        with _reachable(self.url):
            answer = await self._client.post(
                f"{self.url}/v1/repodata", json={"packages": named}, timeout=_DESCRIBE
            )
        _check(answer.status_code, answer.content)
        told: dict[str, Any] = answer.json()
        return told

    async def rpm_verdict(self, digest: str, keys: Iterable[str]) -> str:
        """What rpm says of an RPM's own signature, asked about these keys of OpenPGP.

        Raises:
            Invalid: one of them is none.
            Unavailable: the depot has no rpm, or does not answer.
        """
        with _reachable(self.url):
            answer = await self._client.post(
                f"{self.url}/v1/signature", json={"digest": digest, "keys": list(keys)}, timeout=_DESCRIBE
            )
        _check(answer.status_code, answer.content)
        return str(answer.json()["verdict"])

    async def listed(self) -> list[Blob]:
        """Everything that the depot holds.

        Raises:
            Unavailable: the depot does not answer, or is one of before that cannot tell.
        """
        with _reachable(self.url):
            answer = await self._client.get(f"{self.url}/v1/blobs")
        _check(answer.status_code, answer.content)
        return [Blob(str(one["digest"]), float(one["age"])) for one in answer.json()["blobs"]]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class _reachable:  # noqa: N801 - reads as the statement it is
    """Says in our words that the depot could not be reached."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, httpx.TransportError | httpx.InvalidURL):
            reason = str(error) or type(error).__name__
            raise Unavailable(
                f"the depot at {self._url or '(not started)'} does not answer: {reason}",
                hint="it is started again by the planner; try again in a few seconds",
            ) from error


def _check(status: int, body: bytes) -> None:
    if status < httpx.codes.BAD_REQUEST:
        return
    try:
        said = json.loads(body)
        raise from_code(said["code"], said["message"], said.get("hint", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DsmtError(f"the depot answered with status {status}", hint="see the depot's log") from None


def _package(said: Mapping[str, Any], filename: str) -> Package:
    name = str(said["name"])
    return Package(
        filename=filename,
        digest=str(said["digest"]),
        size=int(said["size"]),
        kind=str(said["kind"]),
        name=name,
        version=str(said["version"]),
        arch=str(said.get("arch") or ""),
        requires=tuple(map(str, said.get("requires") or ())),
        provides=tuple(map(str, said.get("provides") or ())),
        application=str(said.get("application") or wrapped_application(name) or ""),
        scripts=tuple(map(str, said.get("scripts", ()))),
    )
