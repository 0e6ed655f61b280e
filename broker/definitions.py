"""``python -m broker.definitions DIRECTORY``: users and permissions for a RabbitMQ of one's own.

Writes private files: ``definitions.json``, to be imported with ``rabbitmqctl import_definitions < FILE``,
and ``broker.env``, the URLs with which planner, nodes, operators, applications and other regions connect
(``DSMT_BROKER`` and so on), and that of its management, with which the planner keeps its users. With
``--cluster`` also ``HOST.tar`` for each host, to be unpacked at its root.

With ``--cluster --tls`` these have a certificate for each host, and ``authority.pem`` and ``authority.key``
are what signed them: with these two ``--certificate HOST`` writes a new one, ``HOST.certificate.tar``.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from broker.access import USERS
from broker.address import PORTS, Endpoint, endpoints, with_authority
from broker.cluster import archives, certificate_archive
from broker.management import PORT, PORT_OF_TLS
from broker.server.settings import ADMIN, VHOST, definitions
from dsmt_core.errors import Conflict, DsmtError, Invalid, NotFound, Unavailable
from dsmt_core.rights import APPLICATION, NODE_USER, OPERATOR, PLANNER, REGION

if TYPE_CHECKING:
    from broker.certificates import Authority

_VARIABLES = {
    PLANNER: "DSMT_BROKER",
    NODE_USER: "DSMT_NODE_BROKER",
    OPERATOR: "DSMT_OPERATOR_BROKER",
    APPLICATION: "DSMT_APPLICATION_BROKER",
    REGION: "DSMT_REGION_BROKER",
}


MANAGEMENT: Final = "DSMT_BROKER_MANAGEMENT"
_CERTIFICATE: Final = "authority.pem"
_KEY: Final = "authority.key"


def main() -> int:
    """Write the files; 6 when they are there already, so that passwords in use are never lost."""
    arguments = _arguments()
    try:
        if arguments.certificate:
            files = _renewed(arguments.directory, arguments.certificate)
        else:
            files = _files(arguments.address, tls=arguments.tls, cluster=arguments.cluster)
    except DsmtError as error:
        sys.stderr.write(f"{_place(arguments, error)}{error.message}\n  {error.hint}\n")
        return error.exit_code
    arguments.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files.items():
        try:
            _write(arguments.directory / name, content)
        except FileExistsError as error:
            sys.stderr.write(f"{error.filename} is there already\n  name another directory, or remove it\n")
            return Conflict.exit_code
    sys.stdout.write(f"wrote {', '.join(files)} in {arguments.directory}\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m broker.definitions", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument(
        "--address",
        default="127.0.0.1",
        help="HOST:PORT of the broker, as all see it; of a cluster all of them: HOST:PORT,HOST:PORT",
    )
    parser.add_argument(
        "--tls",
        action="store_true",
        help="amqps:// instead of amqp://; with --cluster its hosts get certificates, without it the "
        "broker needs one that all machines trust already",
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument(
        "--cluster", action="store_true", help="write the files of each host of the cluster, too: HOST.tar"
    )
    kinds.add_argument(
        "--certificate",
        metavar="HOST",
        default="",
        help="write a new certificate for this host, and no more",
    )
    return parser.parse_args()


def _place(arguments: argparse.Namespace, error: DsmtError) -> str:
    """The option whose value is wrong."""
    if not isinstance(error, Invalid):
        return ""
    if arguments.certificate:
        return f"--certificate {arguments.certificate}: "
    return f"--address {arguments.address}: "


def _files(address: str, *, tls: bool, cluster: bool) -> dict[str, bytes]:
    scheme = "amqps" if tls else "amqp"
    hosts = endpoints(address, PORTS[scheme])
    passwords = {user: secrets.token_urlsafe(24) for user in (*USERS, ADMIN)}
    described = json.dumps(definitions(passwords, os.urandom(4)), indent=1)
    urls = {
        user: f"{scheme}://{user}:{quote(password)}@{address}/{VHOST}"
        for user, password in passwords.items()
        if user != ADMIN
    }
    managed = ",".join(f"{_in_url(host)}:{PORT_OF_TLS if tls else PORT}" for host in hosts)
    management = f"{'https' if tls else 'http'}://{ADMIN}:{quote(passwords[ADMIN])}@{managed}"
    files = {"definitions.json": described.encode()}
    if cluster and tls:
        now = datetime.now(UTC)
        authority = _certificates().made(now)
        certified = {host.host: authority.certify(host.host, now) for host in hosts}
        packed = archives(hosts, secrets.token_urlsafe(24), certified)
        urls = {user: with_authority(url, authority.der) for user, url in urls.items()}
        files |= {_CERTIFICATE: authority.certificate, _KEY: authority.key}
    else:
        packed = archives(hosts, secrets.token_urlsafe(24)) if cluster else {}
    variables = {_VARIABLES[user]: url for user, url in urls.items()} | {MANAGEMENT: management}
    files["broker.env"] = "".join(f"{name}={url}\n" for name, url in variables.items()).encode()
    return files | {f"{host}.tar": archive for host, archive in packed.items()}


def _in_url(host: Endpoint) -> str:
    return f"[{host.host}]" if ":" in host.host else host.host


def _renewed(directory: Path, host: str) -> dict[str, bytes]:
    """A new key and certificate for a host, which may be a new one."""
    (one, *more) = endpoints(host)
    if more:
        raise Invalid("these are several hosts", hint="make one certificate after the other")
    try:
        files = [(directory / name).read_bytes() for name in (_CERTIFICATE, _KEY)]
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no {error.filename}", hint="name the directory that --cluster --tls has written"
        ) from None
    certified = _certificates()(*files).certify(one.host, datetime.now(UTC))
    return {f"{one.host}.certificate.tar": certificate_archive(certified)}


def _certificates() -> type[Authority]:
    try:
        from broker.certificates import Authority  # noqa: PLC0415 - needed by one machine of all
    except ImportError as error:
        raise Unavailable(
            f"certificates cannot be made here: {error}", hint="pip install 'dsmt[tls]'"
        ) from error
    return Authority


def _write(path: Path, content: bytes) -> None:
    """A new file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


if __name__ == "__main__":
    sys.exit(main())
