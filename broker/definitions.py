"""``python -m broker.definitions DIRECTORY``: users and permissions for a RabbitMQ of one's own.

Writes private files: ``definitions.json``, to be imported with ``rabbitmqctl import_definitions < FILE``,
and ``broker.env``, the URLs with which planner, nodes, operators, applications and other regions connect
(``DSMT_BROKER`` and so on). With ``--cluster`` also ``HOST.tar`` for each host, to be unpacked at its root.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import quote

from broker.access import USERS
from broker.address import endpoints
from broker.cluster import archives
from broker.server.settings import VHOST, definitions
from dsmt_core.errors import Conflict, Invalid
from dsmt_core.rights import APPLICATION, NODE_USER, OPERATOR, PLANNER, REGION

_VARIABLES = {
    PLANNER: "DSMT_BROKER",
    NODE_USER: "DSMT_NODE_BROKER",
    OPERATOR: "DSMT_OPERATOR_BROKER",
    APPLICATION: "DSMT_APPLICATION_BROKER",
    REGION: "DSMT_REGION_BROKER",
}


def main() -> int:
    """Write the files; 6 when they are there already, so that passwords in use are never lost."""
    arguments = _arguments()
    try:
        files = _files(arguments.address, tls=arguments.tls, cluster=arguments.cluster)
    except Invalid as error:
        sys.stderr.write(f"--address {arguments.address}: {error.message}\n  {error.hint}\n")
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
        default="127.0.0.1:5672",
        help="HOST:PORT of the broker, as all see it; of a cluster all of them: HOST:PORT,HOST:PORT",
    )
    parser.add_argument("--tls", action="store_true", help="amqps:// instead of amqp://")
    parser.add_argument(
        "--cluster", action="store_true", help="write the files of each host of the cluster, too: HOST.tar"
    )
    return parser.parse_args()


def _files(address: str, *, tls: bool, cluster: bool) -> dict[str, bytes]:
    hosts = endpoints(address)
    if cluster and tls:
        raise Invalid(
            "the files of a cluster have no TLS", hint="leave --tls out, and add it to rabbitmq.conf"
        )
    passwords = {user: secrets.token_urlsafe(24) for user in USERS}
    scheme = "amqps" if tls else "amqp"
    urls = "".join(
        f"{_VARIABLES[user]}={scheme}://{user}:{quote(password)}@{address}/{VHOST}\n"
        for user, password in passwords.items()
    )
    described = json.dumps(definitions(passwords, os.urandom(4)), indent=1)
    files = {"definitions.json": described.encode(), "broker.env": urls.encode()}
    if cluster:
        packed = archives(hosts, secrets.token_urlsafe(24))
        files |= {f"{host}.tar": archive for host, archive in packed.items()}
    return files


def _write(path: Path, content: bytes) -> None:
    """A new file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


if __name__ == "__main__":
    sys.exit(main())
