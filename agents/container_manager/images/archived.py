"""The archive of an image on the node: looked into, and loaded without any name that stands in it.

An archive is written by whoever saved it. Were it loaded as it is, it could give the name of another
slice's image to its own; so the image alone goes to the engine (`dsmt_core.image_archives`), where it is
known by its id.
"""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from agents.container_manager.images.engine import Engine
from dsmt_core.errors import Full, Invalid, Unavailable
from dsmt_core.image_archives import ImageArchive, nameless, read_archive

SPARE_BYTES: Final = 256 << 20
"""What loading leaves free on the disk, at least."""
# What else a machine runs.
_ALSO: Final = {
    "x86_64": ("i386",),
    "aarch64": ("armv7hl",),
    "armv7l": ("armv7hl",),
    "armv8l": ("armv7hl",),
}


class Archived:
    """An archive in which the image ``reference`` is; open within ``with``.

    Args:
        archive: the file.
        reference: ``sha256:…``, the image's id.

    Raises:
        Invalid: it is not in there, or for another kind of machine.
        Unavailable: the file cannot be read.
    """

    def __init__(self, archive: Path, reference: str) -> None:
        try:
            self._file = archive.open("rb")
            self._size = archive.stat().st_size
        except OSError as error:
            raise Unavailable(f"the archive of the image cannot be read: {error.strerror}") from error
        self._directory = archive.parent
        try:
            self._archive = self._checked(reference)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def load(self, engine: Engine) -> None:
        """Have the engine take the image in.

        Raises:
            Full: the disk has no room for it.
            Unavailable: the engine does not take it.
        """
        if shutil.disk_usage(self._directory).free < self._size + SPARE_BYTES:
            raise Full("the disk of the node has no room for the image")
        written, size = nameless(self._file, self._archive)
        engine.load(written, size)

    def _checked(self, reference: str) -> ImageArchive:
        archive = read_archive(self._file, self._size)
        if archive is None or archive.reference != reference:
            raise Invalid("the archive that came with the image's package has another image, or none")
        here = platform.machine()
        if archive.machine not in {here, *_ALSO.get(here, ())}:
            raise Invalid(
                f"the image is for {archive.machine}, and this node is {here}",
                hint="save the image of the other machine",
            )
        return archive
