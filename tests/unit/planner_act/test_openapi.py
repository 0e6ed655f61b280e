"""The interface that is published is the one that the planner serves."""

from __future__ import annotations

import json

from tests.openapi import PATH, written


def test_the_published_interface_is_that_of_the_code() -> None:
    assert PATH.read_text() == written(), "python -m tests.openapi writes it anew"


def test_every_path_says_what_it_does_and_how_it_is_refused() -> None:
    for path, methods in json.loads(PATH.read_text())["paths"].items():
        for method, said in methods.items():
            assert said.get("description"), f"{method} {path}"
            assert "default" in said["responses"], f"{method} {path}"
