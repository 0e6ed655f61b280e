"""An installation whose broker lets nobody near its login who shows no certificate of the installation."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from broker.address import parse
from broker.certificates import Authority
from broker.server.ports import LOOPBACK
from broker.server.private import PrivateBroker
from broker.server.settings import Place
from dsmt_core.authorities import as_pem
from dsmt_core.ed25519 import Signer, private_pem
from dsmt_core.signing import out_of_text
from lab.processes import ProcessScene
from lab.scene import Scenery
from planner.tls import authority
from tests.attacks.town import ADMIN, HERE, PASSWORD, Town

_SOON_S: Final = 20.0
_GREETING: Final = b"AMQP\x00\x00\x09\x01"


class SecureScene(ProcessScene):
    """All of it speaks to the broker over TLS."""

    signer: Authority

    def _url(self, user: str) -> str:
        return self.server.secure_url(user, self.signer.der)


class Guarded(Town):
    """One node and two slices, on real processes."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        data = home / "scene" / "planner"
        command = [sys.executable, "-m", "planner.main", "init", "--data", str(data), "--admin", ADMIN]
        environment = os.environ | {"DSMT_PASSWORD": PASSWORD}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        signers = authority.load(data), authority.load(data, authority.CLIENTS)
        assert signers[0] is not None
        assert signers[1] is not None
        self.signer, self.clients = signers[0], signers[1]
        place = Place(
            certified=self.signer.certify(LOOPBACK, datetime.now(UTC)),
            clients=self.clients.certificate.decode(),
        )
        scenery = Scenery(home=home / "scene", hosts=(HERE,), admin=ADMIN, password=PASSWORD)
        self.scene = SecureScene(scenery, server=PrivateBroker(home / "broker", place=place))
        self.scene.signer = self.signer

    async def start(self) -> None:
        await asyncio.to_thread(self.scene.server.start)
        try:
            await super().start()
        except BaseException:
            await asyncio.to_thread(self.scene.server.kill)
            raise

    async def stop(self) -> None:
        await super().stop()
        await asyncio.to_thread(self.scene.server.kill)

    @property
    def node(self) -> Path:
        """The data of the node."""
        return self.scene.scenery.home / HERE

    def connections(self) -> dict[str, dict[str, Any]]:
        """Who is connected: user → what the broker says of it."""
        return {one["user"]: one for one in self.scene.server.management.connections("dsmt")}

    def users(self) -> set[str]:
        """Who may connect."""
        return {one["name"] for one in self.scene.server.management.request("GET", "/users")}

    def reaches_the_login(self, certificate: Path | None, key: Path | None = None) -> str:
        """Why the broker does not even ask who it is; empty: it asks."""
        context = ssl.create_default_context(cadata=self.signer.der)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        (endpoint,) = parse(self.scene.operator_url).endpoints
        address = (endpoint.host, endpoint.port)
        try:
            with (
                socket.create_connection(address, _SOON_S) as raw,
                context.wrap_socket(raw, server_hostname=LOOPBACK) as secured,
            ):
                secured.sendall(_GREETING)
                return "" if b"PLAIN" in secured.recv(4096) else "it closed the connection"
        except (ssl.SSLError, ConnectionError) as error:
            return str(error)


def client_file(folder: Path, signer: Authority, host: str, **life: Any) -> Path:
    """Key and certificate of a client of this authority."""
    seed = secrets.token_bytes(32)
    der = signer.certify_client(host, out_of_text(Signer(seed).public), **life)
    path = folder / f"{secrets.token_hex(4)}.pem"
    path.write_text(private_pem(seed) + as_pem([der]))
    return path


@contextmanager
def guarded(home: Path) -> Iterator[Guarded]:
    """One, until the block ends."""
    made = Guarded(home)
    asyncio.run(made.start())
    try:
        yield made
    finally:
        asyncio.run(made.stop())
