"""One connection to the planner over HTTP/1.1, with the errors of DSMT instead of the socket's.

Built on `http.client`: a command starts in half the time that it takes to import httpx. Every wait has
a limit (seconds); nothing is sent twice unless it is certain that it did not arrive.
"""

from __future__ import annotations

import contextlib
import http
import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Final, TypeVar, cast

from dsmt_core.errors import KINDS, DeadlinePassed, DsmtError, Invalid, Unavailable, from_code
from dsmtc.client.clock import ahead
from dsmtc.client.headers import authorized
from dsmtc.client.packed import ACCEPT, asking, unpacked
from dsmtc.client.paths import base
from dsmtc.client.rehearsal import Rehearsal, Rehearsed, changes
from dsmtc.client.shape import fault, read_json
from dsmtc.client.sockets import keep_alive, limit
from dsmtc.client.trust import Line, Trust, explained

ANSWER_BYTES: Final = 64 << 20
# An event of the largest size that a bus may allow (4 MiB), whose letters JSON writes three times as long.
LINE_BYTES: Final = 16 << 20
CHUNK_BYTES: Final = 1 << 18
LINES_TYPE: Final = "application/x-ndjson"
# Below the 5 s after which common servers close an idle connection: a request on a connection that is
# being closed may or may not have arrived.
IDLE_S: Final = 2.0
CONNECT_S: Final = 10.0

T = TypeVar("T")


