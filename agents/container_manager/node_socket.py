"""node.sock: what a sliver may ask its node; one JSON line a request, one an answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from agents import local_socket
from agents.container_manager.slivers.place import Inside, Place
from agents.package_cache import PackageCache, failure
from dsmt_core.errors import DsmtError, Full, Invalid, Unavailable

LINE_BYTES: Final = 64 << 10
CLIENTS: Final = 32
PORTS: Final = 16
# Of a package, or empty.
_DIGEST: Final = re.compile(r"(?:[0-9a-f]{64})?\Z")
_TOLD: Final = frozenset({"secret", "port", "facts"})
_OPS: Final = _TOLD | {"fetch", "image"}
IDLE_S: Final = 3600.0
DRAIN_S: Final = 10.0

log = logging.getLogger(__name__)


def _no_secret(_id: str) -> str:
    raise Unavailable("this node knows no planner that has secrets")


class NodeSocket:
    """Serves one sliver.

    Args:
        place: of the sliver.
        inside: how the sliver names its directories.
        cache: the node's.
        refusal: why the sliver may install nothing now; empty when it may.
        secret: asks for a content of a secret of the slice, by its id; blocks.

    Attributes:
        facts: what the node knows of its host; empty while it knows nothing yet.
        holder: who has one of these ports of the node, and which; blocks. Nobody where its programs have
            another network.
        image: has the sliver made out of an image, by the digest of the package that names it (empty: as
            slivers usually are), or only the image brought here; whether it is so already.
    """

    def __init__(
        self,
        place: Place,
        *,
        inside: Inside,
        cache: PackageCache,
        refusal: Callable[[], str] = str,
        secret: Callable[[str], str] = _no_secret,
    ) -> None:
        self._secret = secret
        self._refusal = refusal
        self.holder: Callable[[Sequence[int]], tuple[int, str]] = lambda _ports: (0, "")
        self.facts: Callable[[], Mapping[str, str]] = dict
        self.image: Callable[[str, bool, str], Awaitable[bool]] | None = None
        self._place = place
        self._inside = inside
        self._cache = cache
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Begin to serve; doing it again changes nothing.

        Raises:
            OSError: the socket cannot be made.
        """
        if self._server is not None:
            return
        listening = local_socket.listen(self._place.node_socket)
        # The directory above is closed to everyone but root and this user; in the sliver all may ask.
        self._place.node_socket.chmod(0o666)
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=LINE_BYTES)

    async def close(self) -> None:
        """Stop serving; may be called twice."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for task in self._clients:
                task.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._clients) >= CLIENTS:
            writer.close()
            return
        self._clients.add(task)
        try:
            # A client that is cut off or talks nonsense is simply gone.
            with contextlib.suppress(ConnectionError, TimeoutError, ValueError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._clients.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(IDLE_S):
                line = await reader.readline()
            if not line:
                return
            writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
            async with asyncio.timeout(DRAIN_S):
                await writer.drain()

    async def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = _request(line)
            if request["op"] in _TOLD:
                return await self._told(request)
            if why := self._refusal():
                raise Full(why, hint="remove what the sliver does not need, or raise its limit of disk")
            if request["op"] == "image":
                return await self._make(request)
            name = await self._cache.fetch(
                str(request.get("digest")), _size(request), into=self._place.packages
            )
        except DsmtError as error:
            log.warning("%s: %s", self._place.slice, error)
            return failure(error)
        except OSError as error:
            log.warning("%s: %s", self._place.slice, error)
            return {"error": f"the node cannot keep the package: {error}", "hint": "", "code": "full"}
        return {"path": f"{self._inside.packages}/{name}"}

    async def _told(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is only told; it is answered also to a sliver that may install nothing."""
        if request["op"] == "secret":
            return {"value": await asyncio.to_thread(self._secret, str(request.get("id"))[:64])}
        if request["op"] == "facts":
            return {"facts": self._known_facts()}
        port, holder = await asyncio.to_thread(self.holder, _ports(request))
        return {"port": port, "holder": holder}

    def _known_facts(self) -> dict[str, str]:
        if not (facts := dict(self.facts())):
            raise Unavailable("the node has not looked at its host yet")
        return facts

    async def _make(self, request: Mapping[str, Any]) -> Mapping[str, str]:
        if self.image is None:
            raise Invalid("this node makes no slivers out of images")
        digests = request.get("digest"), request.get("archive", "")
        if not all(isinstance(digest, str) and _DIGEST.match(digest) for digest in digests):
            raise Invalid("the digest of the image's package is none")
        package, archive = map(str, digests)
        ready = await self.image(package, bool(request.get("prepare")), archive)
        return {"ready": "yes" if ready else "no"}


def _request(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict) or request.get("op") not in _OPS:
        raise Invalid("the request is not understood", hint='{"op": "fetch", "digest": …, "size": …}')
    return request


def _ports(request: Mapping[str, Any]) -> list[int]:
    ports = request.get("ports")
    if not isinstance(ports, list) or len(ports) > PORTS or not all(type(port) is int for port in ports):
        raise Invalid(f"the ports are no list of at most {PORTS} numbers")
    return ports


def _size(request: Mapping[str, Any]) -> int:
    size = request.get("size")
    if not isinstance(size, int) or isinstance(size, bool):
        raise Invalid("the size of the package is not a number of bytes")
    return size
