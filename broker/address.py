"""The URL of a broker, which may name several hosts of one cluster; pure.

    amqp[s]://USER:PASSWORD@HOST1:PORT,HOST2:PORT,[::1]:PORT/VHOST[?OPTION=VALUE&…]

``event_bytes`` is `broker.limits.Limits.event_bytes`: it travels with the URL, so that all who are given
one and the same URL have the same. ``authority`` is whose signature the hosts' certificates have (X.509 in
DER, several one after the other, in base64 for URLs): who has the URL needs no file to know the hosts.
Without it the machine's own list decides. ``certificate`` is the path of a file (PEM) with the certificate
and the key that the broker is shown, read at each attempt, so that it may be renewed meanwhile.

Rule: no error and no text made here shows a password, nor a piece of the URL that could be one because
somebody forgot to encode it; so errors name the place, not the value.
"""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from typing import Final
from urllib.parse import quote, unquote

from dsmt_core.errors import Invalid

# The ports of AMQP in IANA's registry.
PORTS: Final = {"amqp": 5672, "amqps": 5671}
_FORM: Final = "amqp://USER:PASSWORD@HOST1:5672,HOST2:5672/VHOST"
# A cluster has three or five nodes; whoever names hundreds has made a mistake.
_MOST: Final = 32
_LONGEST_HOST: Final = 255
_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_LAST_PORT: Final = 65_535
_EVENT_BYTES: Final = "event_bytes="
_AUTHORITY: Final = "authority="
_CERTIFICATE: Final = "certificate="
# A certificate of an authority has some 400 to 2,000 bytes.
_AUTHORITY_CHARACTERS: Final = 16_384
_DIGITS: Final = re.compile(r"[0-9]{1,10}")

