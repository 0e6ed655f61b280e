"""An agent of somebody else: fetched by the node, unpacked in the sliver, become by a process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.installers.extraction import unpack
from agents.deployment_agent.paths import OWN, SliverPaths
from agents.deployment_agent.sliver import Call, Sliver
from agents.scripted.identity import VARIABLE, handed
from dsmt_core.agents import PROGRAM, AgentPackage
from dsmt_core.errors import DsmtError, Invalid

_AGENTS: Final = "agents"
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LIST_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a process is to become."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str

    def become(self) -> NoReturn:
        """Become it, in this process.

        Raises:
            OSError: it cannot be executed.
        """
        os.chdir(self.cwd)
        os.execve(self.argv[0], list(self.argv), dict(self.env))  # noqa: S606 - no shell is the point


class Plugin:
    """One agent in its sliver.

    Args:
        package: which.
        paths: where the sliver's files are; this process is inside.
        sliver: who fetches and starts programs.
    """

    def __init__(self, package: AgentPackage, paths: SliverPaths, sliver: Sliver) -> None:
        self._package = package
        self._paths = paths
        self._sliver = sliver
        self._all = f"{paths.inside_app}/{OWN}/{_AGENTS}"
        # Another content under the same version is another directory.
        self._directory = f"{self._all}/{package.name}-{package.version}-{package.package.digest[:12]}"

    async def fetch(self) -> None:
        """Have the package on the node.

        Raises:
            DsmtError: it cannot be had.
        """
        if not self._is_there():
            await self._sliver.fetch(self._package.package)

    async def unpack(self) -> None:
        """Unpack it beside the one before, which goes then.

        Raises:
            Invalid: it is no agent.
            DsmtError: it cannot be unpacked.
        """
        if not self._is_there():
            archive = f"{self._paths.inside_packages}/{self._package.package.digest}"
            await unpack(self._sliver, "", ["tar", "--into", self._directory, archive])
        keep = self._directory.rpartition("/")[2]
        stale = ["find", self._all, "-mindepth", "1", "-maxdepth", "1", "!", "-name", keep]
        call = Call([*stale, "-exec", "rm", "-rf", "--", "{}", "+"], cwd="/")
        with contextlib.suppress(DsmtError):
            await self._sliver.run(call, timeout_s=_LIST_S)

    def program(self, config: AgentConfig) -> Program:
        """What this process is to become; who the agent is goes with it by a descriptor.

        Raises:
            Invalid: the agent's program cannot be executed.
        """
        path = f"{self._directory}/{PROGRAM}"
        if not self._is_there():
            raise Invalid(f"the agent {self._package.name} has no executable {PROGRAM}")
        env = {
            "PATH": f"{_PATH}:{self._paths.inside_programs}",
            "HOME": f"{self._paths.root}/home",
            "LANG": "C.UTF-8",
            "DSMT_RUN": self._paths.inside_run,
            "DSMT_APP": self._paths.inside_app,
            "DSMT_ROOT": self._paths.root,
            "DSMT_HOST": config.host,
            "DSMT_SLICE": config.slice,
            **{name: os.environ[name] for name in ("DSMT_SLIVER",) if name in os.environ},
            **self._package.variables,
            VARIABLE: f"/proc/self/fd/{handed(config)}",
        }
        return Program(argv=(path,), env=env, cwd=self._paths.inside_app)

    def _is_there(self) -> bool:
        path = self._paths.here(f"{self._directory}/{PROGRAM}")
        return path.is_file() and os.access(path, os.X_OK)
