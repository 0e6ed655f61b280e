"""The command lines, as each program's ``--help`` tells them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from typer.main import get_command

from dsmtc.verbs import COMMON_HELP, SECTIONS, module_of
from lab.reference.tables import block

_COLUMNS: Final = "100"
_TIME_S: Final = 60.0
# Where each program begins, and the verbs of which it tells more; dsmt-agent is begun by a sliver alone.
PROGRAMS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "dsmt-planner": (
        "planner.main",
        ("", "init", "run", "ca init", "ca show", "ca issue", "keys show", "keys rotate"),
    ),
    "dsmt-depot": ("depot.main", ("run",)),
    "dsmt-node": ("agents.container_manager.main", ("", "install", "uninstall", "trust", "show", "rekey")),
    "dsmt-event": ("broker.shell.main", ("publish", "watch")),
    "rpmgen": ("depot.rpmgen.main", ("",)),
    "python -m broker.definitions": ("broker.definitions", ("",)),
    "python -m broker.federation": ("broker.federation", ("",)),
}


def verbs() -> str:
    """Every verb of ``dsmtc``."""
    parts = [
        "# dsmtc, verb by verb\n",
        "Made from the program. What the verbs mean together stands in [dsmtc](dsmtc.md).\n",
        block(COMMON_HELP),
    ]
    with _wide():
        for title, section in SECTIONS.items():
            parts.append(f"## {title}\n")
            for verb, text in section.items():
                parts += [f"### {verb}\n", f"{text[:1].upper()}{text[1:]}.\n", *_of_verb(verb)]
    return "\n".join(parts)


def programs() -> str:
    """Every other program: its options are its configuration."""
    parts = [
        "# Programs and their options\n",
        "Made from the programs. Variables and files: [configuration](configuration.md).\n",
    ]
    wanted = [(name, module, verb) for name, (module, many) in PROGRAMS.items() for verb in many]
    with ThreadPoolExecutor(max_workers=2) as pool:
        helps = list(pool.map(lambda one: _help(one[1], one[2]), wanted))
    for (name, _, verb), text in zip(wanted, helps, strict=True):
        # Begun as a module, it calls itself so.
        shown = text.replace(f"python -m {PROGRAMS[name][0]}", name)
        parts += [f"## {name} {verb}\n".replace(" \n", "\n"), block(shown)]
    return "\n".join(parts)


def _of_verb(verb: str) -> Iterator[str]:
    module = importlib.import_module(module_of(verb))
    command: Any = get_command(module.app)
    if len(module.app.registered_commands) > 1 and verb in getattr(command, "commands", {}):
        command = command.commands[verb]
    yield from _of_command(command, f"dsmtc {verb}")


def _of_command(command: Any, name: str) -> Iterator[str]:
    """The help of a command and of those below it."""
    context = command.make_context(name, [], resilient_parsing=True)
    yield block(command.get_help(context))
    for word, below in getattr(command, "commands", {}).items():
        yield from _of_command(below, f"{name} {word}")


def _help(module: str, verb: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *verb.split(), "--help"],
        env=os.environ | {"COLUMNS": _COLUMNS},
        stdout=subprocess.PIPE,
        timeout=_TIME_S,
        check=True,
        text=True,
    )
    return done.stdout


@contextmanager
def _wide() -> Iterator[None]:
    """Help is broken into lines as wide as a page, whatever the terminal."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _COLUMNS
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
