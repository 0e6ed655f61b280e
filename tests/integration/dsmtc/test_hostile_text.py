"""Whatever a planner, a node or a script says, no verb passes a control sequence on to a terminal.

Each verb is answered with all that its answer may hold, made from the form that it expects, and every text
in it is hostile.
"""

from __future__ import annotations

import json
import re
import shlex
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from dsmtc import output
from dsmtc.client import EventRecord
from dsmtc.client.looked_in import LogLine, PingLine
from dsmtc.client.transport import Transport
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.test_strange_answers import LINES

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\nrm -rf /\x00\u202egpj.exe\u200b"
# What a terminal obeys, or shows otherwise than it is; a line break ends a line of ours.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")


def hostile(form: Any) -> Any:
    """A value of a form, with a hostile text wherever it takes one."""
    if is_typeddict(form):
        hints = get_type_hints(form)
        return {name: hostile(part) for name, part in hints.items()}
    origin, parts = get_origin(form), get_args(form)
    if origin is list:
        return [hostile(parts[0])]
    if origin is dict:
        return {HOSTILE: hostile(parts[1])}
    if origin in (types.UnionType, Union):
        return hostile(next(part for part in parts if part is not type(None)))
    plain = {int: 1, float: 1.0, bool: True}
    return plain.get(form, HOSTILE)


@pytest.fixture(autouse=True)
def _hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    def request(_self: Transport, _method: str, _path: str, *_: object, shape: Any, **__: object) -> Any:
        return hostile(shape)

    def upload(_self: Transport, _path: str, _chunks: object, *, shape: Any, **_: object) -> Any:
        return hostile(shape)

    def lines(_self: Transport, path: str, **_: object) -> Iterator[bytes]:
        form = next((one for part, one in FORMS.items() if part in path), EventRecord)
        yield json.dumps(hostile(form)).encode()

    monkeypatch.setattr(Transport, "request", request)
    monkeypatch.setattr(Transport, "upload", upload)
    monkeypatch.setattr(Transport, "lines", lines)


FORMS: dict[str, Any] = {"/logs": LogLine, "/ping": PingLine}
MORE = ["doctor", "ping --slice s -o wide", "status --slice s -o wide", "nodes -o names", "audit --jsonl"]


@pytest.mark.parametrize("shown", ["plain", "drawn"])
@pytest.mark.parametrize("line", [*LINES, *MORE])
def test_no_verb_passes_it_on(
    dsmtc: Dsmtc, line: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "--watch" in line or "events --follow" in line or "audit verify" in line or "audit export" in line:
        pytest.skip("what goes on for ever, or checks what it gets, is tried elsewhere")
    package = tmp_path / "a-1.rpm"
    (tmp_path / "key.pub").write_text("ssh-ed25519 AAAA")
    package.write_bytes(b"package")
    monkeypatch.setattr(output, "terminal", lambda: shown == "drawn")
    words = shlex.split(line.replace("PACKAGE", str(package)).replace("KEY", str(tmp_path / "key.pub")))
    ended = dsmtc(*words, DSMT_NEW_PASSWORD="a long secret", COLUMNS="200")
    for stream in (ended.out, ended.err):
        assert not OBEYED.search(stream), (line, OBEYED.search(stream), stream)
        assert "this should not happen" not in stream, stream
