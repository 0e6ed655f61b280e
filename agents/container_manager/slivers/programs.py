"""Programs of DSMT that every sliver has on the PATH of its scripts: launchers in a directory of the node.

They run with the Python and the packages that run DSMT itself, which are not on that PATH: an application's
own `python3` stays what it was.
"""

from __future__ import annotations

import shlex
import sys
from typing import Final

from agents.container_manager.slivers import directories
from agents.container_manager.slivers.place import Place
from agents.container_manager.slivers.visible import package_directory

INSIDE: Final = "/run/dsmt-bin"


def write(place: Place) -> None:
    """Write ``dsmt-event``, and ``dsmt-python`` for programs that use the SDK, as before each boot."""
    parent = str(package_directory("broker").parent)
    python = shlex.quote(sys.executable)
    code = f"import sys; sys.path.append({parent!r}); from agents.scripted.main import run; run()"
    place.programs.mkdir(mode=0o755, exist_ok=True)
    launchers = {
        "dsmt-event": f'exec {python} -I -c {shlex.quote(code)} "$@"',
        "dsmt-python": f'PYTHONPATH={shlex.quote(parent)}${{PYTHONPATH:+:$PYTHONPATH}} exec {python} "$@"',
    }
    for name, command in launchers.items():
        directories.put(place.programs / name, f"#!/bin/sh\n{command}\n", mode=0o755)