class Transport:
    """Requests to one base URL, one after the other, over a connection that is kept.

    Args:
        url: ``http://HOST:PORT`` or ``https://…``, with an optional path before ``/v1``.
        timeout_s: how long one send or one answer may take.
        trace: told one line for each request.
        trust: for ``https``; by default what the machine trusts.
    """

    def __init__(
        self, url: str, *, timeout_s: float, trace: Callable[[str], None], trust: Trust | None = None
    ) -> None:
        self._line = Line(trust or Trust(), timeout_s=CONNECT_S)
        self.url = url.rstrip("/")
        self._parts = base(self.url)
        self.timeout_s = timeout_s
        self._trace = trace
        self._connection: http.client.HTTPConnection | None = None
        self._sock: socket.socket | None = None
        # How far the planner's clock is ahead of this machine's; 0.0 where they agree.
        self.ahead_s = 0.0
        # On the monotonic clock; 0.0: it has never answered.
        self._used_at = 0.0
        # What would change something is not sent: it raises, or is noted by a rehearsal that answers.
        self.rehearses = False
        self.rehearsal: Rehearsal | None = None
        # A request that changes something is sent, and not answered yet.
        self.changing = False

    def hurry(self, within_s: float) -> None:
        """Wait for a connection, and for each answer, no longer than this from now on (seconds)."""
        self.timeout_s = self._line.timeout_s = within_s

    @contextlib.contextmanager
    def hurried(self, within_s: float) -> Iterator[None]:
        """Hurry within the ``with``, and be as patient as before behind it."""
        before = self.timeout_s, self._line.timeout_s
        self.hurry(within_s)
        try:
            yield
        finally:
            self.timeout_s, self._line.timeout_s = before

    def certificate(self) -> Mapping[str, object]:
        """What the planner showed of itself, as `ssl` tells it; empty without TLS or a connection."""
        return (self._sock.getpeercert() or {}) if isinstance(self._sock, ssl.SSLSocket) else {}

    def close(self) -> None:
        """End the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def request(self, method: str, path: str, body: object = None, *, shape: type[T], token: str = "") -> T:
        """Send JSON, return the JSON of the answer.

        Args:
            method: of HTTP.
            path: with its query.
            body: what to send; None: nothing.
            shape: the form of a planner's answer.
            token: of the caller.

        Raises:
            DsmtError: what the planner answered, as its class.
            Unavailable, DeadlinePassed: no answer, or one that is no planner's.
        """
        if self.rehearsal is not None and changes(method, path):
            return cast("T", self.rehearsal.answer(method, path, body, shape))
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        headers |= asking(self._parts.hostname)
        answer = self._exchange(method, path, authorized(headers, token), [data] if data else [])
        return self._shaped(answer, shape, f"{method} {path}")

    def upload(
        self, path: str, chunks: Iterator[bytes], *, headers: Mapping[str, str], token: str, shape: type[T]
    ) -> T:
        """PUT a stream whose ``Content-Length`` is in ``headers``; return the JSON of the answer.

        Raises:
            DsmtError: as for `request`.
        """
        if self.rehearsal is not None:
            return cast("T", self.rehearsal.answer("PUT", path, None, shape))
        answer = self._exchange("PUT", path, authorized(headers, token), chunks)
        return self._shaped(answer, shape, f"PUT {path}")

    @contextlib.contextmanager
    def download(self, path: str, *, token: str) -> Iterator[Iterator[bytes]]:
        """GET a body in pieces; within the ``with`` nothing else can be asked.

        Raises:
            DsmtError: as for `request`; `Unavailable` when the body ends early.
        """
        answer = self._exchange("GET", path, authorized({}, token), [])
        try:
            yield self._pieces(answer)
        finally:
            if not answer.isclosed():
                self.close()

    def lines(
        self, path: str, *, token: str, opened: Callable[[], None], until: float | None = None
    ) -> Generator[bytes]:
        """GET lines as they come, until the planner ends them; empty lines keep the line alive.

        Args:
            path: with its query.
            token: of the caller.
            opened: called when the answer has begun.
            until: on the monotonic clock; None waits as long as the planner's machine is there (its
                silence for about 25 s, noticed by TCP keep-alive, ends it).

        Raises:
            DeadlinePassed: nothing came until then.
            DsmtError: as for `request`.
        """
        answer = self._exchange("GET", path, authorized({}, token), [])
        try:
            if (kind := answer.headers.get_content_type()) != LINES_TYPE:
                raise self.stranger(f"GET {path}: status {answer.status}, {kind} and no lines of JSON")
            opened()
            while True:
                limit(self._sock, until)
                with self._named_errors(late="nothing more came in time"):
                    line = answer.readline(LINE_BYTES)
                if not line:
                    return
                if len(line) == LINE_BYTES:
                    raise self.stranger(f"GET {path}: a line above {LINE_BYTES} bytes")
                if line.strip():
                    yield line
        finally:
            self.close()

    def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], chunks: Iterator[bytes] | list[bytes]
    ) -> http.client.HTTPResponse:
        began = time.monotonic()
        self.changing = changes(method, path)
        if self.changing and self.rehearses:
            raise Rehearsed(method, path)
        with self._named_errors():
            connection = self._open()
            limit(self._sock, began + self.timeout_s)
            own = ACCEPT in headers
            connection.putrequest(method, f"{self._parts.path}{path}", skip_accept_encoding=own)
            for name, value in headers.items():
                connection.putheader(name, value)
            # A server that refuses early answers and closes while we are still sending: read that.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders()
                for chunk in chunks:
                    connection.send(chunk)
            answer = connection.getresponse()
        self._used_at, self.changing = time.monotonic(), False
        self.ahead_s = ahead(answer.headers.get("date", ""), time.time())
        self._trace(f"{method} {path} {answer.status} {(self._used_at - began) * 1000:.0f} ms")
        if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES:
            raise self._refusal(answer, f"{method} {path}")
        return answer

    def _open(self) -> http.client.HTTPConnection:
        if time.monotonic() - self._used_at > IDLE_S:
            self.close()
        if self._connection is not None:
            return self._connection
        self._connection = self._connected()
        return self._connection

    def _connected(self) -> http.client.HTTPConnection:
        connection = self._line(self._parts)
        try:
            connection.connect()
        except OSError as error:
            raise explained(error, f"the planner at {self.url}") or Unavailable(
                f"the planner at {self.url} cannot be reached: {error.strerror or error}",
                hint="start it (dsmt-planner run, or dsmtc dev for a try), or name it with --planner",
            ) from error
        self._sock = connection.sock
        keep_alive(connection.sock)
        connection.sock.settimeout(self.timeout_s)
        return connection

    @contextlib.contextmanager
    def _named_errors(self, *, late: str = "") -> Iterator[None]:
        try:
            yield
        except DsmtError:
            self.close()
            raise
        except TimeoutError as error:
            self.close()
            raise DeadlinePassed(late or f"the planner at {self.url} did not answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            hint = "whether it was done is not known; ask with status, or try again"
            if self._parts.scheme == "http" and not self._used_at:
                hint += "; or does it speak https?"
            said = str(error) or type(error).__name__
            raise Unavailable(f"the planner at {self.url} broke off: {said}", hint=hint) from error
        except BaseException:
            # Ctrl-C in the middle of an answer: what is left of it must not meet the next request.
            self.close()
            raise

    def _pieces(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        while True:
            with self._named_errors():
                piece = answer.read(CHUNK_BYTES)
                # http.client ends a body that was cut short without a word.
                if not piece and answer.length:
                    raise http.client.IncompleteRead(b"", answer.length)
            if not piece:
                return
            yield piece

    def _shaped(self, answer: http.client.HTTPResponse, shape: type[T], asked: str) -> T:
        """The JSON of an answer, when it has the form that a planner's would have."""
        read = self._json(answer)
        if wrong := fault(read, shape):
            raise self.stranger(f"{asked}: status {answer.status}, {wrong}")
        return cast("T", read)

    def _json(self, answer: http.client.HTTPResponse) -> Any:
        with self._named_errors():
            body = unpacked(answer, ANSWER_BYTES + 1)
            if len(body) > ANSWER_BYTES:
                raise Invalid(f"{self.url} sent an answer above {ANSWER_BYTES} bytes")
        return read_json(body)

    def _refusal(self, answer: http.client.HTTPResponse, asked: str) -> DsmtError:
        try:
            body = self._json(answer)
        except DsmtError as error:
            return error
        finally:
            self.close()
        said = body if isinstance(body, dict) else {}
        fields = ("code", "message", "hint", "place")
        code, message, hint, place = (str(said.get(name, "")) for name in fields)
        # A planner of a later version may know more codes; it says what happened all the same.
        if code in KINDS or (isinstance(said.get("code"), str) and message):
            return from_code(code, message, hint, place)
        return self.stranger(f"{asked}: status {answer.status}")

    def stranger(self, came: str) -> Unavailable:
        """The error about an answer that no planner would give.

        Args:
            came: to which request, and what.
        """
        return Unavailable(
            f"what answers at {self.url} is not a planner of DSMT, or one of another version ({came})",
            hint="name the planner with --planner or DSMT_PLANNER; its version is in GET /v1/health",
        )
