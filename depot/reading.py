"""What a file is, by its content: package of an application or agent, root file system, image.

Rule of this file: the name of a file is never asked. What leaves it is legal for everybody who reads
it later: a name or a version with a space in it stops here.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from depot import deb_file, naming, wheel_file
from depot.image_file import read_image, refuse_compressed
from depot.package import Said
from depot.root_file import read_root
from depot.rpm_file import MAGIC, RpmFile, read_rpm
from depot.rpm_signature import Verdict, judged
from depot.tarball import survey
from dsmt_core.agents import KIND, PROGRAM
from dsmt_core.errors import DsmtError, Invalid, Unavailable
from dsmt_core.image_archives import KIND as ARCHIVE
from dsmt_core.image_archives import ImageArchive
from dsmt_core.images import BYTES, HEAD, image_of
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
_DEB_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+\Z")
_DEB_ARCH: Final = re.compile(r"[a-z0-9_-]+\Z")
_DEB_VERSION: Final = re.compile(r"(?:[0-9]+:)?[0-9][A-Za-z0-9.+~-]*\Z")
_WHEEL_VERSION: Final = re.compile(r"[A-Za-z0-9.+]+\Z")
_VERSION: Final = re.compile(r"[A-Za-z0-9_.+~^]+\Z")
_CAPABILITY: Final = re.compile(r"[!-~]+(?: (?:[<>]=?|=) (?:[0-9]+:)?[!-9;-~]+)?\Z")
_HINT: Final = (
    "a package is an RPM, a Debian package, a wheel, or a tarball: application-version/ with a start.sh"
)
_KINDS: Final = (
    (MAGIC, "the RPM"),
    (deb_file.MAGIC, "the Debian package"),
    (wheel_file.MAGIC, "the wheel"),
    (HEAD, "the name of an image"),
)


def inspect(path: Path) -> Said:
    """What the file at ``path`` says about itself, after all of it was read and checked.

    Raises:
        Invalid: it is not a package, or damaged; the sentence says which.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise Invalid("the file is empty, so it is not a package", hint=_HINT)
        head = file.read(len(HEAD))
        file.seek(0)
        what = next((name for magic, name in _KINDS if head.startswith(magic)), "")
        try:
            return _READERS.get(what, _tar)(file, path.stat().st_size)
        except DsmtError as error:
            told = f"{what} cannot be used" if what else "the file is not a package"
            raise Invalid(f"{told}: {error}", hint=error.hint or _HINT) from error


def _rpm(file: BinaryIO, size: int) -> Said:  # noqa: ARG001 - read_rpm bounds itself
    read = read_rpm(file)
    version = Version(read.epoch, read.version, read.release)
    check_words(read)
    if read.is_signed:
        _check_signature(Path(file.name))
    return Said(
        kind="rpm",
        name=read.name,
        version=str(version),
        arch=read.arch,
        # Alternatives, as "(a or b)", are rpm's business on the node: no single package answers them.
        requires=_capabilities(text for text in read.requires if not text.startswith("(")),
        provides=_capabilities(read.provides),
        application=_application(read),
        scripts=_scripts_in(read.files, _application(read)),
    )


def _check_signature(path: Path) -> None:
    # Without rpm here nobody can say; whoever has the key finds out.
    with contextlib.suppress(Unavailable):
        if judged(path) is Verdict.BROKEN:
            raise Invalid(
                "it is damaged: its signature is none", hint="sign it again: rpmsign --addsign FILE"
            )


def _deb(file: BinaryIO, size: int) -> Said:
    read = deb_file.read_deb(file, size)
    if not (_DEB_NAME.match(read.name) and _DEB_VERSION.match(read.version) and _DEB_ARCH.match(read.arch)):
        raise Invalid("its name, version or architecture has characters that Debian does not allow")
    _check_lengths(read.name, read.version, read.arch)
    found = {f"/{path}" for path, mode in read.modes.items() if mode & 0o111}
    named = {path.split("/")[3] for path in found if re.fullmatch(r"/opt/dsmt/[^/]+/start", path)}
    if len(named) > 1:
        raise Invalid(f"it carries the scripts of several applications: {', '.join(sorted(named))}")
    name = application(named.pop()) if named else ""
    return Said(
        kind="deb",
        name=read.name,
        version=read.version,
        arch=read.arch,
        requires=_capabilities(read.requires),
        provides=_capabilities(read.provides),
        application=name,
        scripts=(*_scripts_in(found, name), *read.scripts),
    )


