"""Planner, depot, node and ``dsmtc`` over HTTPS, as real processes; and each way to be not trusted."""

from __future__ import annotations

import http.server
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from agents import trusting
from agents.container_manager import joining
from agents.container_manager.config import NodeConfig
from agents.package_download import Depot, Downloads
from broker.certificates import Authority, life_of
from broker.showing import Shown
from dsmt_core.authorities import as_pem, certificates, fingerprint, parted
from dsmt_core.errors import Denied, DsmtError, NotFound, Unavailable
from dsmt_core.names import Host
from dsmtc.client import Client, Credentials
from dsmtc.client.trust import Trust

ADMIN, PASSWORD = "admin@example.com", "admin-password"
PATIENCE_S = 120.0
PLANNER = [sys.executable, "-m", "planner.main"]


@dataclass(frozen=True)
class Place:
    """A planner over HTTPS, and its authority's certificate."""

    data: Path
    url: str
    pem: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(certificates(self.pem)[0])

    def client(self, trust: Trust | None = None, url: str = "") -> Client:
        trust = trust or Trust(self.pem)
        return Client(url or self.url, Credentials(ADMIN, PASSWORD, "admin", trust=trust))


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DSMT_PASSWORD": PASSWORD}
    command = [*PLANNER, *words, "--data", str(data)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@contextmanager
def planner_at(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """A planner process; what its ready file says."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    words = [*PLANNER, "run", "--data", str(folder / "data"), "--ready-file", str(ready)]
    words += ["--broker", f"memory://planner@{folder.name}", "--node-broker", "amqp://node:x@127.0.0.1/d"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([*words, *options], stdout=log, stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not ready.exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield json.loads(ready.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("tls")
    assert run(folder / "data", "init", "--admin", ADMIN).returncode == 0
    with planner_at(folder, "--tls", "--listen", "127.0.0.1:0", "--depot-listen", "127.0.0.1:0") as said:
        yield Place(folder / "data", said["url"], (folder / "data" / "authority.pem").read_text())


def node(folder: Path, place: Place, *, authority: str = "", token: str = "", url: str = "") -> NodeConfig:
    folder.mkdir(exist_ok=True)
    name = Host(f"{folder.name.replace('_', '-')}.example.org")
    return NodeConfig(planner=url or place.url, host=name, data=folder, authority=authority, token=token)


def test_a_node_pins_the_authority_of_its_invitation(place: Place, tmp_path: Path) -> None:
    with place.client() as client:
        invited = client.invite()["token"]
    token, pinned = parted(invited)
    assert pinned == place.fingerprint
    config = node(tmp_path / "n1", place, token=invited)
    joined = joining.join(config)
    assert joined.depot.startswith("https://127.0.0.1:")
    # From now on the certificate is known, whatever the token in its environment says.
    again = node(tmp_path / "n1", place, token=token)
    assert joining.join(again).depot == joined.depot
    assert joining.trust_of(again).known() == place.pem


def test_a_token_lets_one_node_in_and_its_key_is_asked_for_from_then_on(
    place: Place, tmp_path: Path
) -> None:
    with place.client() as client:
        token = client.invite(uses=1, hosts="first*")["token"]
    first = node(tmp_path / "first", place, token=token)
    with pytest.raises(Denied, match="for hosts like"):
        joining.join(node(tmp_path / "other", place, token=token))
    joining.join(first)
    joining.join(first)
    with pytest.raises(Denied, match="as many nodes"):
        joining.join(node(tmp_path / "first2", place, token=token))
    # Somebody has read the claim, in a backup perhaps, but not the key.
    (first.data / "node.key").unlink()
    with pytest.raises(Denied, match="joined with a key, and now shows another one"):
        joining.join(node(tmp_path / "first", place, authority=place.fingerprint))


async def test_packages_come_from_the_depot_over_tls(place: Place, tmp_path: Path) -> None:
    with place.client() as client:
        config = node(tmp_path / "n2", place, token=client.invite()["token"])
    joined = joining.join(config)
    known = joining.trust_of(config).known()
    part = tmp_path / "x.part"
    asked = part, "0" * 64, 5
    with pytest.raises(NotFound):
        await Downloads().bring(Depot(joined.depot, joined.depot_token, authority=known), *asked)
    other = as_pem([Authority.made(datetime.now(UTC)).der])
    for authority in (other, ""):
        with pytest.raises(Denied, match="no authority that is trusted here"):
            await Downloads().bring(Depot(joined.depot, joined.depot_token, authority=authority), *asked)


def test_people_name_the_authority_by_its_fingerprint_once(place: Place) -> None:
    found: list[str] = []
    with place.client(Trust(wanted=place.fingerprint, found=found.append)) as client:
        assert client.whoami()["account"] == ADMIN
    assert found == [place.pem]


def test_people_are_told_the_authority_and_until_when_it_holds(place: Place, tmp_path: Path) -> None:
    environment = os.environ | {"DSMT_PASSWORD": PASSWORD, "DSMT_HOME": str(tmp_path / "dsmtc")}

    def dsmtc(*words: str) -> subprocess.CompletedProcess[str]:
        """With the fingerprint, as people are told it."""
        trusted = ["--planner", place.url, "--authority", place.fingerprint]
        command = [sys.executable, "-m", "dsmtc.main", *words, "--user", ADMIN, *trusted]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    told = json.loads(dsmtc("ca", "--json").stdout)
    now = time.time()
    assert told["fingerprint"] == place.fingerprint
    # The planner's own ends sooner, and is renewed.
    assert now < told["planner_ends"] < told["ends"]
    assert dsmtc("ca", "fetch", str(tmp_path / "ca.pem")).returncode == 0
    assert certificates((tmp_path / "ca.pem").read_text()) == certificates(place.pem)
    again = dsmtc("ca", "fetch", str(tmp_path / "ca.pem"))
    assert (again.returncode, "there already" in again.stderr) == (6, True)


def test_another_fingerprint_is_refused_before_a_password_is_sent(place: Place, tmp_path: Path) -> None:
    other = fingerprint(b"another one")
    with place.client(Trust(wanted=other)) as client, pytest.raises(Denied, match="another authority"):
        client.whoami()
    with pytest.raises(Denied, match="another authority"):
        joining.join(node(tmp_path / "n3", place, authority=other, token="x"))
    assert not (tmp_path / "n3" / "authority.json").exists()


def test_without_a_word_nothing_is_trusted_at_first_sight(place: Place, tmp_path: Path) -> None:
    with place.client(Trust()) as client, pytest.raises(Denied, match="no authority that is") as told:
        client.whoami()
    assert "dsmt-planner ca show" in told.value.hint
    with pytest.raises(Denied, match="no authority that is trusted here"):
        joining.join(node(tmp_path / "n4", place, token="x"))


def test_plain_text_on_the_port_of_tls_is_told(place: Place, tmp_path: Path) -> None:
    plain = place.url.replace("https://", "http://")
    with place.client(url=plain) as client, pytest.raises(Unavailable) as told:
        client.whoami()
    assert "https" in told.value.hint
    with pytest.raises(Unavailable) as also:
        joining.join(node(tmp_path / "n5", place, url=plain, token="x"))
    assert "https" in also.value.hint


def test_old_versions_of_tls_are_refused(place: Place) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=place.pem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(httpx.ConnectError), httpx.Client(verify=context) as client:
        client.get(f"{place.url}/v1/health")


@contextmanager
def showing(folder: Path, authority: Authority, host: str, **life: datetime | timedelta) -> Iterator[str]:
    """Whoever shows a certificate of this authority; its URL."""
    made = authority.certify(host, **({"now": datetime.now(UTC)} | life))  # type: ignore[arg-type]
    path = folder / "shown.pem"
    path.write_text(made.key + made.certificate)
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.socket = Shown(path).context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


DAYS = timedelta(days=1)


@pytest.mark.parametrize(
    ("host", "life", "said"),
    [
        ("planner.example.org", {}, "of another host"),
        ("127.0.0.1", {"now": datetime.now(UTC) - 40 * DAYS, "lasts": 20 * DAYS}, "has ended"),
        ("127.0.0.1", {"now": datetime.now(UTC) + 40 * DAYS}, "not valid yet"),
    ],
)
def test_a_certificate_of_another_host_or_time_is_told(
    tmp_path: Path, place: Place, host: str, life: dict[str, timedelta], said: str
) -> None:
    authority = Authority.made(datetime.now(UTC) - 100 * DAYS)
    pem = as_pem([authority.der])
    (tmp_path / "authority.pem").write_text(pem)
    with showing(tmp_path, authority, host, **life) as url:
        with place.client(Trust(pem), url=url) as client, pytest.raises((Denied, Unavailable), match=said):
            client.whoami()
        with pytest.raises((Denied, Unavailable), match=said):
            joining.join(
                node(tmp_path / "n6", place, url=url, token="x", authority=str(tmp_path / "authority.pem"))
            )


def test_tls_to_a_plain_planner_is_told(tmp_path: Path, place: Place) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"https://127.0.0.1:{server.server_port}"
    try:
        with place.client(url=url) as client, pytest.raises(Unavailable, match="does not speak TLS"):
            client.whoami()
        with pytest.raises(Unavailable, match="does not speak TLS"):
            joining.join(node(tmp_path / "n7", place, url=url, token="x", authority=place.fingerprint))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_is_named_must_be_there(tmp_path: Path) -> None:
    trust = trusting.Trust(tmp_path, str(tmp_path / "nothing.pem"))
    with pytest.raises(DsmtError, match=r"nothing\.pem"):
        trust.known()


def test_the_authority_is_shown_and_issues(place: Place, tmp_path: Path) -> None:
    assert place.fingerprint in run(place.data, "ca", "show").stdout
    assert run(place.data, "ca", "init").returncode == 6
    issued = run(place.data, "ca", "issue", "depot.example.org", "10.0.0.7", "--to", str(tmp_path))
    assert issued.returncode == 0, issued.stderr
    path = tmp_path / "depot.example.org.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert life_of(path.read_bytes()).hosts == {"depot.example.org", "10.0.0.7"}
    Shown(path)
    for words in (("ca", "issue", "a b"), ("ca", "issue", "../x", "--to", str(tmp_path))):
        refused = run(place.data, *words)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (3, 2), refused.stderr


@dataclass
class Started:
    code: int
    said: str


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., Started]:
    """An installation whose start is refused."""
    assert run(tmp_path / "data", "init", "--admin", ADMIN).returncode == 0

    def start(*options: str) -> Started:
        ended = run(tmp_path / "data", "run", "--broker", "memory://planner@x", *options)
        return Started(ended.returncode, ended.stderr)

    return start


def test_a_lost_authority_stops_the_start_and_nothing_is_lost(
    started: Callable[..., Started], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    kept = (data / "authority.key").read_bytes(), (data / "authority.pem").read_bytes()
    (data / "authority.key").unlink()
    missing = started("--listen", "127.0.0.1:0")
    assert (missing.code, "authority.key is missing" in missing.said) == (3, True), missing.said
    (data / "authority.pem").unlink()
    gone = started("--listen", "127.0.0.1:0", "--tls")
    assert (gone.code, "the authority of this installation is missing" in gone.said) == (6, True), gone.said
    assert not (data / "authority.pem").exists()
    assert run(data, "ca", "init").returncode == 0
    other = started("--listen", "127.0.0.1:0")
    assert (other.code, "is another one" in other.said) == (6, True), other.said
    for name, content in zip(("authority.key", "authority.pem"), kept, strict=True):
        (data / name).write_bytes(content)
    with planner_at(tmp_path, "--listen", "127.0.0.1:0") as said:
        assert said["url"].startswith("http://127.0.0.1")


def test_an_installation_of_before_goes_on_in_plain_text_and_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run(data, "init", "--admin", ADMIN).returncode == 0
    # As one of before: there never was an authority.
    for name in ("authority.pem", "authority.key"):
        (data / name).unlink()
    with sqlite3.connect(data / "planner.sqlite") as database:
        database.execute("delete from settings where name = 'authority'")
    database.close()
    with planner_at(tmp_path, "--listen", "0.0.0.0:0") as said:
        assert said["url"].startswith("http://")
    assert "can be read on the way" in (tmp_path / "log").read_text()
    assert run(data, "ca", "init").returncode == 0
    with planner_at(tmp_path, "--listen", "0.0.0.0:0") as said:
        assert said["url"].startswith("https://")
    with planner_at(tmp_path, "--listen", "0.0.0.0:0", "--insecure-plain") as said:
        assert said["url"].startswith("http://")
    assert "can be read on the way" in (tmp_path / "log").read_text()
