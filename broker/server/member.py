"""One host of a RabbitMQ cluster, from the very archive that `broker.cluster` makes for it.

For tests and trials: on a host of one's own the same archive is unpacked at the root, and Debian's service
starts it. Here its root is a folder, and the host a network name space; what names its files of TLS by
their path sees them there in a mount name space (mount_namespaces(7)).
"""

from __future__ import annotations

import os
import ssl
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from broker.address import Endpoint
from broker.server.program import Program, speaks_amqp
from dsmt_core.errors import Unavailable

_PASSED_ON: Final = ("PATH", "LANG", "TZ", "TMPDIR")
# Before a command that is to see $0 as /etc/rabbitmq.
_WITH_ETC: Final = (
    *("unshare", "--mount", "--", "sh", "-c"),
    'mount --bind "$0" /etc/rabbitmq && exec "$@"',
)


class Member:
    """A RabbitMQ that finds the others by itself.

    Args:
        folder: its own; the archive is unpacked in ``root`` below it, its data is kept beside.
        endpoint: where it listens, as its archive says.
        enter: the command that runs another one on its host.
    """

    def __init__(self, folder: Path, endpoint: Endpoint, enter: Sequence[str]) -> None:
        self.folder = folder
        self.endpoint = endpoint
        self._enter = tuple(enter)
        self._program = Program(folder, enter)
        self._trusting: ssl.SSLContext | None = None

    @property
    def node(self) -> str:
        """Its Erlang name."""
        return f"rabbit@{self.endpoint.host}"

    def install(self, archive: Path) -> None:
        """Unpack its files; later ones replace what they name."""
        for name in ("data", "log", "generated"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        with tarfile.open(archive) as packed:
            packed.extractall(self.folder / "root", filter="data")
        authority = self._etc / "tls" / "authority.pem"
        if authority.exists() and self._trusting is None:
            self._trusting = ssl.create_default_context(cafile=str(authority))
            self._program = Program(self.folder, (*self._enter, *_WITH_ETC, str(self._etc)))

    def begin(self) -> None:
        """Start it; `wait` waits. The first start of a cluster needs all hosts at once."""
        self._program.take()
        self._program.environment = self._environment()
        self._program.start()

    def wait(self, timeout_s: float = 60.0) -> None:
        """Until it answers.

        Raises:
            Unavailable: it has ended.
            DeadlinePassed: it did not answer in time.
        """
        deadline = time.monotonic() + timeout_s
        if not self._program.until(self.serves, deadline):
            raise Unavailable(f"{self.node} ended while it was starting", hint=f"see {self.folder / 'log'}")

    def serves(self) -> bool:
        """Whether it is ready for clients."""
        return speaks_amqp(self.endpoint.host, self.endpoint.port, self._trusting)

    def kill(self) -> None:
        """End it at once, as a power failure would. May be called twice."""
        self._program.kill()

    def control(self, *arguments: str, timeout_s: float = 180.0) -> str:
        """Run ``rabbitmqctl`` on its host; see `Program.control`."""
        return self._program.control(*arguments, timeout_s=timeout_s)

    @property
    def _etc(self) -> Path:
        return self.folder / "root" / "etc" / "rabbitmq"

    def _environment(self) -> dict[str, str]:
        etc = self._etc
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return passed_on | {
            "HOME": str(self.folder / "root" / "var" / "lib" / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(etc / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(etc / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(etc / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            # See `settings.environment`.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }
