"""The broker's management interface over HTTP: virtual hosts, connections, queues. Blocking.

For tests, the demo and the development world; the services never need it.
"""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any, Final
from urllib.parse import quote, urlsplit

from broker.access import PERMISSIONS, TOPIC_PERMISSIONS
from dsmt_core.errors import Denied, DsmtError, NotFound, Unavailable

_TIMEOUT_S: Final = 20.0
_FOUND: Final = range(200, 300)


class Management:
    """One broker's management interface.

    Args:
        url: ``http://HOST:PORT``.
        user: of an administrator.
        password: in clear.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 15672
        self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def request(self, method: str, path: str, body: object = None) -> Any:
        """One request below ``/api``; the answer's JSON, or None when it has no body.

        Raises:
            Unavailable: no answer.
            Denied, NotFound: 401 or 403, and 404.
            DsmtError: any other refusal.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
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


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _refusal(status: int, what: str, content: bytes) -> DsmtError:
    kinds: dict[int, type[DsmtError]] = {401: Denied, 403: Denied, 404: NotFound}
    text = content.decode(errors="replace")[:200]
    return kinds.get(status, DsmtError)(f"the broker refused {what} with {status}: {text}")
