"""An agent of somebody else: the package that it comes in, and its parameters, as an order names them.

The default agent comes with DSMT and has none. Everything is compared as one text, so another version or
another parameter is another agent, which replaces the one that runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.errors import Full, Invalid
from dsmt_core.events import check_text
from dsmt_core.names import application
from dsmt_core.packages import PackageRef

KIND: Final = "agent"
"""Of its package in a depot: a tarball of ``NAME-VERSION/`` with an executable `PROGRAM` in it."""
PROGRAM: Final = "agent.sh"
VERSION: Final = "version"
"""The parameter that chooses one of several packages of the same agent; the newest without it."""
PARAMETERS: Final = 32
BYTES: Final = 4_096
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPackage:
    """Which program is a slice's installation agent.

    Attributes:
        name, version: of the package.
        package: as nodes fetch it.
        parameters: as they were set, without the version.
    """

    name: str
    version: str
    package: PackageRef
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The form in which it is ordered and kept; the same for the same agent."""
        values = {
            "name": self.name,
            "version": self.version,
            "package": str(self.package),
            "parameters": dict(self.parameters),
        }
        return json.dumps(values, sort_keys=True, ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> AgentPackage:
        """The inverse of `text`.

        Raises:
            Invalid: it is not one.
        """
        try:
            values = json.loads(text)
            return cls(
                name=str(application(values["name"])),
                version=str(values["version"]),
                package=PackageRef.parse(str(values["package"])),
                parameters=parameters_of(values["parameters"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Invalid(f"{text[:80]!r} does not name an agent's package") from error

    @property
    def variables(self) -> dict[str, str]:
        """The parameters as variables of the agent's environment."""
        return {f"DSMT_AGENT_{name.upper()}": value for name, value in self.parameters.items()}


def parameters_of(values: Mapping[str, str]) -> dict[str, str]:
    """Parameters for an agent, checked.

    Raises:
        Invalid: a name or a value is not legal.
        Full: they are too many, or too long.
    """
    checked = {name.replace("-", "_"): value for name, value in values.items()}
    for name, value in checked.items():
        if not _NAME.match(name):
            raise Invalid(
                f"{name[:_SHOWN]!r} is not a parameter of an agent",
                hint="use small letters, digits and underscores, at most 40",
            )
        check_text(value, f"the value of {name}")
    size = sum(len(f"{name}{value}".encode()) for name, value in checked.items())
    if len(checked) > PARAMETERS or size > BYTES:
        raise Full(
            f"{len(checked)} parameters of {size} bytes",
            hint=f"an agent has at most {PARAMETERS}, of {BYTES} bytes together",
        )
    return checked
