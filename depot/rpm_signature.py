"""An RPM's own signature, as rpm judges it: with a keyring made for one question, never the machine's.

Rule of this file: only rpm's word for each signature counts, and a word that is not known is no "OK".
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from dsmt_core.errors import DeadlinePassed, Invalid, Unavailable

KEY_BYTES: Final = 1 << 16
_KEY: Final = re.compile(
    r"\s*-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n.*-----END PGP PUBLIC KEY BLOCK-----\s*\Z", re.DOTALL
)
_IMPORT_S: Final = 20.0
_CHECK_S: Final = 300.0
_SAID: Final = re.compile(r"^\s+(?:.* )?[Ss]ignature\b(?P<what>.*): (?P<word>[A-Z]+)\b.*$", re.MULTILINE)


class Verdict(StrEnum):
    """What rpm says of the signatures of an RPM.

    Attributes:
        GOOD: one is of the keys, and none is broken.
        UNSIGNED: there is none.
        UNKNOWN: none is of the keys.
        BROKEN: one of them is not of what it says.
    """

    GOOD = "good"
    UNSIGNED = "unsigned"
    UNKNOWN = "unknown"
    BROKEN = "broken"


def judged(path: Path, keys: Sequence[str] = ()) -> Verdict:
    """Have rpm look at the signatures of an RPM.

    Args:
        path: of the RPM.
        keys: OpenPGP public keys, armoured; those of the machine do not count.

    Raises:
        Invalid: a key is none.
        Unavailable: there is no rpm here.
        DeadlinePassed: it took too long.
    """
    with TemporaryDirectory(prefix="dsmt-rpm-") as folder:
        home = Path(folder)
        for number, key in enumerate(keys):
            _import(home, home / f"{number}.asc", key)
        done = _rpmkeys(home, ["-v", "--checksig", str(path.absolute())], _CHECK_S)
    words = [found["word"] for found in _SAID.finditer(done.stdout)]
    if "BAD" in words:
        return Verdict.BROKEN
    if not words:
        return Verdict.UNSIGNED
    return Verdict.GOOD if "OK" in words and done.returncode == 0 else Verdict.UNKNOWN


def _import(home: Path, file: Path, key: str) -> None:
    if len(key) > KEY_BYTES or not _KEY.match(key):
        raise Invalid(
            "this is no public key of OpenPGP",
            hint="gpg --armor --export NAME writes one; not a private one",
        )
    file.write_text(key)
    if _rpmkeys(home, ["--import", str(file)], _IMPORT_S).returncode:
        raise Invalid("rpm cannot read this key of OpenPGP", hint="rpmkeys --import FILE says more")


def _rpmkeys(home: Path, words: list[str], within_s: float) -> subprocess.CompletedProcess[str]:
    command = ["rpmkeys", "--dbpath", str(home / "db"), "--define", "_keyring rpmdb", *words]
    # Neither the settings of whoever runs the depot, nor its language.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=within_s, check=False
        )
    except FileNotFoundError:
        raise Unavailable(
            "there is no rpm here to look at signatures with", hint="apt-get install rpm"
        ) from None
    except subprocess.TimeoutExpired:
        raise DeadlinePassed(f"rpm took longer than {within_s:.0f} s") from None
