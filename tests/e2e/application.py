"""Small applications for the tests, made into real packages by the real rpmgen."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

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
        """The application's package and its wrapper, in this order."""
        scripts = {"start": START, "stop": STOP, "status": STATUS} | self.scripts
        scripts = {name: text for name, text in scripts.items() if text}
        tarball = folder / f"{self.name}-{self.version}.tgz"
        self._pack(tarball, scripts)
        command = [sys.executable, "-m", "depot.rpmgen.main", "--installdir", "/usr/local"]
        command += ["--file", str(tarball), "--output", str(folder)]
        for name in scripts:
            command += [f"--{name}", f"/usr/local/{self.name}/{name}.sh"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        made = [path for path in folder.glob("*.rpm") if f"{self.name}-{self.version}" in path.name]
        return sorted(made, key=lambda path: path.name.startswith("dsmtw_"))

    def _pack(self, tarball: Path, scripts: dict[str, str]) -> None:
        with tarfile.open(tarball, "w:gz") as archive:
            for name, text in scripts.items():
                member = tarfile.TarInfo(f"{self.name}-{self.version}/{name}.sh")
                member.mode, member.size = 0o755, len(text.encode())
                archive.addfile(member, BytesIO(text.encode()))
