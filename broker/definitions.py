"""``python -m broker.definitions DIRECTORY``: users and permissions for a RabbitMQ of one's own.

Writes two private files: ``definitions.json``, to be imported with ``rabbitmqctl import_definitions``, and
``broker.env``, the URLs with which planner, nodes, operators and applications connect (``DSMT_BROKER``
and so on).
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
from broker.server.settings import VHOST, definitions
from dsmt_core.errors import Invalid
from dsmt_core.rights import APPLICATION, NODE_USER, OPERATOR, PLANNER

_VARIABLES = {
    PLANNER: "DSMT_BROKER",
    NODE_USER: "DSMT_NODE_BROKER",
    OPERATOR: "DSMT_OPERATOR_BROKER",
    APPLICATION: "DSMT_APPLICATION_BROKER",
}


def main() -> int:
    """Write the files; 6 when they are there already, so that passwords in use are never lost."""
    parser = argparse.ArgumentParser(prog="python -m broker.definitions", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument(
        "--address",
        default="127.0.0.1:5672",
        help="HOST:PORT of the broker, as all see it; of a cluster all of them: HOST:PORT,HOST:PORT",
    )
    parser.add_argument("--tls", action="store_true", help="amqps:// instead of amqp://")
    arguments = parser.parse_args()
    try:
        endpoints(arguments.address)
    except Invalid as error:
        sys.stderr.write(f"--address {arguments.address}: {error.message}\n  {error.hint}\n")
        return error.exit_code
    passwords = {user: secrets.token_urlsafe(24) for user in USERS}
    scheme = "amqps" if arguments.tls else "amqp"
    urls = {
        _VARIABLES[user]: f"{scheme}://{user}:{quote(password)}@{arguments.address}/{VHOST}"
        for user, password in passwords.items()
    }
    arguments.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    described = json.dumps(definitions(passwords, os.urandom(4)), indent=1)
    try:
        _write(arguments.directory / "definitions.json", described)
        _write(arguments.directory / "broker.env", "".join(f"{name}={url}\n" for name, url in urls.items()))
    except FileExistsError as error:
        sys.stderr.write(f"{error.filename} is there already\n  name another directory, or remove it\n")
        return 6
    sys.stdout.write(f"wrote definitions.json and broker.env in {arguments.directory}\n")
    return 0


def _write(path: Path, text: str) -> None:
    """A new file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
