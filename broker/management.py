"""The broker's management interface over HTTP: users, virtual hosts, connections, queues. Blocking.

The planner keeps the broker's users by it (`broker.roster`); no other service needs it.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from broker.access import PERMISSIONS, SALT_BYTES, TOPIC_PERMISSIONS
from broker.address import Endpoint, endpoints
from broker.roster import Entry, Seen, definitions, seen
from broker.trust import trusting
from dsmt_core.errors import Denied, DsmtError, Invalid, NotFound, Unavailable

PORT: Final = 15_672
PORT_OF_TLS: Final = 15_671
_TIMEOUT_S: Final = 20.0
_FOUND: Final = range(200, 300)
# RabbitMQ answers 500 to who lists users while one of them is removed, and to who closes connections while
# one of them ends (seen in 3.10, one time in 1,500).
_TRIES: Final = 5
_PAUSE_S: Final = 0.05


class _Broken(Unavailable):
    """The interface has answered, and that it cannot."""


class Management:
    """One broker's management interface.

    Args:
        url: ``http://HOST:PORT``, or ``https://``; of a cluster several hosts with commas: any serves.
        user: of an administrator.
        password: in clear.
        authority: whose signature the certificate has (DER); empty: the machine's own list decides.
    """

    def __init__(self, url: str, user: str, password: str, *, authority: bytes = b"") -> None:
        scheme, _, places = url.partition("://")
        self._secure = scheme == "https"
        self._places = endpoints(places.rstrip("/"), PORT_OF_TLS if self._secure else PORT)
        self._trust = trusting(authority) if authority else None
        self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def request(self, method: str, path: str, body: object = None) -> Any:
        """One request below ``/api``; the answer's JSON, or None when it has no body.

        What is broken is asked again a few times: whatever is asked here has the same effect when it is
        asked twice (RFC 9110, 9.2.2; what is posted are definitions and users that are to go).

        Raises:
            Unavailable: no answer, or 5xx however often it was asked.
            Denied, NotFound: 401 or 403, and 404.
            DsmtError: any other refusal.
        """
        trying = Retrying(
            stop=stop_after_attempt(_TRIES),
            wait=wait_fixed(_PAUSE_S),
            retry=retry_if_exception_type(_Broken),
            reraise=True,
        )
        return trying(self._anywhere, method, path, body)

    def _anywhere(self, method: str, path: str, body: object) -> Any:
        for place in self._places[:-1]:
            with contextlib.suppress(Unavailable):
                return self._request(place, method, path, body)
        return self._request(self._places[-1], method, path, body)

    def _request(self, place: Endpoint, method: str, path: str, body: object) -> Any:
        connection = self._connection(place)
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        try:
            connection.request(
                method, f"/api{path}", None if body is None else json.dumps(body).encode(), headers
            )
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"the broker's management interface does not answer: {error}") from error
        finally:
            connection.close()
        if response.status not in _FOUND:
            raise _refusal(response.status, f"{method} {path}", content)
        return json.loads(content) if content else None

    def users(self, vhost: str) -> Seen:
        """All users, and what they may do in a virtual host."""
        name = _quoted(vhost)
        return seen(
            self.request("GET", "/users"),
            self.request("GET", f"/vhosts/{name}/permissions"),
            self.request("GET", f"/vhosts/{name}/topic-permissions"),
        )

    def put_users(self, vhost: str, entries: Mapping[str, Entry]) -> None:
        """Make users, or set their passwords and rights; in one request, which is a third of many."""
        if entries:
            self.request("POST", "/definitions", definitions(vhost, entries, os.urandom(SALT_BYTES)))

    def clear_topics(self, vhost: str, user: str) -> None:
        """Take all topic permissions of a user away; one that has none is no error."""
        with contextlib.suppress(NotFound):
            self.request("DELETE", f"/topic-permissions/{_quoted(vhost)}/{_quoted(user)}")

    def remove_users(self, users: Iterable[str]) -> None:
        """Remove users and close their connections; one that is not there is no error."""
        names = list(users)
        if not names:
            return
        self.request("POST", "/users/bulk-delete", {"users": names})
        for name in names:
            # The broker closes them by itself; said as well, because nobody can say when.
            with contextlib.suppress(NotFound):
                self.close_connections(name, "not welcome any more")

    def make_vhost(self, name: str) -> None:
        """Make a virtual host in which the three users have their usual permissions."""
        vhost = _quoted(name)
        self.request("PUT", f"/vhosts/{vhost}", {})
        for permission in PERMISSIONS:
            self.request(
                "PUT",
                f"/permissions/{vhost}/{permission.user}",
                {
                    "configure": permission.configure,
                    "write": permission.write,
                    "read": permission.read,
                },
            )
        for topic in TOPIC_PERMISSIONS:
            self.request(
                "PUT",
                f"/topic-permissions/{vhost}/{topic.user}",
                {"exchange": topic.exchange, "write": topic.write, "read": topic.read},
            )

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host with all that is in it; its connections are closed."""
        self.request("DELETE", f"/vhosts/{_quoted(name)}")

    def connections(self, vhost: str = "") -> list[dict[str, Any]]:
        """The open connections (of one virtual host, if named); seen up to half a minute late."""
        path = f"/vhosts/{_quoted(vhost)}/connections" if vhost else "/connections"
        listed: list[dict[str, Any]] = self.request("GET", path)
        return listed

    def close_connections(self, user: str, reason: str = "closed by the administrator") -> None:
        """Close every connection of ``user`` that the interface has seen, in all virtual hosts."""
        self.request("DELETE", f"/connections/username/{_quoted(user)}", {"reason": reason})

    def queues(self, vhost: str) -> list[dict[str, Any]]:
        """The queues of a virtual host; their counts are up to half a minute old."""
        listed: list[dict[str, Any]] = self.request("GET", f"/queues/{_quoted(vhost)}")
        return listed

    def _connection(self, place: Endpoint) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(
                place.host, place.port, timeout=_TIMEOUT_S, context=self._trust
            )
        return http.client.HTTPConnection(place.host, place.port, timeout=_TIMEOUT_S)


def managed_at(url: str, authority: bytes = b"") -> Management:
    """The management interface that ``http[s]://USER:PASSWORD@HOST:PORT`` names.

    Args:
        url: of an administrator.
        authority: see `Management`.

    Raises:
        Invalid: it is not of this form.
    """
    scheme, _, rest = url.partition("://")
    login, at, places = rest.rpartition("@")
    user, _, password = login.partition(":")
    if scheme not in {"http", "https"} or not (at and user and password and places):
        # Without the value, which has a password in it.
        raise Invalid(
            "the URL of the broker's management is not legal",
            hint="such as http://admin:PASSWORD@127.0.0.1:15672",
        )
    return Management(f"{scheme}://{places}", unquote(user), unquote(password), authority=authority)


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _refusal(status: int, what: str, content: bytes) -> DsmtError:
    kinds: dict[int, type[DsmtError]] = {401: Denied, 403: Denied, 404: NotFound}
    text = content.decode(errors="replace")[:200]
    if status >= http.client.INTERNAL_SERVER_ERROR:
        return _Broken(f"the broker's management interface answers {what} with {status}: {text}")
    return kinds.get(status, DsmtError)(f"the broker refused {what} with {status}: {text}")
