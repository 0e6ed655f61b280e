"""The certificate of planner and depot: made at the start, renewed in time, shown without a restart."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from broker.certificates import Authority, key_of, life_of
from broker.showing import Shown
from dsmt_core.authorities import as_pem, fingerprint
from dsmt_core.errors import DsmtError, Invalid
from planner.config import PlannerConfig
from planner.store import Database
from planner.tls import authority
from planner.tls.deciding import LASTS_S, Way, is_due, is_everywhere, is_loopback, way

_LOOK_S: Final = 60.0
_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
_log = structlog.get_logger(__name__)


def names_of(config: PlannerConfig) -> tuple[str, ...]:
    """The names and addresses by which this machine is known; the first one is told to others."""
    own = [socket.getfqdn(), socket.gethostname()]
    listened = [one for one in (config.host, config.depot_listen.rpartition(":")[0].strip("[]")) if one]
    named = [one for one in listened if not is_everywhere(one) and not is_loopback(one)]
    here = [one for one in listened if is_loopback(one)]
    return tuple(dict.fromkeys([*config.names, *named, *own, *_ALWAYS, *here]))


class Tls:
    """What the planner shows.

    Args:
        config: of the planner.
        signer: the authority.
        clock: seconds since the epoch.

    Attributes:
        shown: for the servers.
        pem: the authority's certificate.
        fingerprint: of it.
    """

    def __init__(self, config: PlannerConfig, signer: Authority, clock: Callable[[], float]) -> None:
        self._names = names_of(config)
        self._signer = signer
        self._clock = clock
        self.path = config.certificate
        self.pem = as_pem([signer.der])
        self.fingerprint = fingerprint(signer.der)
        self.renew()
        self.shown = Shown(self.path)

    def renew(self) -> bool:
        """Make a new certificate if it is time, or the one there is of other names; whether it was."""
        now = self._clock()
        if not self._is_wanted(now):
            return False
        made = self._signer.certify(
            self._names[0],
            datetime.fromtimestamp(now, UTC),
            others=self._names[1:],
            lasts=timedelta(seconds=LASTS_S),
        )
        authority.write_private(self.path, (made.key + made.certificate).encode())
        return True

    async def run(self) -> None:
        """Renew it in time, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                if await asyncio.to_thread(self.renew):
                    _log.info("the certificate was renewed")
                self.shown.look()
            except (DsmtError, OSError) as error:
                _log.error("the certificate could not be renewed", reason=str(error))

    def trusting(self) -> ssl.SSLContext:
        """For the planner's own clients: this authority, and those that the machine trusts."""
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=self.pem)
        return context

    def _is_wanted(self, now: float) -> bool:
        try:
            content = self.path.read_bytes()
            there = life_of(content)
        except (OSError, Invalid):
            return True
        wanted = set(self._names) != there.hosts or there.issuer != key_of(self._signer.certificate)
        return wanted or is_due(there.begins.timestamp(), there.ends.timestamp(), now)


def has_authority(folder: Path) -> bool:
    """Whether one was made there; whether it is whole shows when it is needed."""
    return (folder / authority.CERTIFICATE).exists() or (folder / authority.KEY).exists()


async def opened(config: PlannerConfig, database: Database, clock: Callable[[], float]) -> Tls | None:
    """What the planner shows; None when all of it is plain.

    Raises:
        DsmtError: the authority is not the one of before, or is not whole.
    """
    signer = authority.load(config.data)
    await database.write(authority.known, signer)
    hosts = [config.host] + ([] if config.depot else [_depot_host(config)])
    ways = {host: way(host, config.wish, has_authority=signer is not None) for host in hosts}
    for host, one in ways.items():
        _tell(host, one)
    if Way.TLS not in ways.values():
        return None
    if signer is None:
        signer = authority.make(config.data)
        await database.write(authority.known, signer)
    return await asyncio.to_thread(Tls, config, signer, clock)


def depot_way(config: PlannerConfig, tls: Tls | None) -> Way:
    """How the depot speaks."""
    return way(_depot_host(config), config.wish, has_authority=tls is not None)


def _depot_host(config: PlannerConfig) -> str:
    return config.depot_listen.rpartition(":")[0].strip("[]") or "127.0.0.1"


def _tell(host: str, one: Way) -> None:
    if one in (Way.INSECURE, Way.OF_BEFORE):
        _log.warning(
            "what is said here can be read on the way, passwords too",
            host=host,
            why=one.value,
            do="dsmt-planner ca init, then https:// in the URLs" if one is Way.OF_BEFORE else "--tls",
        )
    else:
        _log.info("how it listens", host=host, way=one.value)
