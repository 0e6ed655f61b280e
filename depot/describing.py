"""``python -m depot.describing FILE``: what a package says about itself, as the depot would read it.

For whoever signs a package: a publisher's statement rests on the file at hand, not on what a depot says of
it. The answer is one line of JSON, or an error in one line and the code of its kind.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from depot.package import Package
from depot.reading import inspect
from dsmt_core.errors import DsmtError, Invalid


def described(path: Path) -> Package:
    """A package in a file.

    Raises:
        Invalid: it is none, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        return Package(digest, size, inspect(path))
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error


def main(arguments: list[str]) -> int:
    """The program."""
    try:
        sys.stdout.write(f"{json.dumps(described(Path(arguments[0])).record())}\n")
    except DsmtError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
