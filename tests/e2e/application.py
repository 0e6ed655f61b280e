"""Small applications for the tests, made into real packages by the real rpmgen."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

START = """#!/bin/sh
echo started >>/var/starts
sleep 100000 >/dev/null 2>&1 </dev/null &
echo $! >/var/pid
"""
STATUS = """#!/bin/sh
[ -f /var/pid ] || exit 3
kill -0 "$(cat /var/pid)" 2>/dev/null && echo fine && exit 0
exit 1
"""
STOP = """#!/bin/sh
[ -f /var/pid ] && kill "$(cat /var/pid)" 2>/dev/null
rm -f /var/pid
"""


@dataclass(frozen=True)
class App:
    """An application's scripts; an empty text leaves the script out."""

    name: str = "XYZ"
    version: str = "1.8"
    scripts: dict[str, str] = field(default_factory=dict)

    def packages(self, folder: Path) -> list[Path]:
        """The application's package and its wrapper, in this order, written to ``folder``."""
        scripts = {"start": START, "stop": STOP, "status": STATUS} | self.scripts
        told = tuple((name, text) for name, text in scripts.items() if text)
        paths = []
        for name, content in _made(self.name, self.version, told):
            paths.append(folder / name)
            paths[-1].write_bytes(content)
        return paths


@cache
def _made(name: str, version: str, scripts: tuple[tuple[str, str], ...]) -> list[tuple[str, bytes]]:
    """File name and content of both packages; made once for all tests of this process."""
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        tarball = folder / f"{name}-{version}.tgz"
        _pack(tarball, f"{name}-{version}", scripts)
        command = [sys.executable, "-m", "depot.rpmgen.main", "--installdir", "/usr/local"]
        command += ["--file", str(tarball), "--output", str(folder)]
        for script, _ in scripts:
            command += [f"--{script}", f"/usr/local/{name}/{script}.sh"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        made = sorted(folder.glob("*.rpm"), key=lambda path: path.name.startswith("dsmtw_"))
        return [(path.name, path.read_bytes()) for path in made]


def _pack(tarball: Path, top: str, scripts: tuple[tuple[str, str], ...]) -> None:
    with tarfile.open(tarball, "w:gz") as archive:
        for name, text in scripts:
            member = tarfile.TarInfo(f"{top}/{name}.sh")
            member.mode, member.size = 0o755, len(text.encode())
            archive.addfile(member, BytesIO(text.encode()))
