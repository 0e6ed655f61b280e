"""The file of an application's credentials, and why it may be of no use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker import credentials
from dsmt_core.errors import Denied, Invalid, NotFound, Unavailable

URL = "amqp://application:secret@127.0.0.1/dsmt"


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_environment_names_the_file() -> None:
    assert credentials.named_in({"DSMT_PSEPR": "/run/x"}) == Path("/run/x")
    with pytest.raises(NotFound, match="DSMT_PSEPR is not set"):
        credentials.named_in({})


def test_the_file_is_read_and_the_secret_is_not_shown(tmp_path: Path) -> None:
    values = {"url": URL, "service": "s_mgr", "instance": "h/s/a", "sha256": "x"}
    known = credentials.read(written(tmp_path / "f", json.dumps(values)))
    assert (known.url, known.service, known.instance, known.host) == (URL, "s_mgr", "h/s/a", "")
    assert "secret" not in repr(known)


@pytest.mark.parametrize("text", ["", "[1]", "nonsense", "[" * 100_000])
def test_what_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid, match="holds no credentials"):
        credentials.read(written(tmp_path / "f", text))


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Denied, match="may be read by others"):
        credentials.read(written(tmp_path / "f", json.dumps({"url": URL}), 0o640))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        credentials.read(tmp_path / "f")


@pytest.mark.parametrize(
    ("url", "said"), [("", "was given no broker URL"), ("memory://application@w", "inside one process")]
)
def test_that_there_is_no_way_is_said_in_one_line(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(Unavailable, match=said) as error:
        credentials.read(written(tmp_path / "f", json.dumps({"url": url})))
    assert "\n" not in error.value.message