Sample = Callable[[Sequence["Endpoint"], int], list["Endpoint"]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place where a broker listens; an IPv6 address stands without its brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's URL, taken apart.

    Attributes:
        scheme: ``amqp``, or ``amqps`` over TLS.
        user: in clear.
        endpoints: at least one.
        login: user and password as the URL has them, encoded.
        path: virtual host and options as the URL has them, encoded; without the authority and certificate.
        authority: certificates in DER that those of the hosts are signed with; empty: see above.
        certificate: the file of what the broker is shown; empty for nothing.
    """

    scheme: str
    user: str
    endpoints: tuple[Endpoint, ...]
    login: str = field(repr=False)
    path: str = field(repr=False)
    authority: bytes = field(default=b"", repr=False)
    certificate: str = ""

    @property
    def places(self) -> str:
        """Where the broker is, for people."""
        return ", ".join(str(endpoint) for endpoint in self.endpoints)

    @property
    def vhost(self) -> str:
        """The virtual host, in clear; ``/`` where the URL names none."""
        return unquote(self.path.partition("?")[0][1:]) or "/"

    def url(self, endpoint: Endpoint) -> str:
        """The URL with this place only, password included and authority left out."""
        return f"{self.scheme}://{self.login}@{endpoint}{self.path}"


class Turns:
    """Which place is tried next: all in a random order, then all in another one.

    Args:
        endpoints: at least one.
        sample: draws that many in a random order, as `random.Random.sample` does.
    """

    def __init__(self, endpoints: Sequence[Endpoint], sample: Sample) -> None:
        self._endpoints = endpoints
        self._sample = sample
        self._left: list[Endpoint] = []

    @property
    def over(self) -> bool:
        """Whether every place of this round was tried: the next attempt is to wait."""
        return not self._left

    def next(self) -> Endpoint:
        """The next place."""
        if not self._left:
            self._left = self._sample(self._endpoints, len(self._endpoints))
        return self._left.pop()

    def begin(self) -> None:
        """Forget what is left of this round."""
        self._left = []


def parse(url: str) -> Address:
    """``url`` taken apart.

    Raises:
        Invalid: it is not of the form above.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in PORTS:
        raise _wrong("it begins with neither amqp:// nor amqps://")
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        raise _wrong("there is a space or a line break in it")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    path = rest.removeprefix(authority)
    login, at, hosts = authority.rpartition("@")
    if not at or "@" in path.partition("?")[0]:
        raise _wrong(
            "it names no user and password, or a / ? # or @ in the password is not encoded (%2F …)"
        )
    user, colon, _ = login.partition(":")
    if not user or not colon:
        raise _wrong("it names a user without a password" if user else "it names no user")
    if "/" in path.partition("?")[0][1:]:
        raise _wrong("a / in the virtual host is not encoded (%2F)")
    path, text = _without(path, _AUTHORITY)
    path, shown = _without(path, _CERTIFICATE)
    if scheme == "amqp" and (text is not None or shown is not None):
        raise _wrong(
            "it names an authority or a certificate, and begins with amqp:// where TLS is amqps://"
        )
    trusted = b"" if text is None else _decoded(text)
    places_ = endpoints(hosts, PORTS[scheme])
    return Address(scheme, unquote(user), places_, login, path, trusted, unquote(shown or ""))


def event_bytes(url: str) -> tuple[str, int | None]:
    """``url`` without its ``event_bytes``, and those.

    Raises:
        Invalid: they are no whole number.
    """
    base, number = _without(url, _EVENT_BYTES)
    if number is None:
        return url, None
    if not _DIGITS.fullmatch(number):
        raise _wrong("its event_bytes are not a whole number")
    return base, int(number)


def with_event_bytes(url: str, number: int) -> str:
    """``url`` with this ``event_bytes``, unless it has its own."""
    if event_bytes(url)[1] is not None:
        return url
    return f"{url}{'&' if '?' in url else '?'}{_EVENT_BYTES}{number}"


def with_authority(url: str, certificate: bytes) -> str:
    """``url``, which has no options yet, with this authority: a certificate in DER."""
    return f"{url}?{_AUTHORITY}{urlsafe_b64encode(certificate).decode().rstrip('=')}"


def with_certificate(url: str, path: str) -> str:
    """``url`` with this file of a certificate, unless there is none, no TLS, or it names one itself."""
    if not path or not url.startswith("amqps://") or _without(url, _CERTIFICATE)[1] is not None:
        return url
    return f"{url}{'&' if '?' in url else '?'}{_CERTIFICATE}{quote(path, safe='')}"


def as_user(url: str, user: str, password: str) -> str:
    """``url`` for another user of the same broker.

    Raises:
        Invalid: ``url`` is none of a broker.
    """
    parse(url)
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    hosts = authority.rpartition("@")[2]
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"{scheme}://{login}@{hosts}{rest.removeprefix(authority)}"


def password_in(url: str) -> str:
    """The password in a broker's URL, in clear."""
    return unquote(parse(url).login.partition(":")[2])


def places(url: str) -> str:
    """Where a broker is, for people: of any URL that `broker.connect` takes."""
    return parse(url).places if url.startswith("amqp") else url.rpartition("@")[2].partition("?")[0]


def endpoints(text: str, port: int = PORTS["amqp"]) -> tuple[Endpoint, ...]:
    """The places that ``HOST[:PORT],HOST[:PORT],…`` names.

    Args:
        text: hosts by name or address; IPv6 in brackets.
        port: where none is given.

    Raises:
        Invalid: one of them is not legal, or there are too many.
    """
    parts = text.split(",")
    if len(parts) > _MOST:
        raise _wrong(f"it names {len(parts)} hosts, and at most {_MOST} are taken")
    return tuple(_endpoint(part, port, number) for number, part in enumerate(parts, 1))


def _without(url: str, option: str) -> tuple[str, str | None]:
    """``url`` without an option (``NAME=``), and what that was given last."""
    base, _, query = url.partition("?")
    options = query.split("&") if query else []
    given = [one for one in options if one.startswith(option)]
    if not given:
        return url, None
    left = "&".join(one for one in options if one not in given)
    return f"{base}?{left}" if left else base, given[-1].removeprefix(option)


def _decoded(authority: str) -> bytes:
    if not authority or len(authority) > _AUTHORITY_CHARACTERS:
        raise _wrong(f"its authority has not 1 to {_AUTHORITY_CHARACTERS} characters")
    try:
        return b64decode(authority + "=" * (-len(authority) % 4), altchars=b"-_", validate=True)
    except (NoBase64, ValueError):
        raise _wrong("its authority is no certificate in base64") from None


def _endpoint(text: str, port: int, number: int) -> Endpoint:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or not _is_ipv6(host):
            raise _wrong(f"host {number} is not an IPv6 address in brackets")
    else:
        host, colon, digits = text.partition(":")
        rest = colon + digits
        if not host:
            raise _wrong(f"host {number} is empty")
        if ":" in digits:
            raise _wrong(f"host {number} has several colons: an IPv6 address stands in brackets")
        if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
            raise _wrong(f"host {number} is not the name of a host")
    return Endpoint(host, _port(rest, number) if rest else port)


def _port(text: str, number: int) -> int:
    """The number behind a colon."""
    digits = text.removeprefix(":")
    if digits == text or not _PORT.fullmatch(digits) or not 0 < int(digits) <= _LAST_PORT:
        raise _wrong(f"the port of host {number} is not a number from 1 to {_LAST_PORT}")
    return int(digits)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _wrong(what: str) -> Invalid:
    return Invalid(f"the broker's URL is not legal: {what}", hint=f"use {_FORM}")
