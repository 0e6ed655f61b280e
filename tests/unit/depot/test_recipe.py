"""What rpmbuild is told."""

from __future__ import annotations

import pytest

from depot.rpmgen.recipe import Recipe, spec_text, wrapper_files, wrapper_recipe
from dsmt_core.errors import Invalid


def recipe(name: str = "pinger", epoch: int = 0) -> Recipe:
    return Recipe(
        name=name,
        version="1.8",
        release="1",
        arch="i386",
        summary="The application pinger",
        owned="/usr/local/pinger",
        epoch=epoch,
        requires=("a >= 1.0", "b"),
        built_at=7,
    )


def test_the_file_is_named_as_in_the_guide() -> None:
    assert recipe().filename == "pinger-1.8.i386.rpm"
    assert wrapper_recipe(recipe()).filename == "dsmtw_pinger-1.8.i386.rpm"


def test_the_wrapper_requires_exactly_its_application() -> None:
    assert wrapper_recipe(recipe()).requires == ("pinger = 1.8-1",)
    assert wrapper_recipe(recipe(epoch=2), requires=("c",)).requires == ("pinger = 2:1.8-1", "c")


def test_a_package_that_cannot_be_an_application_gets_no_wrapper() -> None:
    with pytest.raises(Invalid):
        wrapper_recipe(recipe("x" * 70))


def test_only_the_scripts_that_were_given_are_carried() -> None:
    files = wrapper_files({"start": "/usr/local/pinger/start.sh"})
    assert files == {"start": '#!/bin/sh\nexec /usr/local/pinger/start.sh "$@"\n'}


def test_the_spec_says_what_the_recipe_says() -> None:
    lines = spec_text(recipe(epoch=2)).splitlines()
    assert {"Name: pinger", "Epoch: 2", "Version: 1.8", "Release: 1", "AutoReqProv: no"} <= set(lines)
    assert {"Requires: a >= 1.0", "Requires: b", '"/usr/local/pinger"'} <= set(lines)
    assert not any(line.startswith("Epoch") for line in spec_text(recipe()).splitlines())
