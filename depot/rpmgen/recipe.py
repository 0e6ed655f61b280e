"""What rpmbuild is told: a package as a value, and the spec file that it becomes. Decides; touches nothing.

Rule of this file: a spec file is made of names that `depot.naming` has checked and of constant
text. The files lie ready in the sources and are copied whole, so no file's name ever stands in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from depot.naming import script
from dsmt_core.names import application, wrapper_of

SCRIPTS: Final = ("start", "stop", "status")
WRAPPER_DIRECTORY: Final = "/opt/dsmt"

# No automatic requirements: rpm's generators look at this machine, and name what no sliver provides.
# No post-processing: what is in the tarball is what is installed, byte by byte.
_SPEC: Final = """\
%global __spec_install_post %{{nil}}
%global debug_package %{{nil}}
%global _build_id_links none
%global _missing_build_ids_terminate_build 0
Name: {name}
{epoch}Version: {version}
Release: {release}
Summary: {summary}
License: unstated
Group: Applications/System
AutoReqProv: no
{requires}
%description
{summary}.

%prep
%build
%install
cp -a -- "$RPM_SOURCE_DIR/root/." "$RPM_BUILD_ROOT/"

%files
%defattr(-,root,root,-)
"{owned}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One package to build.

    Attributes:
        owned: the directory that the package owns with all that is in it.
        requires: as the spec file has them.
        built_at: what stands for the time of the build, in seconds since 1970.
    """

    name: str
    version: str
    release: str
    arch: str
    summary: str
    owned: str
    epoch: int = 0
    requires: tuple[str, ...] = ()
    built_at: int = 0

    @property
    def filename(self) -> str:
        """As the user guide has it: ``pinger-1.8.i386.rpm``, the release inside only."""
        return f"{self.name}-{self.version}.{self.arch}.rpm"

    @property
    def evr(self) -> str:
        """``[epoch:]version-release``."""
        return f"{self.epoch}:" * bool(self.epoch) + f"{self.version}-{self.release}"


def wrapper_recipe(of: Recipe, *, requires: tuple[str, ...] = ()) -> Recipe:
    """The wrapper of a package: it requires exactly that one and carries the three entry points.

    Raises:
        Invalid: the package's name is not legal for an application.
    """
    return Recipe(
        name=wrapper_of(application(of.name)),
        version=of.version,
        release=of.release,
        epoch=of.epoch,
        arch=of.arch,
        summary=f"How DSMT starts, stops and checks {of.name}",
        owned=f"{WRAPPER_DIRECTORY}/{of.name}",
        requires=(f"{of.name} = {of.evr}", *requires),
        built_at=of.built_at,
    )


def wrapper_files(paths: dict[str, str]) -> dict[str, str]:
    """File name → content of the entry points, for the scripts that were given."""
    return {name: script(paths[name]) for name in SCRIPTS if name in paths}


def spec_text(recipe: Recipe) -> str:
    """The spec file."""
    return _SPEC.format(
        name=recipe.name,
        epoch=f"Epoch: {recipe.epoch}\n" if recipe.epoch else "",
        version=recipe.version,
        release=recipe.release,
        summary=recipe.summary,
        requires="".join(f"Requires: {requirement}\n" for requirement in recipe.requires),
        owned=recipe.owned,
    )
