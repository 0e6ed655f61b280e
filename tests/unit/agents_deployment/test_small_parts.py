"""Texts, paths and the configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.deployment_agent.application import last_line, place
from agents.deployment_agent.config import config_of, read_config
from agents.deployment_agent.paths import SliverPaths
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.events import check_text

GOOD = {"host": "h1", "slice": "s", "broker": "memory://node@x", "queue": "q"}


@given(st.text())
def test_what_a_script_prints_becomes_a_legal_line(output: str) -> None:
    for line in (last_line(output),):
        assert len(line) <= 256
        assert "\n" not in line
        check_text(line, "the text")


def test_the_last_line_that_says_something_is_told() -> None:
    assert last_line("x" * 1_000_000) == "x" * 256
    assert last_line("one\n\ntwo\n\n") == "two"
    assert last_line("") == ""


def test_paths_inside_are_found_from_outside() -> None:
    paths = SliverPaths.below(Path("/d/slivers/s"))
    assert paths.here("/app/x") == Path("/d/slivers/s/root/app/x")
    assert paths.here("/packages/abc") == Path("/d/slivers/s/packages/abc")
    assert paths.here("/usr/local/x") == Path("/usr/local/x")
    open_paths = SliverPaths.below(Path("/d/slivers/s"), walls=False)
    assert open_paths.here(f"{open_paths.inside_opt}/dsmt") == Path("/d/slivers/s/root/opt/dsmt")
    assert SliverPaths.of_environment({}, Path("/run/dsmt")) == SliverPaths()
    environment = {"DSMT_ROOT": "/d/slivers/s/root"}
    inside = SliverPaths.of_environment(environment, Path("/d/slivers/s/run"))
    assert replace(inside, own=open_paths.own) == open_paths
    assert inside.inside_programs == "/d/slivers/s/bin"
    assert inside.own == Path("/d/slivers/s/root/app/.dsmt")


def test_scripts_are_where_the_package_brings_them() -> None:
    paths = SliverPaths()
    assert place("x", {}, paths).start == "/opt/dsmt/x/start"
    assert place("x", {"directory": "/app/x/1"}, paths).status == "/app/x/1/status.sh"


def test_a_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_text(json.dumps({**GOOD, "status_period": 2, "sha256": "x"}))
    config = read_config(tmp_path / "agent.json")
    assert (config.host, config.slice, config.status_period) == ("h1", "s", 2.0)
    assert "memory" not in repr(config)
    with pytest.raises(NotFound):
        read_config(tmp_path / "missing.json")


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        {},
        {**GOOD, "host": "not a host"},
        {**GOOD, "status_period": -1},
        {**GOOD, "status_period": "soon"},
        {**GOOD, "agent_parameters": 7},
    ],
)
def test_a_wrong_configuration_is_refused(values: object) -> None:
    with pytest.raises(Invalid):
        config_of(values)
