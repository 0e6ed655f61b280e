"""The user guide's transcript, command by command, as it is typed.

Section 2 of the guide (`create` to `status`), with ``only3`` for ``only10`` because the little world has
five nodes. The words are the guide's; the demo only adds where the planner is and who types.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SLICE: Final = "my_slice"
USER: Final = "me@example.com"
APPLICATION: Final = "pinger"
INSTANCES: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript: what is typed, and after which part of the story it belongs."""

    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a person types it."""
        return " ".join(self.words)


def rpmgen(tarball: Path) -> list[str]:
    """The guide's invocation of rpmgen (section 2.3.2), for the example application."""
    words = ["--installdir", "/usr/local", "--file", str(tarball)]
    for script in ("start", "stop", "status"):
        words += [f"--{script}", f"/usr/local/{APPLICATION}/{script}.sh"]
    return words


def create(account: str, password: str) -> Line:
    """A pi makes the slice for its user; the first ``--user`` acts, the second is the slice's."""
    return Line(
        (
            "create",
            *("--user", account, "--password", password, "--role", "PI"),
            *("--user", USER, "--slice", SLICE),
        )
    )


def prepare(packages: list[str]) -> list[Line]:
    """From `manage` to the definition of the plans."""
    return [
        Line(("manage",)),
        *(Line(("depot", "put", package)) for package in packages),
        Line(("setagent", "--agent", "deployment-agent")),
        Line(("plan", "set", "--plan", "goodNodes", "--base", "minus", "left=all_nodes", "right=failed")),
        Line(
            ("plan", "set", "--plan", "only3", "--base", "limit", "parent=goodNodes", f"count={INSTANCES}")
        ),
    ]


SETPLAN: Final = Line(("setplan", "--plan", "only3"))
STATUS: Final = Line(("status",))
