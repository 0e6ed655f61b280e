"""Certificates of those who connect to the broker: of nodes, of what is on them, and of the planner.

They are of an authority of their own: a node's certificate passes for no host, neither where somebody
trusts the installation's authority, nor between the hosts of a broker's cluster.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from broker.address import with_certificate
from broker.certificates import Authority, key_of, life_of
from dsmt_core.authorities import as_pem, fingerprint
from dsmt_core.ed25519 import Signer, private_pem
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.names import PLANNER, Host
from dsmt_core.signing import PublicKey, out_of_text
from planner.authority.node_certificates import LASTS_S, Certified
from planner.config import PlannerConfig
from planner.store import Database
from planner.tls import authority
from planner.tls.deciding import is_due

_LOOK_S: Final = 60.0
_OWN: Final = "client.pem"
_SEED_BYTES: Final = 32
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was made: in PEM, and what is remembered of it."""

    pem: str
    certified: Certified


class Clients:
    """Issues them.

    Args:
        signer: their authority.
        folder: the planner's data, in which its own lies.
        clock: seconds since the epoch.
    """

    def __init__(self, signer: Authority, folder: Path, clock: Callable[[], float]) -> None:
        self._signer = signer
        self._path = folder / _OWN
        self._clock = clock

    def issue(self, host: Host, key: PublicKey, name: str = "") -> Issued:
        """A certificate for a host, or for what has the key there.

        Raises:
            Invalid: it is no key.
        """
        now = self._clock()
        at, lasts = datetime.fromtimestamp(now, UTC), timedelta(seconds=LASTS_S)
        der = self._signer.certify_client(host, out_of_text(key), at, lasts=lasts, name=name)
        return Issued(as_pem([der]), Certified(fingerprint(der), now + LASTS_S))

    def renew(self) -> bool:
        """Make the planner's own anew if it is time; whether it was."""
        now = self._clock()
        try:
            there = life_of(self._path.read_bytes())
            whole = there.issuer == key_of(self._signer.certificate)
            if whole and not is_due(there.begins.timestamp(), there.ends.timestamp(), now):
                return False
        except (OSError, Invalid):
            pass
        seed = secrets.token_bytes(_SEED_BYTES)
        made = self.issue(Host(PLANNER), Signer(seed).public)
        authority.write_private(self._path, (private_pem(seed) + made.pem).encode())
        return True

    async def run(self) -> None:
        """Renew the planner's own in time, for ever; it is shown with the next connection."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await asyncio.to_thread(self.renew)
            except (DsmtError, OSError) as error:
                _log.error("the planner's certificate could not be renewed", reason=str(error))


def broker_of(config: PlannerConfig) -> str:
    """The URL with which the planner connects: with its own certificate, where it speaks TLS."""
    return with_certificate(config.broker, str(config.data / _OWN))


async def clients_of(
    config: PlannerConfig, database: Database, clock: Callable[[], float]
) -> Clients | None:
    """Who issues certificates; None in an installation without an authority.

    Raises:
        DsmtError: its files are not those of before, or not whole.
    """
    signer = authority.load(config.data, authority.CLIENTS)
    await database.write(authority.known, signer, authority.CLIENTS)
    if signer is None:
        if authority.load(config.data) is None:
            return None
        signer = authority.make(config.data, authority.CLIENTS)
        await database.write(authority.known, signer, authority.CLIENTS)
    clients = Clients(signer, config.data, clock)
    await asyncio.to_thread(clients.renew)
    return clients
