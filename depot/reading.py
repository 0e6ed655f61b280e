"""What a file is, by its content: an RPM, a tarball with a start script, or nothing that can be installed.

Rule of this file: the name of a file is never asked. What leaves it is legal for everybody who reads
it later: a name or a version with a space in it stops here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from depot import naming
from depot.package import Said
from depot.rpm_file import MAGIC, RpmFile, read_rpm
from depot.tarball import survey
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.names import application
from dsmt_core.packages import Version, wrapped_application

SCRIPTS_DIRECTORY: Final = "/opt/dsmt"
_START: Final = "start.sh"
_SCRIPTS: Final = ("start", "stop", "status")
# As many as the planner's database has room for (`planner.store.tables`).
_TEXT_BYTES: Final = 128
_ARCH_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")
_ARCH: Final = re.compile(r"[a-z0-9_]+\Z")
_VERSION: Final = re.compile(r"[A-Za-z0-9_.+~^]+\Z")
_CAPABILITY: Final = re.compile(r"[!-~]+(?: (?:[<>]=?|=) (?:[0-9]+:)?[!-9;-~]+)?\Z")
_HINT: Final = "a package is an RPM, or a tarball of application-version/ with a start.sh in it"


def inspect(path: Path) -> Said:
    """What the file at ``path`` says about itself, after all of it was read and checked.

    Raises:
        Invalid: it is not a package, or damaged; the sentence says which.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise Invalid("the file is empty, so it is not a package", hint=_HINT)
        is_rpm = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        try:
            return _rpm(read_rpm(file)) if is_rpm else _tar(file, path.stat().st_size)
        except DsmtError as error:
            what = "the RPM cannot be used" if is_rpm else "the file is not a package"
            raise Invalid(f"{what}: {error}", hint=error.hint or _HINT) from error


def _rpm(read: RpmFile) -> Said:
    version = Version(read.epoch, read.version, read.release)
    check_words(read)
    return Said(
        kind="rpm",
        name=read.name,
        version=str(version),
        arch=read.arch,
        # Alternatives, as "(a or b)", are rpm's business on the node: no single package answers them.
        requires=_capabilities(text for text in read.requires if not text.startswith("(")),
        provides=_capabilities(read.provides),
        application=_application(read),
    )


def _tar(file: BinaryIO, size: int) -> Said:
    contents = survey(file, size)
    names = naming.names_of(contents.top)
    mode = contents.mode_of(_START)
    if mode is None:
        raise Invalid(f"there is no {contents.top}/{_START} in it")
    if not mode & 0o111:
        raise Invalid(f"{contents.top}/{_START} is not executable", hint="chmod 755 start.sh")
    machines = sorted(contents.machines)
    return Said(
        kind="tar",
        name=names.application,
        version=names.version,
        arch=machines[0] if len(machines) == 1 else "noarch",
        application=names.application,
    )


def _application(read: RpmFile) -> str:
    """The application whose scripts it carries: a wrapper, or a package that has all three itself."""
    if wrapped := wrapped_application(read.name):
        return wrapped
    if all(f"{SCRIPTS_DIRECTORY}/{read.name}/{script}" in read.files for script in _SCRIPTS):
        return application(read.name)
    return ""


def check_words(read: RpmFile) -> None:
    """Check that name, version, release and architecture are words as rpm allows them.

    rpm itself writes nothing else; but a header can be made by hand, and these words go on into file
    names, and into the spec file of a wrapper, where ``%(…)`` would be a command.

    Raises:
        Invalid: one is not.
    """
    legal = (
        _NAME.match(read.name)
        and _VERSION.match(read.version)
        and _VERSION.match(read.release)
        and _ARCH.match(read.arch)
    )
    if not legal:
        raise Invalid("its name, version, release or architecture has characters that rpm does not allow")
    version = str(Version(read.epoch, read.version, read.release))
    if max(len(read.name), len(version)) > _TEXT_BYTES or len(read.arch) > _ARCH_BYTES:
        raise Invalid(
            "its name, version or architecture is too long",
            hint=f"at most {_TEXT_BYTES} characters, release and epoch counted; {_ARCH_BYTES} of the last",
        )


def _capabilities(texts: Iterable[str]) -> tuple[str, ...]:
    found = tuple(texts)
    for text in found:
        if not _CAPABILITY.match(text):
            raise Invalid(f"it requires or provides {text[:80]!r}, which is not legal")
    return found
