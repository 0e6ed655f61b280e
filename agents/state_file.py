"""State that survives a power cut: one JSON object a file, written whole or not at all.

A file is written beside its place, flushed, renamed over it, and its directory flushed, so a reader sees
the old content or the new. A digest inside tells a file that was torn all the same (a disk that lies, a
hand that edits); such a file is moved aside to ``NAME.torn-<n>`` and the reader is told why, because
half a state is worse than none.

The files may lie in a directory that a sliver writes to: nothing here follows a symbolic link.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DIGEST: Final = "sha256"
# 200 applications, each with a configuration of 8 KiB before and after, as JSON at its longest.
STATE_BYTES: Final = 16 << 20
TORN_KEPT: Final = 4
_TEMPORARY: Final = ".new"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a state file holds.

    Attributes:
        value: the object without its digest; None when there is none to trust.
        reason: why there is none, one plain line; empty when the file does not exist.
    """

    value: dict[str, Any] | None
    reason: str = ""


def save(
    path: Path, value: Mapping[str, Any], *, mode: int = 0o600, owner: tuple[int, int] | None = None
) -> None:
    """Replace ``path`` by ``value``; afterwards it survives a power cut.

    Args:
        path: where; its directory exists.
        value: plain JSON values; the key ``sha256`` is reserved.
        mode: permissions of the file.
        owner: uid and gid that it is given to.

    Raises:
        OSError: the disk is full or the directory is missing; the old content stays.
    """
    # On one line: json indents in Python, by some thousand calls for a small state.
    text = json.dumps({**value, DIGEST: _digest(value)}, sort_keys=True) + "\n"
    temporary = path.with_name(path.name + _TEMPORARY)
    temporary.unlink(missing_ok=True)
    try:
        _write(temporary, text.encode(), mode=mode, owner=owner)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _flush_directory(path.parent)


def load(path: Path) -> Loaded:
    """Read what `save` wrote; a torn file is moved aside and reported, never raised."""
    try:
        text = _read(path)
    except FileNotFoundError:
        return Loaded(None)
    except OSError as error:
        # What is no file, where one is to be, would be in the way of the next that is written.
        misplaced = error.errno in {errno.EISDIR, errno.ELOOP, errno.ENXIO}
        moved = f"; moved aside to {set_aside(path)}" if misplaced else ""
        return Loaded(None, f"{path.name} cannot be read: {error.strerror}{moved}")
    value, flaw = _checked(text)
    if value is None:
        return Loaded(None, f"{path.name} is torn ({flaw}); moved aside to {set_aside(path)}")
    return Loaded(value)


def remove(path: Path) -> None:
    """Delete a state file for good; one that is not there is no error."""
    path.unlink(missing_ok=True)
    _flush_directory(path.parent)


def _digest(value: Mapping[str, Any]) -> str:
    plain = json.dumps({k: v for k, v in value.items() if k != DIGEST}, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _write(path: Path, content: bytes, *, mode: int, owner: tuple[int, int] | None) -> None:
    # O_EXCL refuses a link that somebody laid here.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(descriptor, mode)
        if owner is not None:
            os.fchown(descriptor, *owner)
        os.fsync(descriptor)


def _read(path: Path) -> bytes:
    # O_NONBLOCK: a pipe laid in the place of the file must not hold the reader.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(STATE_BYTES + 1)


def _checked(text: bytes) -> tuple[dict[str, Any] | None, str]:
    if len(text) > STATE_BYTES:
        return None, f"longer than {STATE_BYTES} bytes"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None, "not JSON"
    if not isinstance(value, dict):
        return None, "not an object"
    if value.pop(DIGEST, "") != _digest(value):
        return None, "its digest differs"
    return value, ""


def set_aside(path: Path) -> str:
    """Keep a file that is not to be trusted for whoever wants to look; returns its new name.

    The last place is used again and again.
    """
    for number in range(1, TORN_KEPT + 1):
        aside = path.with_name(f"{path.name}.torn-{number}")
        if not os.path.lexists(aside) or number == TORN_KEPT:
            with contextlib.suppress(OSError):
                path.replace(aside)
            return aside.name
    return path.name


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
