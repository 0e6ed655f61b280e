"""The configuration of an application as its scripts find it: in their environment, and in a file.

Each value is a variable (``greeting`` is ``DSMT_CONFIG_GREETING``); all of them are in a JSON file,
``{"values": {…}}``, which ``DSMT_CONFIG`` names. It is written whole before the start script is called, and
never while the application runs: so it tells with what it was started, also to an agent that has lost its
own record.
"""

from __future__ import annotations

from agents import state_file
from agents.deployment_agent.paths import SliverPaths
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.errors import DsmtError, Full, Invalid
from dsmt_core.names import Application
from dsmt_core.secrets import referred
from dsmt_core.templates import PREFIX

VARIABLE = "DSMT_CONFIG"
_VALUES = "values"


def variables(configuration: Configuration) -> dict[str, str]:
    """The variables of the environment that hold it, one a plain value.

    Those of secrets are `secrets`', those of templates `templates`'.
    """
    return {
        f"{VARIABLE}_{name.upper()}": value
        for name, value in configuration.pairs
        if not referred(value) and not value.startswith(PREFIX)
    }


class ConfigurationFiles:
    """Writes, reads and removes the files of one sliver's applications; blocking, for threads.

    Args:
        paths: where the sliver is.
    """

    def __init__(self, paths: SliverPaths) -> None:
        self._paths = paths

    def inside(self, name: Application) -> str:
        """The file of an application, as its scripts name it."""
        return f"{self._paths.inside_run}/{_file(name)}"

    def write(self, name: Application, configuration: Configuration) -> None:
        """Write the file of an application that is about to be started.

        Raises:
            Full: it cannot be written; with half a configuration nothing is started.
        """
        try:
            owner = self._paths.run.stat()
            state_file.save(
                self._paths.run / _file(name),
                {_VALUES: configuration.values},
                owner=(owner.st_uid, owner.st_gid),
            )
        except OSError as error:
            raise Full(f"its configuration cannot be written: {error.strerror or error}") from error

    def read(self, name: Application) -> Configuration:
        """With which configuration an application was last started; none when that is not known."""
        values = (state_file.load(self._paths.run / _file(name)).value or {}).get(_VALUES)
        try:
            # The directory is the application's to write in: what lies there may be anything.
            if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
                raise Invalid("it holds no values")
            return Configuration.of(values)
        except DsmtError:
            return NONE

    def remove(self, name: Application) -> None:
        """Remove the file of an application that is gone.

        Raises:
            Full: it cannot be removed.
        """
        try:
            state_file.remove(self._paths.run / _file(name))
        except OSError as error:
            raise Full(f"{_file(name)} cannot be removed: {error.strerror or error}") from error


def _file(name: Application) -> str:
    return f"config.{name}.json"
