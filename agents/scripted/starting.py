"""Starting a program for an agent of scripts, with all that applications find elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from agents.deployment_agent import configurations, credentials
from agents.deployment_agent.configurations import ConfigurationFiles
from agents.deployment_agent.credentials import CredentialFiles
from agents.deployment_agent.sliver import Call, Sliver
from agents.scripted.held import Holdings, Kept
from agents.scripted.identity import Identity
from dsmt_core.configuration import Configuration
from dsmt_core.names import Application

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


async def start(who: Identity, sliver: Sliver, name: Application, program: Sequence[str]) -> None:
    """Start it by way of the init, under its last order.

    Raises:
        NotFound: nothing was ordered about this application.
        Full: the disk has no room.
        Conflict, Unavailable, DeadlinePassed: it cannot be started.
    """
    holdings = Holdings(who.held)
    kept = await asyncio.to_thread(holdings.of, name)
    configuration = Configuration.parse(kept.configuration)
    env = await asyncio.to_thread(_prepared, who, name, kept, configuration)
    log = f"{who.paths.inside_var}/log/{name}.log"
    await sliver.spawn(Call(list(program), name, env, who.paths.inside_app), log=log)
    await asyncio.to_thread(holdings.keep, name, replace(kept, started=kept.configuration))


def _prepared(who: Identity, name: Application, kept: Kept, configuration: Configuration) -> dict[str, str]:
    """Its environment; the files that it names are written."""
    passwords, values = CredentialFiles(who.config, who.paths), ConfigurationFiles(who.paths)
    passwords.write([name])
    values.write(name, configuration)
    return {
        "PATH": f"{PATH}:{who.paths.inside_programs}",
        "HOME": f"{who.paths.root}/home",
        "LANG": "C.UTF-8",
        "DSMT_HOST": who.config.host,
        "DSMT_SLICE": who.config.slice,
        "DSMT_APPLICATION": name,
        "DSMT_VERSION": kept.version,
        credentials.VARIABLE: passwords.inside(name),
        configurations.VARIABLE: values.inside(name),
        **configurations.variables(configuration),
    }
