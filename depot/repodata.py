"""Describes packages so that dnf and yum can use them: a program of its own, ``python -m depot.repodata``.

Rule of this file: createrepo_c reads files that strangers made, in C. So it is loaded in a process that
lives for one question, has limits of memory and time, and whose end is nobody else's.

Asked on stdin with ``{"packages": [{"path", "filename"}]}``, it answers on stdout with
``{"files": {name: base64}, "left_out": [filename]}``: the files of ``repodata``.
"""

from __future__ import annotations

import base64
import json
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

MEMORY_BYTES: Final = 2 << 30
CPU_S: Final = 300
FILE_BYTES: Final = 512 << 20
# Where the packages lie beside ``repodata``.
PACKAGES: Final = "packages"


def main() -> None:
    """Answer one question."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    asked = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="dsmt-repodata-") as directory:
        json.dump(described(asked["packages"], Path(directory)), sys.stdout)


def described(packages: list[dict[str, str]], directory: Path) -> dict[str, Any]:
    """The files that describe ``packages``, made in an empty directory."""
    import createrepo_c  # noqa: PLC0415 - within the limits

    read, left_out = [], []
    for one in packages:
        try:
            package = createrepo_c.package_from_rpm(one["path"], createrepo_c.SHA256)
        except createrepo_c.CreaterepoCError:
            left_out.append(one["filename"])
            continue
        package.location_href = f"{PACKAGES}/{one['filename']}"
        read.append(package)
    writer = createrepo_c.RepositoryWriter(
        str(directory), num_packages=len(read), unique_md_filenames=True, compression=createrepo_c.GZ
    )
    for package in read:
        writer.add_pkg(package)
    writer.finish()
    files = {
        path.name: base64.b64encode(path.read_bytes()).decode()
        for path in (directory / "repodata").iterdir()
    }
    return {"files": files, "left_out": left_out}


if __name__ == "__main__":
    main()
