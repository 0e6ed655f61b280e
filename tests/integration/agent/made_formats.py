"""Debian packages made by the real dpkg-deb, and wheels as a build tool makes them."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

PROGRAM = """
import os, time
def main():
    open("/app/started", "w").write(__import__("{module}").WORD)
    time.sleep(1000)
"""


def deb(  # noqa: PLR0913 - what a package may have
    directory: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    control: str = "",
    scripts: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
) -> Path:
    """``NAME_VERSION.deb`` with these files (all of them executable) and maintainer scripts."""
    tree = directory / f"{name}-{version.replace(':', '_')}"
    (tree / "DEBIAN").mkdir(parents=True)
    lines = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@b.c>\n"
    (tree / "DEBIAN" / "control").write_text(f"{lines}{control}Description: made for a test\n")
    made = {f"DEBIAN/{script}": text for script, text in (scripts or {}).items()}
    for path, text in {**files, **made}.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
        (tree / path).chmod(0o755)
    for path, target in (links or {}).items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).symlink_to(target)
    package = directory / f"{name}_{version.replace(':', '_')}.deb"
    argv = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(package)]
    subprocess.run(argv, check=True, capture_output=True)
    return package


def wheel(  # noqa: PLR0913 - what a package may have
    directory: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    requires: tuple[str, ...] = (),
    console: str = "",
) -> Path:
    """``NAME-VERSION-py3-none-any.whl``; ``console`` is the function that a program of its name calls."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if console:
        whole[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name} = {console}\n"
    package = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(package, "w") as archive:
        for path, text in whole.items():
            archive.writestr(path, text)
        record = "".join(f"{path},,\n" for path in [*whole, f"{info}/RECORD"])
        archive.writestr(f"{info}/RECORD", record)
    return package
