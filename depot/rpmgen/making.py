"""From a tarball or an RPM to the packages: reads, decides by the recipe, builds, puts in place.

Rule of this file: the result appears whole or not at all; nothing is put into the output directory
before everything has been built.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from depot import naming
from depot.reading import check_words
from depot.rpm_file import MAGIC, RpmFile, read_rpm
from depot.rpmgen.content import unpack
from depot.rpmgen.recipe import SCRIPTS, Recipe, wrapper_files, wrapper_recipe
from depot.rpmgen.rpmbuild import build, find_rpmbuild
from depot.tarball import Contents
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.names import WRAPPER_PREFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What ``rpmgen`` was asked for; empty texts stand for what was not given.

    Attributes:
        scripts: start, stop, status → the path after the installation.
    """

    file: Path
    output: Path
    installdir: str = ""
    scripts: dict[str, str] = field(default_factory=dict)
    dependencies: str = ""
    version: str = ""
    release: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One package that was made; ``version`` is ``[epoch:]version-release``."""

    path: Path
    name: str
    version: str
    arch: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class _Building:
    """A recipe, and the directory that stands for ``/``."""

    recipe: Recipe
    root: Path


def make(wish: Wish) -> list[Made]:
    """Make the packages: application and wrapper of a tarball, or the wrapper of an RPM.

    Raises:
        NotFound: there is no such file.
        Invalid: the file or a parameter is refused.
        Unavailable: rpmbuild is missing.
    """
    if not wish.file.is_file():
        raise NotFound(f"there is no file {wish.file}")
    if wish.output.exists() and not wish.output.is_dir():
        raise Invalid(f"--output {wish.output} is not a directory")
    find_rpmbuild()
    with tempfile.TemporaryDirectory(prefix="rpmgen-") as name:
        work = Path(name)
        try:
            buildings = _from_rpm(wish, work) if _is_rpm(wish.file) else _from_tarball(wish, work)
        except Invalid as error:
            raise Invalid(f"{wish.file.name}: {error}", hint=error.hint) from error
        built = [_built(building, work / f"build{number}") for number, building in enumerate(buildings)]
        wish.output.mkdir(parents=True, exist_ok=True)
        return [
            _put(building.recipe, package, wish.output)
            for building, package in zip(buildings, built, strict=True)
        ]


def _from_tarball(wish: Wish, work: Path) -> list[_Building]:
    if not wish.installdir:
        raise Invalid("--installdir is needed with a tarball", hint="such as --installdir /usr/local")
    parent = naming.install_directory(wish.installdir)
    contents = unpack(wish.file, work / "unpacked")
    names = naming.names_of(contents.top, wish.version)
    directory = f"{parent}/{names.application}"
    recipe = Recipe(
        name=names.application,
        version=names.version,
        release=naming.rpm_release(wish.release or "1"),
        arch=_arch(wish.target, contents),
        summary=f"The application {names.application}",
        owned=directory,
        requires=naming.dependencies(wish.dependencies),
        built_at=contents.newest,
    )
    # The wrapper requires it too: for a wrapper alone the planner waits until the depot has it all.
    wrapper = wrapper_recipe(recipe, requires=recipe.requires)
    scripts = _wrapper(wrapper, _scripts_inside(wish, directory, contents), work)
    root = work / "application"
    placed = root / directory.removeprefix("/")
    placed.parent.mkdir(parents=True)
    (work / "unpacked").rename(placed)
    return [_Building(recipe, root), scripts]


def _from_rpm(wish: Wish, work: Path) -> list[_Building]:
    if wish.version:
        raise Invalid("--version is for tarballs; an RPM has its own")
    with wish.file.open("rb") as file:
        read = read_rpm(file)
    check_words(read)
    if read.name.startswith(WRAPPER_PREFIX):
        raise Invalid("it is a wrapper already", hint="give the application's package or its tarball")
    of = Recipe(
        name=read.name,
        version=read.version,
        release=read.release,
        epoch=read.epoch,
        arch=naming.target_arch(wish.target) if wish.target else read.arch,
        summary="",
        owned="",
    )
    recipe = wrapper_recipe(of, requires=naming.dependencies(wish.dependencies))
    if wish.release:
        recipe = replace(recipe, release=naming.rpm_release(wish.release))
    return [_wrapper(recipe, _scripts_of_rpm(wish, read), work)]


def _wrapper(recipe: Recipe, paths: dict[str, str], work: Path) -> _Building:
    root = work / "wrapper"
    directory = root / recipe.owned.removeprefix("/")
    directory.mkdir(parents=True)
    for name, text in wrapper_files(paths).items():
        path = directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        os.utime(path, (recipe.built_at, recipe.built_at))
    directory.chmod(0o755)
    os.utime(directory, (recipe.built_at, recipe.built_at))
    return _Building(recipe, root)


def _scripts_inside(wish: Wish, directory: str, contents: Contents) -> dict[str, str]:
    paths = {}
    for name in SCRIPTS:
        if given := wish.scripts.get(name, ""):
            inside = naming.inside(given, directory)
            mode = contents.mode_of(inside)
            if mode is None:
                raise Invalid(
                    f"--{name} {given}: there is no {contents.top}/{inside} in it",
                    hint=f"tar -tf {wish.file.name} lists what is in it",
                )
            if not mode & 0o111:
                raise Invalid(
                    f"--{name} {given}: {contents.top}/{inside} is not executable",
                    hint=f"chmod 755 {inside}, and make the tarball again",
                )
            paths[name] = f"{directory}/{inside}"
    return paths


def _scripts_of_rpm(wish: Wish, read: RpmFile) -> dict[str, str]:
    paths = {name: given for name in SCRIPTS if (given := wish.scripts.get(name, ""))}
    for name, given in paths.items():
        if given not in read.files:
            raise Invalid(
                f"--{name} {given}: the package has no such file", hint=f"rpm -qlp {wish.file.name}"
            )
    return paths


def _arch(target: str, contents: Contents) -> str:
    machines = sorted(contents.machines)
    wanted = naming.target_arch(target) if target else ""
    if not machines:
        return wanted or "noarch"
    if wanted == "noarch":
        raise Invalid(
            f"it holds programs for {', '.join(machines)}, so it cannot be noarch",
            hint="leave --target away, or name the machine",
        )
    if not wanted and (len(machines) > 1 or "unknown" in machines):
        raise Invalid(
            f"it holds programs for {', '.join(machines)}", hint="say with --target what the package is for"
        )
    return wanted or machines[0]


def _is_rpm(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(len(MAGIC)) == MAGIC


def _built(building: _Building, work: Path) -> Path:
    work.mkdir()
    return build(building.recipe, building.root, work)


def _put(recipe: Recipe, package: Path, output: Path) -> Made:
    final = output / recipe.filename
    unfinished = output / f".{recipe.filename}.{os.getpid()}"
    try:
        shutil.copyfile(package, unfinished)
        unfinished.replace(final)
    finally:
        unfinished.unlink(missing_ok=True)
    with final.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Made(
        path=final,
        name=recipe.name,
        version=recipe.evr,
        arch=recipe.arch,
        size=final.stat().st_size,
        digest=digest,
    )
