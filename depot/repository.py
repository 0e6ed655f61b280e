"""Has a repository described in a process of its own (`depot.repodata`), one at a time."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final

from depot.store import Store
from dsmt_core.errors import DeadlinePassed, Invalid, NotFound, Unavailable
from dsmt_core.packages import package_filename

DESCRIBE_S: Final = 300.0
MOST: Final = 20_000


class Repository:
    """Describes packages of the store.

    Args:
        store: where they lie.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._one = asyncio.Lock()

    async def described(self, packages: Any) -> dict[str, Any]:
        """The files of ``repodata`` for packages.

        Args:
            packages: a list of ``{"filename", "digest"}``.

        Raises:
            Invalid: it is not such a list.
            Unavailable, DeadlinePassed: the files could not be made.
        """
        asked = await asyncio.to_thread(self._found, packages)
        async with self._one:
            return await _asked({"packages": asked})

    def _found(self, packages: Any) -> list[dict[str, str]]:
        try:
            if len(packages) > MOST:
                raise Invalid(f"a repository has at most {MOST} packages")
            named = [(package_filename(str(one["filename"])), str(one["digest"])) for one in packages]
        except (TypeError, KeyError) as error:
            raise Invalid("it is not a list of packages") from error
        found = []
        for filename, digest in named:
            try:
                found.append({"filename": filename, "path": str(self._store.path(digest).absolute())})
            except NotFound:
                # Removed meanwhile: the next description is without it anyway.
                continue
        return found


async def _asked(question: dict[str, Any]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "depot.repodata"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DESCRIBE_S):
            told, trouble = await process.communicate(json.dumps(question).encode())
    except TimeoutError:
        raise DeadlinePassed(f"the packages were not described within {DESCRIBE_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = trouble.decode(errors="replace").strip().splitlines()
        raise Unavailable(
            f"the packages could not be described: {said[-1] if said else f'exit {process.returncode}'}"
        )
    answer: dict[str, Any] = await asyncio.to_thread(json.loads, told)
    return answer
