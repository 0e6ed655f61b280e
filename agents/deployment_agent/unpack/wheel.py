"""Wheels into a virtual environment, by pip, which gets nothing from elsewhere."""

from __future__ import annotations

import email.message
import email.parser
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dsmt_core.errors import DsmtError, Invalid

_TEXT_BYTES: Final = 1 << 20
_PIP_S: Final = 240.0
_WORD: Final = re.compile(r"[A-Za-z0-9_.+!-]+\Z")


def install(into: Path, packages: Sequence[Path]) -> None:
    """Make the environment ``into`` with these wheels, the last of which is the application.

    It is made where it is to stay: the first line of each of its programs names it.

    Raises:
        Invalid: a wheel cannot be read, does not fit this machine, or needs what is not there.
        DsmtError: pip failed otherwise.
    """
    shutil.rmtree(into, ignore_errors=True)
    try:
        venv.create(into, symlinks=True, with_pip=False)
        with tempfile.TemporaryDirectory(dir=into) as beside:
            # pip takes what a wheel is from its file's name.
            named = [_linked(Path(beside), package) for package in packages]
            _pip(into, named)
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise


def _pip(into: Path, wheels: Sequence[Path]) -> None:
    argv = [sys.executable, "-I", "-m", "pip", "--python", str(into / "bin" / "python"), "--isolated"]
    argv += ["install", "--no-index", "--no-cache-dir", "--disable-pip-version-check", "--no-input"]
    argv += ["--quiet", "--root-user-action=ignore", *map(str, wheels)]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=_PIP_S, check=False)
    if ran.returncode == 0:
        return
    told = [line.removeprefix("ERROR: ") for line in ran.stderr.splitlines() if line.startswith("ERROR: ")]
    missing = next((line for line in told if line.startswith("Could not find a version")), "")
    unfit = next((line for line in told if "not a supported wheel" in line), "")
    if missing or unfit:
        raise Invalid((missing.partition(" (from versions")[0] or unfit)[:300])
    raise DsmtError(f"pip failed: {(told or ran.stderr.splitlines() or ['it said nothing'])[-1][:300]}")


def _linked(beside: Path, package: Path) -> Path:
    """The wheel under the name that its content gives it."""
    try:
        with zipfile.ZipFile(package) as archive:
            top = next(name for name in archive.namelist() if name.endswith(".dist-info/WHEEL"))
            about = _headers(archive, top)
            metadata = _headers(archive, top.replace("/WHEEL", "/METADATA"))
    except (zipfile.BadZipFile, StopIteration, KeyError, EOFError, OSError) as error:
        raise Invalid("the wheel cannot be read") from error
    tags = [tag.split("-") for tag in about.get_all("Tag") or []]
    if not tags or not all(len(tag) == 3 for tag in tags):
        raise Invalid("the wheel has no tags")
    joined = (".".join(dict.fromkeys(column)) for column in zip(*tags, strict=True))
    name = re.sub(r"[-_.]+", "_", str(metadata["Name"])).lower()
    words = [name, str(metadata["Version"]), *joined]
    if not all(map(_WORD.match, words)):
        raise Invalid("the wheel's name, version or tags are not legal")
    link = beside / f"{'-'.join(words)}.whl"
    link.symlink_to(package)
    return link


def _headers(archive: zipfile.ZipFile, name: str) -> email.message.Message:
    with archive.open(name) as content:
        text = content.read(_TEXT_BYTES).decode(errors="replace")
    return email.parser.Parser().parsestr(text, headersonly=True)
