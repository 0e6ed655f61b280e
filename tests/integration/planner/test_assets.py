"""What the page brings from elsewhere: only what was pinned is ever served."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from planner.viewer import assets
from planner.viewer.assets import NotFetched, fetch

FILES = {
    "package/LICENSE": b"free",
    "package/a/b.js": b"export const one = 1;",
    "package/../evil.js": b"no",
}


def archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as members:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            members.addfile(member, io.BytesIO(content))
    return packed.getvalue()


ARCHIVE = archive()


class Registry(BaseHTTPRequestHandler):
    """Has one package."""

    def do_GET(self) -> None:
        found = self.path == "/one/-/one-1.0.0.tgz"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(ARCHIVE if found else b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def pin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **change: object) -> Path:
    """Pin the package; the folder that is served from."""
    digest = base64.b64encode(hashlib.sha512(ARCHIVE).digest()).decode()
    files = ["LICENSE", "a/b.js"]
    one = {"package": "one", "version": "1.0.0", "integrity": f"sha512-{digest}", "files": files} | change
    pinned = tmp_path / "assets.json"
    pinned.write_text(json.dumps([one]))
    monkeypatch.setattr(assets, "_PINNED", pinned)
    return tmp_path / "fetched"


def test_what_is_pinned_is_fetched_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, registry: str
) -> None:
    target = pin(monkeypatch, tmp_path)
    assert fetch(target, registry=registry)
    assert (target / "one" / "a" / "b.js").read_bytes() == FILES["package/a/b.js"]
    assert not list(tmp_path.rglob("evil.js"))
    # It is there, so nobody is asked.
    assert not fetch(target, registry="http://127.0.0.1:1")
    pin(monkeypatch, tmp_path, files=["LICENSE"])
    assert fetch(target, registry=registry)
    assert not (target / "one" / "a").exists()


def test_another_archive_is_refused_and_what_is_there_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, registry: str
) -> None:
    target = pin(monkeypatch, tmp_path)
    fetch(target, registry=registry)
    pin(monkeypatch, tmp_path, integrity="sha512-" + "A" * 86 + "==")
    with pytest.raises(NotFetched, match="is not what it was"):
        fetch(target, registry=registry)
    assert (target / "one" / "LICENSE").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "wrong",
    [{"version": "2.0.0"}, {"files": ["strange.js"]}, "http://127.0.0.1:1", "file:///etc"],
    ids=str,
)
def test_what_cannot_be_had_is_said_and_ends_no_set_up(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    registry: str,
    capsys: pytest.CaptureFixture[str],
    wrong: dict[str, object] | str,
) -> None:
    where = wrong if isinstance(wrong, str) else ""
    target = pin(monkeypatch, tmp_path, **({} if isinstance(wrong, str) else wrong))
    with pytest.raises(NotFetched):
        fetch(target, registry=where or registry)
    monkeypatch.setenv("DSMT_NPM_REGISTRY", where or registry)
    monkeypatch.setattr(fetch, "__defaults__", (target,))
    assert assets.main() == 0
    assert "assets of DSMTViewer" in capsys.readouterr().err
    assert not target.exists()


def test_what_is_pinned_is_whole() -> None:
    for one in json.loads((assets.HERE / "assets.json").read_text()):
        assert len(base64.b64decode(one["integrity"].removeprefix("sha512-"))) == 64
        assert "LICENSE" in one["files"]
        assert not [name for name in one["files"] if ".." in name or name.startswith("/")]
