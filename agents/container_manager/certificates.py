"""The certificates of a node: its own, and one for its slivers, over keys that never leave the machine.

`node.pem` (mode 0600) holds the node's, with its key; `slivers.pem` the other one, which agents and
applications show to the broker. It tells that somebody is of this installation, and not who: that the
user and password do. So an application has no part in the node's key, and what it gives away leads as far
as the broker's login, for a month.

Rule: the planner judges how old they are; a clock of the node changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents import state_file
from agents.container_manager.own_key import OwnKey, keep
from dsmt_core.authorities import certificates, fingerprint
from dsmt_core.errors import Invalid

OWN: Final = "node.pem"
SLIVERS: Final = "slivers.pem"
_SLIVERS_KEY: Final = "slivers.key"
_KNOWN: Final = "certificate.json"
FILES: Final = (OWN, SLIVERS, _SLIVERS_KEY, _KNOWN)


@dataclass(frozen=True, slots=True)
class Held:
    """What a node has.

    Attributes:
        fingerprint: of its own certificate; empty: it has none.
        ends: as the planner said, seconds since the epoch.
    """

    fingerprint: str = ""
    ends: float = 0.0


def asked(data: Path) -> dict[str, str]:
    """What a join says to be given certificates; the key of the slivers is made on first use.

    Raises:
        Invalid: the key's file holds none.
        OSError: it can be neither read nor written.
    """
    return {"slivers_key": OwnKey(data, _SLIVERS_KEY).public, "certificate": held(data).fingerprint}


def take(data: Path, answer: Mapping[str, Any]) -> bool:
    """Keep those that the planner gave with its answer; whether it gave any.

    Raises:
        Invalid: they are none.
        OSError: they cannot be kept.
    """
    own, slivers = (str(answer.get(name) or "") for name in ("certificate", "slivers_certificate"))
    if not own or not slivers:
        return False
    named = fingerprint(certificates(own)[0])
    certificates(slivers)
    # The slivers' first: what is said to be held is looked for by the other one.
    keep(data / SLIVERS, (OwnKey(data, _SLIVERS_KEY).pem + slivers).encode())
    keep(data / OWN, (OwnKey(data).pem + own).encode())
    state_file.save(
        data / _KNOWN, {"fingerprint": named, "ends": str(answer.get("certificate_ends") or "")}
    )
    return True


def held(data: Path) -> Held:
    """What the node has; nothing unless it is whole, so that the planner gives another one."""
    try:
        named = fingerprint(certificates((data / OWN).read_text())[0])
        certificates((data / SLIVERS).read_text())
    except (OSError, ValueError, Invalid):
        return Held()
    known = state_file.load(data / _KNOWN).value or {}
    if known.get("fingerprint") != named:
        return Held()
    try:
        return Held(named, float(str(known.get("ends"))))
    except ValueError:
        return Held(named)


def of_slivers(data: Path) -> str:
    """The certificate and key (PEM) that agents and applications show; empty: they have none."""
    try:
        return (data / SLIVERS).read_text()
    except OSError:
        return ""
