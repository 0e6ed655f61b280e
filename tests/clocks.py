"""A clock of its own for a process and what it starts: only its wall clock is another one.

The time of the machine stays, as other tests use it. (libfaketime was tried: with the clock that counts
seconds left alone, its `clock_nanosleep` fails, and Python's `sleep` with it.)
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

HOUR_S: Final = 3600
_SOURCE: Final = Path(__file__).with_name("clock.c")


class Clock:
    """What a process believes that the time is.

    Args:
        directory: where the library and the file with the time are put.
        seen: the same directory, as the process names it that believes it.
        off_s: by how much the clock is wrong, seconds.
    """

    def __init__(self, directory: Path, *, seen: Path | None = None, off_s: int = 0) -> None:
        self._directory, self._seen = directory, seen or directory
        directory.mkdir(parents=True, exist_ok=True)
        _compile(directory / "clock.so")
        self.jump(off_s)

    def jump(self, off_s: int) -> None:
        """Set it: wrong by so many seconds from now on."""
        fresh = self._directory / "off.new"
        fresh.write_text(str(off_s))
        fresh.chmod(0o644)
        fresh.replace(self._directory / "off")

    @property
    def environment(self) -> dict[str, str]:
        """What the process has to be started with."""
        return environment(self._seen)


def environment(seen: Path) -> dict[str, str]:
    """What makes a process believe the clock in a directory that it sees so."""
    return {"LD_PRELOAD": str(seen / "clock.so"), "DSMT_TEST_CLOCK": str(seen / "off")}


def _compile(library: Path) -> None:
    if shutil.which("cc") is None:
        if os.environ.get("CI"):
            raise AssertionError("cc is missing (apt-get install gcc libc6-dev)")
        pytest.skip("cc is missing")
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE)]
    subprocess.run(command, check=True, capture_output=True)
    library.chmod(0o755)
