"""A container engine of the test's own, and an image without a C library: busybox, which needs none."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.integration.broker.container_engine import ContainerEngine

IMAGE: Final = "localhost/dsmt-test-busybox:1"
PROGRAMS: Final = ("podman", "runc", "busybox")
# What the contract's scripts call; busybox does it all by the name it is called.
_APPLETS: Final = (
    *("sh", "awk", "cat", "chmod", "chown", "echo", "env", "grep", "head", "hostname", "httpd", "id"),
    *("kill", "ln", "ls", "mkdir", "nc", "ps", "rm", "rmdir", "setsid", "sleep", "sort", "stat", "tail"),
    *("touch", "tr", "true", "uname", "wc", "wget", "yes"),
)


def missing() -> list[str]:
    """What this machine lacks for it."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


def tree(folder: Path) -> Path:
    """A root file system with busybox only, below ``folder``."""
    (folder / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "/bin/busybox", folder / "bin" / "busybox")
    for applet in _APPLETS:
        (folder / "bin" / applet).symlink_to("busybox")
    return folder


class ImageEngine(ContainerEngine):
    """Podman's service with images of busybox."""

    @property
    def socket(self) -> Path:
        """Where it serves."""
        return Path(self.url.removeprefix("unix://"))

    def make(self, name: str, *changes: str, files: dict[str, str] | None = None) -> None:
        """Make the image ``name``.

        Args:
            name: with a tag.
            changes: lines of a Dockerfile, such as ``CMD ["/bin/sleep", "1"]``.
            files: path → text, with the rights of a program.
        """
        folder = self._folder / "made"
        shutil.rmtree(folder, ignore_errors=True)
        tree(folder)
        for path, text in (files or {}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
            (folder / path).chmod(0o755)
        with tarfile.open(self._folder / "made.tar", "w") as archive:
            archive.add(folder, arcname=".", filter=_of_root)
        options = [option for change in changes for option in ("--change", change)]
        self.run("import", *options, str(self._folder / "made.tar"), name)


@contextmanager
def running() -> Iterator[ImageEngine]:
    """An engine with the image `IMAGE`; the test is left out where it cannot be, but not in CI."""
    lacking = missing()
    if lacking and not os.environ.get("CI"):
        pytest.skip(f"missing: {', '.join(lacking)}; apt-get install podman runc busybox-static")
    assert not lacking
    # Not pytest's: podman takes no directory of a longer name than 50 characters.
    with tempfile.TemporaryDirectory(prefix="dsmt-") as folder:
        made = ImageEngine(Path(folder))
        made.start()
        try:
            made.make(IMAGE)
            yield made
        finally:
            made.end()


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    return entry
