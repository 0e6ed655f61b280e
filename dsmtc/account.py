"""Who acts, and where the planner is: flags, then the environment, then the files in ``~/.dsmt``.

The account file is the guide's, of three lines (``account:``, ``password:`` or ``key:``, ``role:``). A file
that others may read is refused, not repaired: its password may already be known.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsmt_core.errors import Denied, Invalid, NotFound
from dsmtc.client import DEFAULT_PLANNER
from dsmtc.commandline import Common

FILE_BYTES: Final = 16 << 10
_KEYS: Final = ("account", "password", "role", "key")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Identity:
    """An account with what is known of it; empty where nothing is."""

    account: str = ""
    password: str = ""
    role: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one person's settings: ``DSMT_HOME``, else ``~/.dsmt``."""

    folder: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Home:
        """The folder that the environment names."""
        named = environment.get("DSMT_HOME")
        return cls(Path(named) if named else Path(environment.get("HOME") or "/") / ".dsmt")

    @property
    def account(self) -> Path:
        """The account file."""
        return self.folder / "account"

    @property
    def planner(self) -> Path:
        """One line: the URL of the planner."""
        return self.folder / "planner"

    @property
    def authority(self) -> Path:
        """Certificates (PEM) of the authorities that planners' certificates may be of."""
        return self.folder / "authority.pem"

    @property
    def tokens(self) -> Path:
        """Tokens of earlier logins."""
        return self.folder / "tokens.json"

    @property
    def history(self) -> Path:
        """What was typed in the shell."""
        return self.folder / "history"


def parse(text: str, *, place: str) -> Identity:
    """Read an account file. No error repeats a line of it: any could be the password.

    Raises:
        Invalid: a line is not one of the three, one is there twice, or ``account`` is missing.
    """
    read: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not line.strip():
            continue
        if not colon or key not in _KEYS or key in read:
            raise Invalid(
                f"line {number} of {place} is not understood",
                hint="lines, each once: account: NAME, password: PASSWORD (or key: FILE), role: ROLE",
            )
        read[key] = value.strip()
    if not read.get("account"):
        raise Invalid(f"{place} names no account", hint="a line such as account: me@example.com")
    return Identity(
        read["account"], read.get("password", ""), read.get("role", "").lower(), read.get("key", "")
    )


def read_account(path: Path, *, asked_for: bool) -> Identity:
    """The identity in an account file; an empty one when there is no file and none was asked for.

    Raises:
        Denied: group or others may touch it, or it belongs to somebody else.
        NotFound, Invalid: it is not there, or not understood.
    """
    text = read_secret(path)
    if text is None:
        if asked_for:
            raise NotFound(f"there is no account file {path}")
        return Identity()
    return parse(text, place=str(path))


def read_secret(path: Path) -> str | None:
    """A small private file as text; None when it is not there.

    Raises:
        Denied: group or others may touch it, or it belongs to somebody else.
        Invalid: it cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            # Of the open file, so that it cannot be exchanged between the check and the reading.
            _check_private(os.fstat(file.fileno()), path)
            data = file.read(FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > FILE_BYTES:
        raise Invalid(f"{path} is longer than {FILE_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Invalid(f"{path} is not text") from None


def choose_identity(
    common: Common, environment: Mapping[str, str], file: Identity, remembered: Identity, actor: str
) -> Identity:
    """Who acts: flag before environment before file before the last ``dsmtc login``.

    A password or role belongs to the account beside it, and is never used for another one.
    """
    outside = environment.get("DSMT_ACCOUNT", "")
    account = actor or outside or file.account or remembered.account
    beside = next((known for known in (file, remembered) if known.account == account), Identity())
    shell = environment if account == outside or not outside else {}
    return Identity(
        account,
        common.password or shell.get("DSMT_PASSWORD") or beside.password,
        common.role or shell.get("DSMT_ROLE", "").lower() or beside.role,
        common.key or _key(common, shell, beside),
    )


def _key(common: Common, shell: Mapping[str, str], beside: Identity) -> str:
    """The key that is meant, unless a password is said more plainly."""
    if common.password or common.password_file:
        return ""
    return shell.get("DSMT_KEY", "") or ("" if shell.get("DSMT_PASSWORD") else beside.key)


def choose_planner(common: Common, environment: Mapping[str, str], home: Home) -> str:
    """The URL of the planner.

    Raises:
        Invalid: the file ``planner`` cannot be read.
    """
    return common.planner or environment.get("DSMT_PLANNER") or _first_line(home.planner) or DEFAULT_PLANNER


def _first_line(path: Path) -> str:
    try:
        with path.open() as file:
            return file.readline(FILE_BYTES).strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from error


def _check_private(status: os.stat_result, path: Path) -> None:
    if status.st_uid not in {os.geteuid(), 0}:
        raise Denied(f"{path} belongs to another user", hint="make one of your own")
    if stat.S_ISREG(status.st_mode) and status.st_mode & _OTHERS:
        raise Denied(
            f"{path} holds a password and others may read it (mode {status.st_mode & 0o777:03o})",
            hint=f"chmod 600 {path}",
        )
