"""A container engine by the Docker API, spoken over a socket of this machine.

Only what slivers need. `http.client` does it: it is loaded on a node anyway.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlencode

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_fixed

from agents import local_socket
from dsmt_core.errors import Conflict, DsmtError, NotFound, Unavailable

VERSION: Final = "/v1.41"
CALL_S: Final = 60.0
# Between two words of it while it pulls or loads an image.
WORD_S: Final = 300.0
_BYTES: Final = 16 << 20
_Body = BinaryIO | Iterable[bytes]
_REASON: Final = 400
_LOG_HEAD: Final = 8
_LOG_BYTES: Final = 64 << 10


class Engine:
    """Calls of the engine; blocking, for threads.

    Args:
        socket: the path of one that answers now, started if need be; raises `Unavailable`.
    """

    def __init__(self, socket: Callable[[], Path]) -> None:
        self._socket = socket

    def version(self) -> str:
        """What the engine calls itself.

        Raises:
            Unavailable: it does not answer.
        """
        return str(self._json("GET", "/version").get("Version", ""))

    def image(self, name: str) -> dict[str, Any]:
        """An image that is here, as ``docker image inspect`` tells it.

        Raises:
            NotFound: it is not here.
            Unavailable: the engine does not answer.
        """
        return self._json("GET", f"/images/{quote(name, safe='')}/json")

    def pull(self, reference: str) -> None:
        """Get an image from its registry.

        Raises:
            Unavailable: it cannot be had.
        """
        told = self._lines("POST", f"/images/create?{urlencode({'fromImage': reference})}")
        _refuse(told, f"the image {reference} cannot be pulled")

    def load(self, archive: BinaryIO | Iterable[bytes], size: int) -> list[str]:
        """Take in the archive of an image (`podman save`, `docker save`); the names told of it.

        Raises:
            Unavailable: it is not taken.
        """
        told = list(self._lines("POST", "/images/load", archive, size))
        _refuse(told, "the archive of the image is not taken")
        loaded = [str(line.get("stream", "")) for line in told]
        return [
            name.strip() for text in loaded for name in text.partition(": ")[2].split(",") if name.strip()
        ]

    def bring_in(self, archive: BinaryIO, size: int) -> str:
        """Make an image without a name of a root file system (`docker import`); its id.

        Raises:
            Unavailable: it is not taken.
        """
        told = list(self._lines("POST", "/images/create?fromSrc=-", archive, size))
        _refuse(told, "an image cannot be made")
        if not (ids := [str(line["status"]) for line in told if "status" in line]):
            raise Unavailable("the container engine tells no id of an image that it made")
        return ids[-1].removeprefix("sha256:")

    def forget_image(self, name: str, *, force: bool = True) -> None:
        """Remove an image; one that is not here is no error.

        Args:
            name: of it, or its id.
            force: also when a container is made of it, and with that.

        Raises:
            Conflict: something uses it.
        """
        self._gone("DELETE", f"/images/{quote(name, safe='')}?force={int(force)}")

    def create(self, name: str, settings: Mapping[str, Any]) -> str:
        """Make a container; its id.

        Raises:
            DsmtError: it cannot be made; the message is the engine's.
        """
        asked = urlencode({"name": name})
        return str(self._json("POST", f"/containers/create?{asked}", settings)["Id"])

    def start(self, name: str) -> None:
        """Start a container.

        Raises:
            DsmtError: it cannot be started.
        """
        self._gone("POST", f"/containers/{name}/start")

    def wait(self, name: str) -> int:
        """The exit code of a container, when it has ended.

        Raises:
            DsmtError: it did not end within a minute.
        """
        return int(self._json("POST", f"/containers/{name}/wait")["StatusCode"])

    def container(self, name: str) -> dict[str, Any]:
        """A container, as ``docker inspect`` tells it.

        Raises:
            NotFound: there is none.
        """
        return self._json("GET", f"/containers/{name}/json")

    def remove(self, name: str) -> None:
        """End and remove a container with its volumes; one that is not there is no error."""
        again = Retrying(
            retry=retry_if_exception(_crossed),
            stop=stop_after_attempt(5),
            wait=wait_fixed(0.2),
            reraise=True,
        )
        again(self._gone, "DELETE", f"/containers/{name}?force=1&v=1")

    def said(self, name: str) -> str:
        """The last that a container printed."""
        asked = "stdout=1&stderr=1&tail=20"
        return _frames(self._asked("GET", f"/containers/{name}/logs?{asked}", None, None))

    def _gone(self, method: str, path: str) -> None:
        try:
            self._asked(method, path, None, None)
        except NotFound:
            if method != "DELETE":
                raise

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        found = _object(self._asked(method, path, body, None))
        if found is None:
            raise Unavailable(f"the container engine answers {path} with no object")
        return found

    def _lines(
        self, method: str, path: str, body: _Body | None = None, size: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """What it tells of a longer piece of work, one object a line."""
        for line in self._asked(method, path, body, size).splitlines():
            if (told := _object(line)) is not None:
                yield told

    def _asked(
        self, method: str, path: str, body: Mapping[str, Any] | _Body | None, size: int | None
    ) -> bytes:
        headers = {"Host": "d"}
        content: Any = body
        if isinstance(body, Mapping):
            content = json.dumps(dict(body)).encode()
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers |= {"Content-Type": "application/x-tar", "Content-Length": str(size)}
        long = body is not None and not isinstance(body, Mapping)
        connection = _Connection(self._socket(), WORD_S if long or "fromImage" in path else CALL_S)
        try:
            connection.request(method, VERSION + path, body=content, headers=headers)
            answer = connection.getresponse()
            text = answer.read(_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"the container engine does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise _failure(answer.status, text)
        return text


class _Connection(http.client.HTTPConnection):
    """To a socket of this machine."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Connect by the path."""
        self.sock: socket.socket = local_socket.connect(self._path, timeout_s=self._timeout_s)


def _crossed(error: BaseException) -> bool:
    """Whether podman says that the container ended by itself just as it was about to end it."""
    return isinstance(error, Unavailable) and "container state improper" in error.message


def _failure(status: int, text: bytes) -> DsmtError:
    told = _object(text) or {}
    reason = " ".join(str(told.get("message") or told.get("cause") or f"status {status}").split())
    kind: type[DsmtError] = {404: NotFound, 409: Conflict}.get(status, Unavailable)
    return kind(f"podman: {reason[-_REASON:]}")


def _refuse(told: Iterator[dict[str, Any]] | list[dict[str, Any]], what: str) -> None:
    for line in told:
        if line.get("error"):
            raise Unavailable(f"{what}: {' '.join(str(line['error']).split())[-_REASON:]}")


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _frames(stream: bytes) -> str:
    """The text of a stream of frames: eight bytes, the last four the length, and so many more."""
    pieces, at = [], 0
    while at + _LOG_HEAD <= len(stream):
        length = int.from_bytes(stream[at + 4 : at + _LOG_HEAD], "big")
        pieces.append(stream[at + _LOG_HEAD : at + _LOG_HEAD + length])
        at += _LOG_HEAD + length
    return b"".join(pieces)[-_LOG_BYTES:].decode(errors="replace")
