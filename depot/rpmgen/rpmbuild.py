"""Runs the real ``rpmbuild``, in a private directory, so that the same input gives the same bytes.

Rule of this file: nothing of this machine or of the moment enters a package: not its name, the time,
the user's macros, the environment. One build has a limit of time, and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from depot.rpmgen.recipe import Recipe, spec_text
from dsmt_core.errors import DeadlinePassed, DsmtError, Unavailable

BUILD_S: Final = 900.0
_TOLD_BYTES: Final = 1 << 16

_FIXED: Final = {
    "_rpmfilename": "built.rpm",
    "_buildhost": "localhost",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
    # gzip: every rpm and every Python can read it.
    "_binary_payload": "w6.gzdio",
    "_binary_filedigest_algorithm": "8",
    "vendor": "%{nil}",
    "packager": "%{nil}",
    "distribution": "%{nil}",
}


def find_rpmbuild() -> str:
    """The path of ``rpmbuild``.

    Raises:
        Unavailable: it is not installed.
    """
    found = shutil.which("rpmbuild")
    if not found:
        raise Unavailable(
            "rpmbuild is not installed, and rpmgen needs it",
            hint="on Debian and Ubuntu: sudo apt-get install rpm; on Fedora: sudo dnf install rpm-build",
        )
    return found


def build(recipe: Recipe, root: Path, work: Path) -> Path:
    """Build one package.

    Args:
        recipe: what it is.
        root: its files, below a directory that stands for ``/``.
        work: an existing directory of this build alone.

    Returns:
        The package, in ``work``.

    Raises:
        Unavailable: rpmbuild is missing.
        DeadlinePassed: it took more than `BUILD_S` seconds.
        DsmtError: rpmbuild refused; with its own words.
    """
    program = find_rpmbuild()
    for name in ("SOURCES", "SPECS", "RPMS", "BUILD", "BUILDROOT", "tmp"):
        (work / name).mkdir()
    root.rename(work / "SOURCES" / "root")
    spec = work / "SPECS" / "package.spec"
    spec.write_text(spec_text(recipe), encoding="utf-8")
    defines = {
        **_FIXED,
        "_topdir": str(work),
        "_tmppath": str(work / "tmp"),
        "_dbpath": str(work / "tmp"),
    }
    command = [program, "-bb", "--quiet", "--target", recipe.arch]
    for name, value in defines.items():
        command += ["--define", f"{name} {value}"]
    _run([*command, str(spec)], work, recipe.built_at)
    return work / "RPMS" / "built.rpm"


def _run(command: list[str], work: Path, built_at: int) -> None:
    told = work / "told"
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(work),
        "LC_ALL": "C.UTF-8",
        # rpm takes 0 for "not set".
        "SOURCE_DATE_EPOCH": str(max(1, built_at)),
    }
    with told.open("wb") as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=work,
                timeout=BUILD_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeadlinePassed(f"rpmbuild did not end within {BUILD_S:.0f} s") from None
    if done.returncode:
        raise DsmtError(
            f"rpmbuild failed: {_reason(told)}", hint="is the disk full, or the architecture unknown?"
        )


def _reason(told: Path) -> str:
    with told.open("rb") as file:
        lines = file.read(_TOLD_BYTES).decode(errors="replace").splitlines()
    telling = [line.strip() for line in lines if line.strip()]
    errors = [line for line in telling if line.startswith("error:")]
    return (errors or telling or ["it did not say why"])[0].removeprefix("error:").strip()
