"""What is wrong on this machine and on the way to the planner, and what to do about each thing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dsmtc.client.checkups import Finding

WELL, DOUBT, ILL = "well", "doubt", "ill"
# Tokens, invitations and orders tolerate more; people who compare logs do not.
CLOCK_S: Final = 2.0
FREE_BYTES: Final = 100 << 20
_DAY_S: Final = 86_400.0
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def versions(own: str, planner: str) -> Finding:
    """Whether command and planner are of one version."""
    if own == planner:
        return _well("version", f"dsmtc and planner are {own}")
    todo = "install the planner's version here; until then a verb may be unknown to one of them"
    return {"what": "version", "state": DOUBT, "said": f"dsmtc is {own}, planner {planner}", "todo": todo}


def clock(before: float, planner: float, after: float) -> Finding:
    """How far this machine's clock is from the planner's; asked between two moments here, seconds."""
    off = planner - (before + after) / 2
    doubt = max(abs(off) - (after - before) / 2, 0.0)
    said = f"this machine and the planner differ by {abs(off):.1f} s"
    if doubt <= CLOCK_S:
        return _well("clock", said)
    todo = "let both follow the network's time (chrony, systemd-timesyncd)"
    return {"what": "clock", "state": DOUBT, "said": said, "todo": todo}


def line(scheme: str, host: str, ends_at: float | None, now: float) -> Finding:
    """Whether what is said on the way to the planner can be read or changed by others.

    Args:
        scheme: of its URL.
        host: of its URL.
        ends_at: of the certificate that it shows, seconds since the epoch; None: not known.
        now: the same.
    """
    if scheme == "http":
        if host in _LOCAL:
            return _well("TLS", "none; the planner is on this machine")
        said = "none: passwords and tokens go to the planner so that others can read them"
        todo = "have the planner show a certificate; see docs/how-to/run-it-for-real.md"
        return {"what": "TLS", "state": ILL, "said": said, "todo": todo}
    if ends_at is None:
        return _well("TLS", "the planner's certificate is trusted")
    days = (ends_at - now) / _DAY_S
    said = f"the planner's certificate is trusted, for {days:.0f} days more"
    if days > 1:
        return _well("TLS", said)
    return {
        "what": "TLS",
        "state": DOUBT,
        "said": said,
        "todo": "look at the planner's log: it renews by itself",
    }


def shadowed(owners: Mapping[str, Sequence[str]]) -> Finding:
    """Whether packages of ours come from other distributions, too; by package, who brings it."""
    wrong = {name: others for name, found in owners.items() if (others := sorted(set(found) - {"dsmt"}))}
    if not wrong:
        return _well("packages", "none is shadowed by another distribution")
    said = "; ".join(
        f"{name} also comes from {', '.join(others)}" for name, others in sorted(wrong.items())
    )
    todo = "install DSMT in an environment of its own: pipx install dsmt"
    return {"what": "packages", "state": ILL, "said": said, "todo": todo}


def disk(free: int, where: str) -> Finding:
    """Whether there is room for what is kept here."""
    said = f"{free / (1 << 20):.0f} MiB are free at {where}"
    if free >= FREE_BYTES:
        return _well("disk here", said)
    return {"what": "disk here", "state": DOUBT, "said": said, "todo": "make room; a login cannot be kept"}


def failed(what: str, said: str, todo: str) -> Finding:
    """Something could not be looked at, or is as bad."""
    return {"what": what, "state": ILL, "said": said, "todo": todo}


def reached(url: str, ms: float, status: str) -> Finding:
    """The planner answers."""
    said = f"{url} answers in {ms:.0f} ms and says that it is {status}"
    return (
        _well("planner", said)
        if status == "ok"
        else {
            "what": "planner",
            "state": DOUBT,
            "said": said,
            "todo": "what follows tells why",
        }
    )


def known(account: str, role: str) -> Finding:
    """Who is logged in."""
    return _well("login", f"{account} as {role}")


def _well(what: str, said: str) -> Finding:
    return {"what": what, "state": WELL, "said": said, "todo": ""}