def _wheel(file: BinaryIO, size: int) -> Said:
    read = wheel_file.read_wheel(file, size)
    if not (_NAME.match(read.name) and _WHEEL_VERSION.match(read.version)):
        raise Invalid("its name is not legal, or its version has an epoch")
    _check_lengths(read.name, read.version, read.arch)
    starts = "start" in read.scripts or read.name in read.console_scripts
    return Said(
        kind="wheel",
        name=read.name,
        version=read.version,
        arch=read.arch,
        requires=_capabilities(read.requires),
        application=application(read.name) if starts else "",
        scripts=read.scripts or (("start",) if starts else ()),
    )


def _check_lengths(name: str, version: str, arch: str) -> None:
    if max(len(name), len(version)) > _TEXT_BYTES or len(arch) > _ARCH_BYTES:
        raise Invalid(
            "its name, version or architecture is too long",
            hint=f"at most {_TEXT_BYTES} characters; {_ARCH_BYTES} of the last",
        )


def _scripts_in(files: Collection[str], name: str) -> tuple[str, ...]:
    return tuple(each for each in _SCRIPTS if f"{SCRIPTS_DIRECTORY}/{name}/{each}" in files)


def _image(file: BinaryIO, size: int) -> Said:  # noqa: ARG001 - bounded
    named = image_of(file.read(BYTES + 1))
    return Said(
        kind="image",
        name=named.application,
        version=named.version,
        arch="noarch",
        requires=(named.archived,) if named.archived else (),
        application=named.application,
    )


def _archive(archive: ImageArchive) -> Said:
    name, version = archive.title
    return Said(
        kind=ARCHIVE,
        name=name if _NAME.match(name) else "image",
        version=version if _VERSION.match(version) else archive.id[:12],
        arch=archive.machine,
        # By this an application finds the image: never by a name that somebody gave it.
        provides=(archive.reference, *archive.names),
    )


def _tar(file: BinaryIO, size: int) -> Said:
    archive = read_image(file, size)
    if archive is not None:
        return _archive(archive)
    file.seek(0)
    try:
        return _application_tar(file, size)
    except Invalid:
        file.seek(0)
        root = read_root(file, size)
        if root is None:
            file.seek(0)
            refuse_compressed(file, size)
            raise
        return Said(kind="rootfs", name=root.name, version=root.version, arch="noarch")


def _application_tar(file: BinaryIO, size: int) -> Said:
    contents = survey(file, size)
    names = naming.names_of(contents.top)
    is_agent = contents.mode_of(PROGRAM) is not None
    entry = PROGRAM if is_agent else _START
    mode = contents.mode_of(entry)
    if mode is None:
        raise Invalid(f"there is no {contents.top}/{_START} in it")
    if not mode & 0o111:
        raise Invalid(f"{contents.top}/{entry} is not executable", hint=f"chmod 755 {entry}")
    machines = sorted(contents.machines)
    return Said(
        kind=KIND if is_agent else "tar",
        name=names.application,
        version=names.version,
        arch=machines[0] if len(machines) == 1 else "noarch",
        # An agent is none of the slice's applications: it installs them.
        application="" if is_agent else names.application,
        scripts=tuple(each for each in _SCRIPTS if (contents.mode_of(f"{each}.sh") or 0) & 0o111),
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


_READERS: Final[Mapping[str, Callable[[BinaryIO, int], Said]]] = {
    "the RPM": _rpm,
    "the Debian package": _deb,
    "the wheel": _wheel,
    "the name of an image": _image,
}
