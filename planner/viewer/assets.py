"""What the page brings from other projects: fetched once from the npm registry, checked, never kept in git.

`assets.json` names each package with its version, the digest of its archive, and the files that are served.
Run as a file (``python planner/viewer/assets.py``) it fetches what is missing; a build does the same. It
uses nothing but the standard library: a build has nothing else. ``DSMT_NPM_REGISTRY`` names a mirror.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
FETCHED: Final = HERE / "fetched"
"""Where they are served from; git knows nothing of it."""
_PINNED: Final = HERE / "assets.json"
_STAMP: Final = "fetched.sha512"
_REGISTRY: Final = "https://registry.npmjs.org"
_TIMEOUT_S: Final = 30
_MOST_BYTES: Final = 16 << 20


class NotFetched(Exception):
    """A package could not be had, or is not what was pinned."""


def fetch(target: Path = FETCHED, *, registry: str = "") -> bool:
    """Fetch what is missing; False when all was there.

    Args:
        target: the folder; replaced as a whole, so that half of it is never served.
        registry: of npm; by default ``DSMT_NPM_REGISTRY``, or the public one.

    Raises:
        NotFetched: the registry does not answer, or an archive is not the one that was pinned.
    """
    pinned = _PINNED.read_bytes()
    stamp = hashlib.sha512(pinned).hexdigest()
    if _read(target / _STAMP) == stamp:
        return False
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        for one in json.loads(pinned):
            _unpack(_archive(one, registry or os.environ.get("DSMT_NPM_REGISTRY") or _REGISTRY), one, draft)
        (draft / _STAMP).write_text(stamp)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def check(archive: bytes, integrity: str) -> None:
    """Return if an archive is the one that was pinned.

    Args:
        archive: its bytes.
        integrity: ``sha512-`` and the digest in base64, as npm writes it.

    Raises:
        NotFetched: it is another one.
    """
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != integrity:
        raise NotFetched(f"its digest is {found}, and {integrity} was pinned")


def _archive(one: dict[str, Any], registry: str) -> bytes:
    name, version = one["package"], one["version"]
    url = f"{registry.rstrip('/')}/{name}/-/{name}-{version}.tgz"
    if not url.startswith(("https://", "http://")):
        raise NotFetched(f"{registry} is no URL of a registry")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - checked above
            archive: bytes = answer.read(_MOST_BYTES)
        check(archive, one["integrity"])
    except (OSError, urllib.error.URLError, ValueError) as error:
        raise NotFetched(f"{url} cannot be had: {error}") from error
    except NotFetched as error:
        raise NotFetched(f"{url} is not what it was: {error}") from error
    return archive


def _unpack(archive: bytes, one: dict[str, Any], target: Path) -> None:
    """Write the files that are served; nothing else of an archive is looked at."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        for name in one["files"]:
            try:
                content = members.extractfile(f"package/{name}")
            except KeyError:
                content = None
            if content is None:
                raise NotFetched(f"{one['package']} has no file {name}")
            path = target / one["package"] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def main() -> int:
    """Fetch, and say in a line what was done; without them the planner works, so that is no error."""
    try:
        if fetch():
            sys.stderr.write(f"assets of DSMTViewer: fetched into {FETCHED}\n")
    except NotFetched as error:
        sys.stderr.write(f"assets of DSMTViewer: {error}\n")
        sys.stderr.write(
            "  the planner works; its page /view/ says what is missing until this file is run again\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
