"""What broken uploads left: a file for each digest and whose it is, gone on with by one at a time.

Rule of this file: a part belongs to who began it; it waits a day, less when the room is needed.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from pathlib import Path
from typing import Final

PART_S: Final = 86_400.0
_NAME: Final = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{16}\.part\Z")


class Parts:
    """The parts in a directory. Blocking; safe from several threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._guard = threading.Lock()
        self._taken: set[Path] = set()

    def take(self, digest: str, scope: str) -> Path | None:
        """Have the part alone until `give_back`; None when somebody has it."""
        path = self._place(digest, scope)
        with self._guard:
            if path in self._taken:
                return None
            self._taken.add(path)
            return path

    def give_back(self, path: Path) -> None:
        """Somebody else may have it."""
        with self._guard:
            self._taken.discard(path)

    def received(self, digest: str, scope: str) -> int:
        """How many bytes of it came; 0 while somebody is sending it."""
        path = self._place(digest, scope)
        with self._guard:
            return path.stat().st_size if path not in self._taken and path.is_file() else 0

    def sweep(self, *, older_than: float = PART_S) -> int:
        """Remove the parts that waited longer, and nobody has; the bytes that they had."""
        freed, now = 0, time.time()
        with self._guard:
            for path in self._directory.iterdir():
                if self.is_part(path) and path not in self._taken:
                    stat = path.lstat()
                    if abs(now - stat.st_mtime) > older_than or not older_than:
                        path.unlink()
                        freed += stat.st_size
        return freed

    @staticmethod
    def is_part(path: Path) -> bool:
        """Whether it is a file of the kind that is kept."""
        return bool(_NAME.match(path.name)) and path.is_file() and not path.is_symlink()

    def _place(self, digest: str, scope: str) -> Path:
        return self._directory / f"{digest}.{hashlib.sha256(scope.encode()).hexdigest()[:16]}.part"
