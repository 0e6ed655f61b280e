"""How an application is watched: by what it is checked, what a check counts, and when it is restarted.

It travels beside an order and belongs to the application, not to its release: another watch restarts
nothing. As text it says only what differs from `USUAL`, so an order of before and one of now are alike
where nobody chose anything; names that a reader does not know are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from dsmt_core.errors import Invalid

TEXT_BYTES: Final = 1_024
CHECK_CHARACTERS: Final = 256
DAY_S: Final = 86_400.0
# A check goes to the sliver itself: no name has to be looked up, and nobody else is asked.
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PATH: Final = re.compile(r"[\x21-\x7e]*\Z")
_EXAMPLE: Final = "http://127.0.0.1:8080/health, or tcp://127.0.0.1:8080"
_MOST_COUNTED: Final = 100
_MOST_RESTARTS: Final = 1_000


class Restart(StrEnum):
    """When an application that runs no more is started again.

    Attributes:
        ALWAYS: whenever it is not well.
        ON_FAILURE: not after it has ended by itself with exit code 0, or its status script said stopped.
        NEVER: only when people say so.
    """

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a check goes.

    Attributes:
        path: what is asked there by HTTP; empty: it is enough that somebody listens.
    """

    host: str
    port: int
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A way of watching; made by `of` or `parse`, which check it.

    Attributes:
        check: URL of what is asked, ``http://`` or ``tcp://``; empty: the status script.
        every_s: seconds between two checks; 0: the status period of the slice.
        timeout_s: how long one may take; 0: as long as the agent gives a status script.
        failures: so many in a row make a healthy application failed.
        successes: so many in a row make another one running.
        restart: see `Restart`.
        restarts: at most so many within ``within_s`` seconds, then it stays failed; 0: any number.
        within_s: see there.
    """

    check: str = ""
    every_s: float = 0.0
    timeout_s: float = 0.0
    failures: int = 1
    successes: int = 1
    restart: Restart = Restart.ALWAYS
    restarts: int = 0
    within_s: float = 600.0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Watch:
        """The watch that plain values mean; what is not named is as usual, unknown names are left out.

        Raises:
            Invalid: a value is not legal.
        """
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        try:
            restart = Restart(known.get("restart", Restart.ALWAYS))
        except ValueError:
            raise Invalid(
                f"{str(known['restart'])[:40]!r} is no restart policy",
                hint=f"there is {', '.join(Restart)}",
            ) from None
        check = str(known.get("check") or "")
        if check:
            address(check)
        return cls(
            check=check,
            every_s=_number(known, "every_s", 0.5, DAY_S),
            timeout_s=_number(known, "timeout_s", 0.1, 60.0),
            failures=_count(known, "failures", 1, _MOST_COUNTED),
            successes=_count(known, "successes", 1, _MOST_COUNTED),
            restart=restart,
            restarts=_count(known, "restarts", 0, _MOST_RESTARTS),
            within_s=_number(known, "within_s", 1.0, DAY_S),
        )

    @classmethod
    def parse(cls, text: str) -> Watch:
        """The inverse of `text`.

        Raises:
            Invalid: it is not a watch.
        """
        try:
            values = json.loads(text[: TEXT_BYTES + 1]) if text else {}
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise Invalid(f"{text[:40]!r} is not a way of watching", hint="a JSON object")
        return cls.of(values)

    @property
    def values(self) -> dict[str, Any]:
        """What differs from the usual."""
        return {name: value for name in _USUAL if (value := getattr(self, name)) != _USUAL[name]}

    @property
    def text(self) -> str:
        """It as a JSON object, in one form only; empty when it is the usual one."""
        values = self.values
        return json.dumps(values, sort_keys=True, separators=(",", ":")) if values else ""


def address(check: str) -> Address:
    """Where a check goes.

    Raises:
        Invalid: it is not ``http://HOST:PORT/PATH`` or ``tcp://HOST:PORT`` with a host of the sliver.
    """
    if len(check) > CHECK_CHARACTERS or not _PATH.match(check):
        raise Invalid(f"{check[:40]!r} is no check", hint=f"such as {_EXAMPLE}")
    try:
        parts = urlsplit(check)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"{check[:80]!r} is no check: {error}", hint=f"such as {_EXAMPLE}") from error
    if parts.scheme not in {"http", "tcp"}:
        raise Invalid(f"{check[:80]!r} is neither http:// nor tcp://", hint=f"such as {_EXAMPLE}")
    if parts.hostname not in LOCAL or parts.username is not None:
        raise Invalid(
            f"{check[:80]!r} does not go to the sliver itself",
            hint="the host is 127.0.0.1, localhost or ::1",
        )
    if parts.scheme == "tcp":
        if not port or parts.path.strip("/") or parts.query or parts.fragment:
            raise Invalid(f"{check[:80]!r} names no port alone", hint="such as tcp://127.0.0.1:8080")
        return Address(parts.hostname, port)
    if port == 0 or parts.fragment:
        raise Invalid(f"{check[:80]!r} cannot be asked", hint=f"such as {_EXAMPLE}")
    query = f"?{parts.query}" if parts.query else ""
    return Address(parts.hostname, port or 80, f"{parts.path or '/'}{query}")


def _number(values: Mapping[str, Any], name: str, least: float, most: float) -> float:
    """Seconds; also what is usual, which may lie below the least that people choose."""
    value = values.get(name, _USUAL[name])
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not (least <= value <= most or value == _USUAL[name]):
        raise Invalid(
            f"{name} is {str(value)[:40]}", hint=f"a number of seconds from {least:g} to {most:g}"
        )
    return float(value)


def _count(values: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = values.get(name, _USUAL[name])
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(f"{name} is {str(value)[:40]}", hint=f"a whole number from {least} to {most}")
    return value


_USUAL: Final[Mapping[str, Any]] = {
    field.name: field.default for field in fields(Watch) if field.default is not MISSING
}
USUAL: Final = Watch()
