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

from broker.access import HASHING, PERMISSIONS, TOPIC_PERMISSIONS, password_hash

PROGRAM: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
VHOST: Final = "dsmt"
ADMIN: Final = "admin"
LOOPBACK: Final = "127.0.0.1"
NODE_NAME: Final = "dsmt@localhost"
_PLUGINS: Final = "[rabbitmq_management,rabbitmq_event_exchange].\n"
_PASSED_ON: Final = ("PATH", "LANG", "TZ", "TMPDIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a private broker listens on the loopback interface; 0 takes a free port."""

    amqp: int = 0
    management: int = 0
    distribution: int = 0
    epmd: int = 0


def write_files(folder: Path, ports: Ports, passwords: Mapping[str, str]) -> None:
    """Write configuration and definitions below ``folder``, readable by their owner only.

    Args:
        folder: the broker's own; its data is kept.
        ports: all of them chosen.
        passwords: of each user, in clear; only their hashes are written.
    """
    for name in ("data", "log", "home", "generated"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / "rabbitmq.conf", _configuration(folder, ports))
    _write(folder / "definitions.json", json.dumps(definitions(passwords, os.urandom(4)), indent=1))
    _write(folder / "enabled_plugins", _PLUGINS)


def environment(folder: Path, ports: Ports) -> dict[str, str]:
    """The whole environment of the server, and of ``rabbitmqctl`` for it."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | {
        "HOME": str(folder / "home"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": NODE_NAME,
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
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
    """Users, virtual host and permissions; with definitions the broker makes no ``guest``."""
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
    }


def _configuration(folder: Path, ports: Ports) -> str:
    return f"""\
listeners.tcp.1 = {LOOPBACK}:{ports.amqp}
management.tcp.ip = {LOOPBACK}
management.tcp.port = {ports.management}
load_definitions = {folder / "definitions.json"}
default_vhost = {VHOST}
tcp_listen_options.backlog = 1024
tcp_listen_options.nodelay = true
log.console = false
log.file.level = info
log.file.rotation.size = 10485760
log.file.rotation.count = 3
"""


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
