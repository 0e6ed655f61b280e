"""What a private broker is told: its ports, its files and its environment, as values.

Everything of it lies in one folder, everything listens on the loopback interface, and nothing is taken
from a broker that the machine may run besides (``RABBITMQ_CONF_ENV_FILE=/dev/null``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from broker import policies
from broker.access import HASHING, PERMISSIONS, TOPIC_PERMISSIONS, password_hash
from broker.cluster import ASKED, Certified
from broker.server.ports import LOOPBACK

PROGRAM: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
VHOST: Final = "dsmt"
ADMIN: Final = "admin"
NODE_NAME: Final = "dsmt@localhost"
_PLUGINS: Final = ("rabbitmq_management", "rabbitmq_event_exchange")
# RabbitMQ's own 5 s take a quarter of what a connection at rest costs it.
_STATISTICS_MS: Final = 30_000
_PASSED_ON: Final = ("PATH", "LANG", "TZ", "TMPDIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a private broker listens on the loopback interface; 0 takes a free port."""

    amqp: int = 0
    amqps: int = 0
    management: int = 0
    distribution: int = 0
    epmd: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a private broker lives: on the loopback interface, unless told otherwise.

    Attributes:
        address: the IPv4 address that it listens on.
        reached: the one by which its owner reaches it; empty: the same.
        enter: the command that runs another one there (``nsenter --net=…``); empty: here.
        node: its Erlang name; Erlang finds the others of a cluster, and of a federation, by it.
        plugins: those that it has besides the usual ones.
        certified: what it shows to those who connect over TLS; without it there is none.
        clients: whose certificates (PEM) it asks of those who do; empty: of nobody.
    """

    address: str = LOOPBACK
    reached: str = ""
    enter: tuple[str, ...] = ()
    node: str = NODE_NAME
    plugins: tuple[str, ...] = ()
    certified: Certified | None = None
    clients: str = ""


# In a place of its own a broker has the usual ports: AMQP, management, distribution, epmd.
USUAL_PORTS: Final = Ports(amqp=5672, amqps=5671, management=15672, distribution=25672, epmd=4369)


def write_files(folder: Path, ports: Ports, passwords: Mapping[str, str], place: Place) -> None:
    """Write configuration and definitions below ``folder``, readable by their owner only.

    Args:
        folder: the broker's own; its data is kept.
        ports: all of them chosen.
        passwords: of each user, in clear; only their hashes are written.
        place: where it lives.
    """
    for name in ("data", "log", "home", "generated"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / "rabbitmq.conf", _configuration(folder, ports, place))
    _write(folder / "definitions.json", json.dumps(definitions(passwords, os.urandom(4)), indent=1))
    _write(folder / "enabled_plugins", f"[{','.join(_PLUGINS + place.plugins)}].\n")


def environment(folder: Path, ports: Ports, place: Place) -> dict[str, str]:
    """The whole environment of the server, and of ``rabbitmqctl`` for it."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | {
        "HOME": str(folder / "home"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": place.node,
        "RABBITMQ_NODE_IP_ADDRESS": place.address,
        "RABBITMQ_NODE_PORT": str(ports.amqp),
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        # With "input allowed" the start script becomes the server instead of waiting beside it, so that
        # the pid is the server's own; -noinput takes the shell away again.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_START_ARGS": "-noinput",
    }


def definitions(passwords: Mapping[str, str], salt: bytes) -> dict[str, Any]:
    """Users, virtual host, permissions and policies; with definitions the broker makes no ``guest``."""
    return {
        "users": [
            {
                "name": name,
                "password_hash": password_hash(password, salt),
                "hashing_algorithm": HASHING,
                "tags": ["administrator"] if name == ADMIN else [],
            }
            for name, password in passwords.items()
        ],
        "vhosts": [{"name": VHOST}],
        "permissions": [
            {"user": p.user, "vhost": VHOST, "configure": p.configure, "write": p.write, "read": p.read}
            for p in PERMISSIONS
        ],
        "topic_permissions": [
            {"user": t.user, "vhost": VHOST, "exchange": t.exchange, "write": t.write, "read": t.read}
            for t in TOPIC_PERMISSIONS
        ],
        "policies": [policies.waiting_for_regions(VHOST)],
    }


def _configuration(folder: Path, ports: Ports, place: Place) -> str:
    return (
        _secured(folder, ports, place)
        + f"""\
listeners.tcp.1 = {place.address}:{ports.amqp}
management.tcp.ip = {place.address}
management.tcp.port = {ports.management}
load_definitions = {folder / "definitions.json"}
default_vhost = {VHOST}
tcp_listen_options.backlog = 1024
tcp_listen_options.nodelay = true
collect_statistics_interval = {_STATISTICS_MS}
log.console = false
log.file.level = info
log.file.rotation.size = 10485760
log.file.rotation.count = 3
"""
    )


def _secured(folder: Path, ports: Ports, place: Place) -> str:
    if place.certified is None:
        return ""
    _write(folder / "host.pem", place.certified.certificate)
    _write(folder / "host.key", place.certified.key)
    asked = ""
    if place.clients:
        _write(folder / "clients.pem", place.clients)
        asked = ASKED.format(clients=folder / "clients.pem")
    return f"""\
listeners.ssl.1 = {place.address}:{ports.amqps}
ssl_options.certfile = {folder / "host.pem"}
ssl_options.keyfile = {folder / "host.key"}
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
{asked}"""


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
