"""Templates of an application: rendered on the node before each start, each into a private file.

Rule: what is rendered may hold secrets, so it is in its file (mode 0600, the sliver's user) and nowhere
else. What only the node knows is asked when a template uses it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from typing import Final

from agents.deployment_agent import private_file
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.secrets import SecretFiles
from agents.deployment_agent.sliver import Sliver
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.names import Application, Host, Slice
from dsmt_core.secrets import referred, referred_by
from dsmt_core.templates import HOST, names_in, render, templates_of

VARIABLE: Final = "DSMT_FILE"
_END: Final = ".rendered"


class RenderedFiles:
    """Renders, writes and removes the files of one sliver's applications.

    Args:
        paths: where the sliver is.
        sliver: whose node is asked for facts.
        secrets: has the secrets that templates use.
        host: name of the host.
        slice_: of the sliver.
    """

    def __init__(
        self, paths: SliverPaths, sliver: Sliver, secrets: SecretFiles, *, host: Host, slice_: Slice
    ) -> None:
        self._paths = paths
        self._sliver = sliver
        self._secrets = secrets
        self._known = {f"{HOST}.name": str(host), "slice.name": str(slice_)}

    def variables(self, name: Application, configuration: Configuration) -> dict[str, str]:
        """The variables that name the files: ``site_conf`` is the one of ``DSMT_FILE_SITE_CONF``."""
        return {
            f"{VARIABLE}_{each.upper()}": f"{self._paths.inside_run}/{_file(name, each)}"
            for each in templates_of(configuration)
        }

    async def write(self, name: Application, version: str, configuration: Configuration) -> None:
        """Have the files of this configuration, and no others of this application.

        Its secrets are there already.

        Raises:
            Invalid: a template uses what this node does not know, or a secret that is no text.
            Unavailable, DeadlinePassed: the node does not tell its facts now.
            Full: it cannot be written, or becomes too long.
        """
        templates = templates_of(configuration)
        if templates:
            used = {each for text in templates.values() for each in names_in(text)}
            values = self._known | {"application.name": str(name), "application.version": version}
            values |= {each: value for each, value in configuration.pairs if not referred(value)}
            secret = referred_by(configuration).keys() & used
            values |= await asyncio.to_thread(self._secrets.texts, name, configuration, secret)
            values = await self._facts(used - values.keys()) | values
            for each, text in templates.items():
                content = render(each, text, values).encode()
                path = self._paths.run / _file(name, each)
                await asyncio.to_thread(private_file.write, path, content, f"the file {each}")
        await asyncio.to_thread(self._remove_others, name, templates)

    async def remove(self, name: Application) -> None:
        """Remove the files of an application that is gone."""
        await self.write(name, "", NONE)

    async def _facts(self, lacking: Collection[str]) -> dict[str, str]:
        if not any(each.startswith(f"{HOST}.") for each in lacking):
            return {}
        return {f"{HOST}.{fact}": value for fact, value in (await self._sliver.facts()).items()}

    def _remove_others(self, name: Application, wanted: Mapping[str, str]) -> None:
        for path in self._paths.run.glob(f"file.{name}.*"):
            template = path.name.removeprefix(f"file.{name}.").removesuffix(".new").removesuffix(_END)
            # `file.a.b.…` is of the application `a.b` perhaps: only what has the form of ours.
            mine = path.name.removesuffix(".new") == _file(name, template) and "." not in template
            if mine and (template not in wanted or path.name != _file(name, template)):
                with contextlib.suppress(OSError):
                    path.unlink()


def _file(name: Application, template: str) -> str:
    return f"file.{name}.{template}{_END}"
