"""Starting a process that is nobody's child here: it outlives this one, and leaves it no zombie."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from dsmt_core.errors import Unavailable

_START_S: Final = 30.0
# The shell ends at once, so that its child's parent is the machine's init (or a subreaper above).
# Before that it goes where it is told to by writing 0 (cgroups(7)); its child is born there.
_DETACH: Final = """
n=$1; shift
while [ "$n" -gt 0 ]; do echo 0 >"$1" || exit 1; shift; n=$((n - 1)); done
"$@" >&2 & echo $!
"""


def detached(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    descriptors: tuple[int, ...] = (),
    entry: Sequence[str] = (),
) -> int:
    """Start ``argv`` in a session apart; its pid.

    Args:
        argv: program and arguments.
        env: its whole environment.
        log: takes what it prints, appended.
        descriptors: what it inherits besides.
        entry: files of cgroups by which it enters them before its first instruction.

    Raises:
        Unavailable: it could not be started.
    """
    with log.open("ab") as output:
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", _DETACH, "sh", str(len(entry)), *entry, *argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd="/",
                env=dict(env),
                pass_fds=descriptors,
                start_new_session=True,
                timeout=_START_S,
                check=True,
            )
            return int(done.stdout)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise Unavailable(f"{argv[0]} could not be started: {error}") from error
