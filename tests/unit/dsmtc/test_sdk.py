"""The SDK can ask for all that the published interface offers, and says of each call what it does."""

from __future__ import annotations

import contextlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dsmt_core.guards import Guard
from dsmtc.client import Client, Credentials
from dsmtc.client.rehearsal import imagined

INTERFACE = json.loads(Path("docs/reference/openapi.json").read_text())
METHODS = {"get", "put", "post", "delete", "patch"}
# For machines, for who is not let in yet, or the same in another form.
NOT_FOR_PROGRAMS = {
    "POST /v1/nodes/join",
    "POST /v1/nodes/secret",
    "GET /v1/authority/challenge",
    "POST /v1/login/challenge",
    "POST /v1/login/key",
    "GET /v1/past/availability.csv",
    "GET /v1/slices/{slice}/repo/packages/{filename}",
    "GET /v1/slices/{slice}/repo/repodata/{name}",
    "GET /v1/slices/{slice}/depot/uploads/{digest}",
    "DELETE /v1/sites/{site}/people/{account}",
}


class Heard:
    """In the place of a connection: notes what is asked, and answers with what has the right form."""

    url, timeout_s, ahead_s, rehearsal = "http://planner", 1.0, 0.0, None

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def request(self, method: str, path: str, _body: object = None, *, shape: Any, token: str = "") -> Any:
        assert token or path.startswith(("/v1/health", "/v1/login", "/v1/authority")), path
        self.asked.add(f"{method} {path.partition('?')[0]}")
        return imagined(shape, {})

    def upload(self, path: str, _chunks: object, *, shape: Any, **_: object) -> Any:
        self.asked.add(f"PUT {path}")
        return imagined(shape, {})

    def download(self, path: str, *, token: str) -> contextlib.AbstractContextManager[Iterator[bytes]]:
        assert token
        self.asked.add(f"GET {path}")
        return contextlib.nullcontext(iter(()))

    def lines(self, path: str, **_: object) -> Iterator[bytes]:
        self.asked.add(f"GET {path.partition('?')[0]}")
        yield from ()

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: contextlib.nullcontext()


def calls() -> dict[str, Any]:
    found = inspect.getmembers(Client, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_")}


def given(parameter: inspect.Parameter, file: Path) -> Any:
    takes = str(parameter.annotation)
    for part, value in (
        ("Guard", Guard()),
        ("tuple", ("limit", {"count": "1"})),
        ("Path", file),
        ("Mapping", {"a": "b"}),
        ("Sequence", ["x"]),
        ("Iterable", ["x"]),
        ("float", 1),
        ("int", 1),
        ("bool", False),
        ("bytes", b"x"),
        ("Callable", lambda *_: None),
    ):
        if part in takes:
            return value
    return "x"


def call(name: str, file: Path, *, whole: bool) -> set[str]:
    """What a call asks for, with all its parameters or only those that it needs."""
    client, heard = Client("http://planner", Credentials("me", "secret", token="t")), Heard()
    client.transport = heard  # type: ignore[assignment]
    method = getattr(client, name)
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    wanted = [
        one
        for one in inspect.signature(method).parameters.values()
        if one.kind not in kinds and (whole or one.default is one.empty)
    ]
    by_name = {one.name: given(one, file) for one in wanted}
    places = [by_name.pop(one.name) for one in wanted if one.kind is one.POSITIONAL_OR_KEYWORD]
    answer = method(*places, **by_name)
    if isinstance(answer, contextlib.AbstractContextManager) and answer is not client:
        with answer:
            pass
    elif isinstance(answer, Iterator):
        with contextlib.suppress(Exception):
            list(answer)
    return heard.asked


def test_it_can_ask_for_all_that_the_interface_offers(tmp_path: Path) -> None:
    file = tmp_path / "a-1.rpm"
    file.write_bytes(b"package")
    asked = {one for name in calls() for whole in (False, True) for one in call(name, file, whole=whole)}
    offered = {
        f"{method.upper()} {path}"
        for path, methods in INTERFACE["paths"].items()
        for method in METHODS & methods.keys()
    }
    lacks = {
        one
        for one in offered - NOT_FOR_PROGRAMS
        if not any(re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", one), way) for way in asked)
    }
    assert lacks == set()
    assert offered >= NOT_FOR_PROGRAMS


@pytest.mark.parametrize("name", calls())
def test_each_call_is_typed_and_says_what_it_does(name: str) -> None:
    method = calls()[name]
    assert inspect.getdoc(method)
    signature = inspect.signature(method)
    assert signature.return_annotation is not inspect.Signature.empty
    untyped = [one.name for one in signature.parameters.values() if one.annotation is one.empty]
    assert untyped == ["self"]
