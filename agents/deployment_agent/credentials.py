"""What an application needs to speak on PsEPR, in a private file of its own in the sliver.

The script's environment names the file (``DSMT_PSEPR``) and never holds the secret, which `ps` and crash
reports would show. It is there in every world; without an address in it, the tools say why they cannot.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from agents import state_file
from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.paths import SliverPaths
from dsmt_core.names import Application, manager_of

VARIABLE = "DSMT_PSEPR"
_LOG = logging.getLogger(__name__)


class CredentialFiles:
    """Writes and removes the files of one sliver's applications; blocking, for threads.

    Args:
        config: whose sliver, and with which address applications connect.
        paths: where the sliver is.
    """

    def __init__(self, config: AgentConfig, paths: SliverPaths) -> None:
        self._config = config
        self._paths = paths

    def inside(self, name: Application) -> str:
        """The file of an application, as its scripts name it."""
        return f"{self._paths.inside_run}/{_file(name)}"

    def write(self, names: Iterable[Application]) -> None:
        """Write the file of each of these applications anew; one that cannot be written keeps none back."""
        for name in names:
            try:
                owner = self._paths.run.stat()
                # The run directory is the sliver's, and so is what lies in it, whoever writes it.
                state_file.save(
                    self._paths.run / _file(name),
                    self._values(name),
                    mode=0o600,
                    owner=(owner.st_uid, owner.st_gid),
                )
            except OSError as error:
                _LOG.warning("%s cannot speak on PsEPR: %s: %s", name, _file(name), error.strerror)

    def remove(self, name: Application) -> None:
        """Remove the file of an application that is gone."""
        try:
            state_file.remove(self._paths.run / _file(name))
        except OSError as error:
            _LOG.warning("%s cannot be removed: %s", _file(name), error.strerror)

    def _values(self, name: Application) -> dict[str, str]:
        config = self._config
        return {
            "url": config.application_broker,
            "certificate": config.certificate,
            "service": manager_of(config.slice),
            "instance": f"{config.host}/{config.slice}/{name}",
            "slice": config.slice,
            "host": config.host,
            "application": name,
        }


def _file(name: Application) -> str:
    return f"psepr.{name}.json"
