"""What the values of the options of ``dsmt-planner`` may be: each comes back as it is to be used.

Everything here raises `Invalid` with the option's name and what to write instead.
"""

from __future__ import annotations

from broker.address import parse, with_event_bytes
from dsmt_core.errors import Invalid
from dsmt_core.wire import BODY_BYTES


def address(listen: str) -> tuple[str, int]:
    """Host and port to listen on."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise Invalid(f"{listen!r} is no address to listen on", hint="HOST:PORT, such as 127.0.0.1:7080")
    return host.strip("[]"), int(port)


def positive(seconds: float, option: str) -> float:
    """A time of an option."""
    if not 0.01 <= seconds <= 86_400:
        raise Invalid(f"{option} {seconds} is not a number of seconds", hint="from 0.01 to 86400")
    return seconds


def party_url(url: str, option: str, event_bytes: int) -> str:
    """A URL of the broker that nodes or programs are given: what is wrong with it is told here, once."""
    try:
        if url:
            parse(url)
    except Invalid as error:
        raise Invalid(f"{option}: {error.message}", hint=error.hint) from None
    return sized(url, event_bytes)


def sized(url: str, event_bytes: int) -> str:
    """``url`` with a limit of events other than the usual; what has its own keeps it."""
    return with_event_bytes(url, event_bytes) if url and event_bytes != BODY_BYTES else url


def history_age(seconds: float) -> float:
    """How long the history is kept."""
    return _lasting(seconds, "--history-age")


def audit_keep(seconds: float) -> float:
    """How long entries of the audit log stay in the database; 0: for ever."""
    return _lasting(seconds, "--audit-keep") if seconds else 0.0


def grace(seconds: float) -> float:
    """How long after its end a slice is deleted."""
    return _lasting(seconds, "--slice-grace")


def _lasting(seconds: float, option: str) -> float:
    if not 60 <= seconds <= 10 * 365 * 86_400:
        raise Invalid(f"{option} {seconds} is not a number of seconds", hint="from a minute to ten years")
    return seconds
