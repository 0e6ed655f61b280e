"""A broker that asks for certificates: who has none of the installation does not reach its login."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import broker
from agents.container_manager import certificates, identity, joining
from agents.container_manager.config import NodeConfig
from agents.container_manager.own_key import OwnKey
from broker.address import as_user, password_in, with_certificate
from broker.certificates import Authority, life_of
from broker.parties import Kind
from dsmt_core.authorities import as_pem
from dsmt_core.errors import Banished, Denied
from dsmt_core.names import Slice
from dsmt_core.signing import out_of_text
from tests.attacks.guarded import Guarded, client_file, guarded
from tests.attacks.intruder import let_in
from tests.attacks.town import ALPHA, BETA, HERE

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("guarded")) as made:
        yield made


def now() -> datetime:
    return datetime.now(UTC)


def vitals(place: Guarded) -> Any:
    """Which processes run what, once everything runs."""

    def look() -> Any:
        with place.scene.client() as client:
            found = [(name, client.status(name)["hosts"]) for name in (ALPHA, BETA)]
        states = [(name, host["applications"]) for name, hosts in found for host in hosts]
        running = [name for name, some in states if some and some[0]["state"] == "running"]
        try:
            pids = [place._pid(HERE, name) for name in (ALPHA, BETA)]
        except FileNotFoundError:
            # A sliver that is just being removed, or made.
            return None
        return pids if running == [ALPHA, BETA] and all(pids) else None

    return place.until(look)


def test_planner_node_and_agents_show_theirs(place: Guarded) -> None:
    vitals(place)
    wanted = {"planner", f"node.{HERE}", *(f"agent.{name}.{HERE}" for name in (ALPHA, BETA))}
    there = place.until(lambda: (found := place.connections()) and wanted <= found.keys() and found)
    assert all(there[user]["ssl"] for user in wanted)
    subjects = {user: there[user]["peer_cert_subject"] for user in wanted}
    assert HERE in subjects[f"node.{HERE}"]
    assert "slivers" not in subjects[f"node.{HERE}"]
    assert f"slivers on {HERE}" in subjects[f"agent.{ALPHA}.{HERE}"]
    with place.scene.client() as client:
        shown = client.node(HERE)["certificate"]
        assert [one["act"] for one in client.audit({}) if one["act"] == "node.certify"]
    assert shown["fingerprint"] == certificates.held(place.node).fingerprint
    assert 29 < (shown["ends"] - now().timestamp()) / 86_400 <= 30


def strangers(place: Guarded, folder: Path) -> dict[str, Path | None]:
    """Each way to come without a certificate that counts."""
    foreign, month = Authority.made(now(), "DSMT client authority"), 30 * DAY
    server = folder / "server.pem"
    host = place.signer.certify(HERE, now())
    server.write_text(host.key + host.certificate)
    return {
        "none": None,
        "foreign": client_file(folder, foreign, HERE, now=now(), lasts=month),
        "ended": client_file(folder, place.clients, HERE, now=now() - 9 * DAY, lasts=DAY),
        "not yet": client_file(folder, place.clients, HERE, now=now() + 3 * DAY, lasts=DAY),
        "a host's": server,
        "of the hosts' authority": client_file(folder, place.signer, HERE, now=now(), lasts=month),
    }


def test_strangers_do_not_reach_the_login(place: Guarded, tmp_path: Path) -> None:
    before = vitals(place)
    # Each connects as whoever it says to be, if it gets so far.
    for what, path in strangers(place, tmp_path).items():
        assert place.reaches_the_login(path), what
    assert place.reaches_the_login(place.node / "node.pem") == ""
    assert vitals(place) == before


async def test_a_right_password_without_a_certificate_is_worth_nothing(place: Guarded) -> None:
    node = place.loot(Kind.NODE)
    bus = broker.connect(node.url)
    with pytest.raises(Denied, match="without a certificate of this installation: none was shown"):
        await bus.start(wait_s=20.0)
    await bus.close()
    own = with_certificate(node.url, str(place.node / "node.pem"))
    assert await let_in(own)
    # Nor is a certificate without the password: of another host, of this one, with another user.
    for user in (node.user, f"agent.{ALPHA}.{HERE}", "planner"):
        assert not await let_in(as_user(own, user, "guessed"))


def test_a_stolen_certificate_without_its_key_is_worth_nothing(place: Guarded, tmp_path: Path) -> None:
    text = (place.node / "node.pem").read_text()
    stolen = tmp_path / "stolen.pem"
    stolen.write_text(text[text.index("-----BEGIN CERTIFICATE") :])
    (tmp_path / "keys").mkdir()
    other = tmp_path / "other.key"
    other.write_text(OwnKey(tmp_path / "keys").pem)
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        place.reaches_the_login(stolen, other)


def test_a_nodes_certificate_passes_for_no_host(place: Guarded) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(place.node / "node.pem")
    # Who trusts the installation's authority, and even who trusts that of the clients.
    for trusted, code in ((place.signer, 20), (place.clients, 26)):
        client = ssl.create_default_context(cadata=trusted.der)
        ours, theirs = socket.socketpair()

        def serve(raw: socket.socket = theirs) -> None:
            try:
                server.wrap_socket(raw, server_side=True)
            except (ssl.SSLError, ConnectionError):
                raw.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ssl.SSLCertVerificationError) as told:
            client.wrap_socket(ours, server_hostname=HERE)
        ours.close()
        thread.join()
        assert told.value.verify_code == code


def given_on(place: Guarded, slice_: Slice) -> Path:
    """What a sliver shows, once that is what the node was given last."""
    shown, given = place.node / "slivers" / slice_ / "run" / "broker.pem", place.node / "slivers.pem"
    place.until(lambda: shown.read_text() == given.read_text())
    return shown


def test_slivers_have_no_part_in_the_nodes_key(place: Guarded) -> None:
    vitals(place)
    key = (place.node / "node.key").read_text().strip()
    pem = (place.node / "node.pem").read_text()
    private = re.findall(r"KEY-----\n(.+)\n-----END PRIVATE", pem)[0]
    for slice_ in (ALPHA, BETA):
        sliver = place.node / "slivers" / slice_
        shown = given_on(place, slice_)
        assert shown.stat().st_mode & 0o077 == 0
        for path in sliver.rglob("*"):
            if path.is_file() and not path.is_symlink():
                content = path.read_text(errors="replace")
                assert key not in content, path
                assert private not in content, path
        (held,) = (sliver / "run").glob("psepr.*.json")
        assert json.loads(held.read_text())["certificate"].endswith("/broker.pem")


def test_a_node_whose_certificate_has_ended_is_not_locked_out(place: Guarded) -> None:
    before = vitals(place)
    agents = {user: one["name"] for user, one in place.connections().items() if user.startswith("agent.")}
    # As on a node that was off, or away from its planner, for longer than a certificate lasts.
    key = OwnKey(place.node)
    der = place.clients.certify_client(HERE, out_of_text(key.public), now() - 60 * DAY, lasts=30 * DAY)
    path = place.node / "node.pem"
    path.write_text(key.pem + as_pem([der]))
    assert place.reaches_the_login(path)
    manager = place.scene.manager_pid(HERE)
    os.kill(manager, signal.SIGKILL)
    place.until(lambda: place.scene.manager_pid(HERE) not in {0, manager})
    place.until(lambda: life_of(path.read_bytes()).ends > now())
    place.until(lambda: f"node.{HERE}" in place.connections())
    # Neither the applications nor the connections of the agents know anything of it.
    assert vitals(place) == before
    there = place.connections()
    assert {user: there[user]["name"] for user in agents} == agents
    given_on(place, ALPHA)


async def test_an_excluded_nodes_certificate_takes_it_to_the_login_and_no_further(
    place: Guarded, tmp_path: Path
) -> None:
    url = with_certificate(place.loot(Kind.NODE).url, str(place.node / "node.pem"))
    assert await let_in(url)
    with place.scene.client() as client:
        client.stand("exclude", [HERE], said={"reason": "stolen", "at_once": True})
    place.until(lambda: f"node.{HERE}" not in place.users())
    assert place.reaches_the_login(place.node / "node.pem") == ""
    assert not await let_in(url)
    # Nor is it given another one, however often it asks.
    for name in ("claim", "node.key"):
        shutil.copy2(place.node / name, tmp_path / name)
    with place.scene.client() as client:
        before = [one for one in client.audit({}) if one["act"] == "node.certify"]
    with pytest.raises(Banished):
        joining.join(NodeConfig(planner=place.scene.planner_url, host=HERE, data=tmp_path))
    assert not (tmp_path / "node.pem").exists()
    with place.scene.client() as client:
        assert [one for one in client.audit({}) if one["act"] == "node.certify"] == before
    # It asks the planner, and ends what runs there; then it may come back.
    place.until(lambda: not [*(place.node / "slivers").glob("*/init.json")])
    with place.scene.client() as client:
        client.stand("include", [HERE])
    vitals(place)


async def test_of_two_copies_the_one_that_people_mean_goes_on_alone(place: Guarded, tmp_path: Path) -> None:
    before = vitals(place)
    # Somebody copies the disk of the node, and starts the copy elsewhere.
    other = tmp_path / "copy"
    other.mkdir()
    for name in KNOWN_BY:
        shutil.copy2(place.node / name, other / name)
    copy = NodeConfig(planner=place.scene.planner_url, host=HERE, data=other)
    held = joining.join(copy)
    assert held.broker == place.loot(Kind.NODE).url
    assert not told_of_a_copy(place)
    # With the next word of the first one there are two, whoever has restarted meanwhile.
    place.scene.planner.end()
    await place.scene.start_planner()
    os.kill(place.scene.manager_pid(HERE), signal.SIGKILL)

    def again() -> bool:
        joining.join(copy)
        return told_of_a_copy(place)

    place.until(again)
    assert vitals(place) == before
    # People say that the one elsewhere is right.
    with place.scene.client() as client:
        token = client.invite(uses=1, replaces=HERE)["token"]
    with pytest.raises(Denied, match="shows the key or claim of that one"):
        joining.join(replace(copy, token=token, data=rekeyed(other, tmp_path / "half", "node.key")))
    identity.run(["rekey", "--data", str(other)])
    renewed = joining.join(replace(copy, token=token))
    joining.remember(other, renewed)
    assert password_in(renewed.broker) != password_in(held.broker)
    assert not told_of_a_copy(place)
    # The other one is out: its connections, its password, its key.
    place.until(lambda: f"node.{HERE}" not in place.connections())
    assert not await let_in(with_certificate(held.broker, str(place.node / "node.pem")))
    with pytest.raises(Denied, match=f"another machine is {HERE}"):
        joining.join(replace(copy, data=place.node))
    assert await let_in(with_certificate(renewed.broker, str(other / "node.pem")))
    # And is the node again, with what the right one has.
    await place.scene.power_off(HERE)
    for name in KNOWN_BY:
        shutil.copy2(other / name, place.node / name)
    await place.scene.power_on(HERE)
    # Until then the planner tells what it heard before.
    place.until(lambda: vitals(place) != before)


KNOWN_BY = ("claim", "node.key", "node.json", "trust.json", *certificates.FILES)


def rekeyed(data: Path, other: Path, name: str) -> Path:
    """The same node with one thing of its own only: not enough to be another one."""
    shutil.copytree(data, other)
    (other / name).unlink()
    return other


def told_of_a_copy(place: Guarded) -> bool:
    with place.scene.client() as client:
        copied_at = client.node(HERE)["copied_at"]
        said = [one for one in client.audit({}) if one["act"] == "node.copied"]
    return bool(copied_at and said)
