"""The files of a cluster and of a region, and the names of stand-ins."""

from __future__ import annotations

import io
import json
import re
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker import definitions, federation
from broker.address import endpoints, with_authority
from broker.certificates import Authority
from broker.cluster import archives
from broker.federation import described
from broker.policies import WAITING, WAITING_BYTES
from broker.standins import Seat, called, has_one_host, is_down, names
from broker.topology import INGEST, node_queue, node_topology, planner_topology
from dsmt_core.errors import Invalid
from dsmt_core.names import Host

HOSTS = endpoints("mq1.example.org,mq2.example.org,mq3.example.org")
SECRET = "s3cr3t-word"
DOWN = "home node 'rabbit@b' of durable queue 'q' in vhost 'dsmt' is down or inaccessible (404)"


def unpacked(archive: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        texts = {}
        for member in packed:
            file = packed.extractfile(member)
            assert file is not None
            texts[member.name] = file.read().decode()
            assert (member.uname, member.gname) == ("rabbitmq", "rabbitmq")
        return texts


def test_every_host_gets_the_same_configuration_and_its_own_name() -> None:
    made = archives(HOSTS, SECRET)
    files = [unpacked(made[host.host]) for host in HOSTS]
    assert len({one["etc/rabbitmq/rabbitmq.conf"] for one in files}) == 1
    assert "nodes.3 = rabbit@mq3.example.org\n" in files[0]["etc/rabbitmq/rabbitmq.conf"]
    assert "cluster_partition_handling = pause_minority\n" in files[0]["etc/rabbitmq/rabbitmq.conf"]
    assert "NODENAME=rabbit@mq2.example.org\n" in files[1]["etc/rabbitmq/rabbitmq-env.conf"]
    assert {one["var/lib/rabbitmq/.erlang.cookie"] for one in files} == {SECRET}


def test_only_its_owner_may_read_the_cookie() -> None:
    with tarfile.open(fileobj=io.BytesIO(archives(HOSTS, SECRET)["mq1.example.org"])) as packed:
        assert packed.getmember("var/lib/rabbitmq/.erlang.cookie").mode == 0o400


@pytest.mark.parametrize(
    "hosts",
    [
        "a.b",
        "a.b,c.d",
        "a.b,c.d,a.b",
        "a.b,c.d,e.f,g.h",
        "a.b,c.d,mq3",
        "a.b:1,c.d:2,e.f:1",
        "a.b,c.d,[::1]",
    ],
)
def test_what_cannot_be_a_cluster_is_refused(hosts: str) -> None:
    with pytest.raises(Invalid):
        archives(endpoints(hosts), SECRET)


def test_the_command_writes_private_files_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "set-up"
    words = ["definitions", str(place), "--address", "a.b,c.d,e.f", "--cluster"]
    monkeypatch.setattr("sys.argv", words)
    assert definitions.main() == 0
    assert {path.name for path in place.iterdir()} == {
        *("definitions.json", "broker.env", "a.b.tar", "c.d.tar", "e.f.tar")
    }
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.iterdir())
    assert "@a.b,c.d,e.f/dsmt\n" in (place / "broker.env").read_text()
    assert definitions.main() == 6
    for wrong in (["--address", "a b"], ["--cluster", "--tls", "--address", "a.b,c.d"]):
        monkeypatch.setattr("sys.argv", ["definitions", str(tmp_path / "other"), *wrong])
        assert definitions.main() == 3
    said = capsys.readouterr().err
    assert "--address a b: the broker's URL is not legal" in said
    assert "--address a.b,c.d: a cluster of 2 hosts is not possible" in said


def test_every_broker_bounds_what_waits_for_a_region_whether_or_not_it_hears_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["definitions", str(tmp_path / "made")])
    assert definitions.main() == 0
    (bounds,) = json.loads((tmp_path / "made/definitions.json").read_text())["policies"]
    assert re.match(bounds["pattern"], "federation: psepr -> west:dsmt:psepr.regions")
    assert (bounds["apply-to"], bounds["vhost"]) == ("queues", "dsmt")
    assert bounds["definition"] == {
        "max-length": WAITING,
        "max-length-bytes": WAITING_BYTES,
        "overflow": "drop-head",
    }


def test_a_region_hears_others() -> None:
    url = f"amqp://region:{SECRET}@mq1.east,mq2.east/dsmt"
    made = described("west", {"east": url})
    upstream = made["parameters"][0]["value"]
    assert upstream["uri"] == [
        f"amqp://region:{SECRET}@mq1.east:5672/dsmt",
        f"amqp://region:{SECRET}@mq2.east:5672/dsmt",
    ]
    assert (upstream["exchange"], upstream["max-hops"], upstream["trust-user-id"]) == ("psepr", 1, True)
    assert 0 < upstream["message-ttl"] < upstream["expires"]
    assert [policy["pattern"] for policy in made["policies"]] == [r"^psepr\.regions$"]
    assert made["global_parameters"] == [{"name": "cluster_name", "value": "west"}]


def test_over_tls_a_region_asks_for_the_other_s_certificate_and_name(tmp_path: Path) -> None:
    authority = Authority.made(datetime.now(UTC))
    urls = {
        "east": with_authority(f"amqps://region:{SECRET}@mq1.east/dsmt", authority.der),
        "north": f"amqps://region:{SECRET}@mq.north/dsmt?heartbeat=5",
    }
    east, north = (one["value"]["uri"][0] for one in described("west", urls)["parameters"])
    assert east == (
        f"amqps://region:{SECRET}@mq1.east:5671/dsmt?cacertfile=/etc/rabbitmq/region-east.pem"
        "&verify=verify_peer&server_name_indication=mq1.east"
    )
    assert north == (
        f"amqps://region:{SECRET}@mq.north:5671/dsmt?heartbeat=5"
        "&cacertfile=/etc/ssl/certs/ca-certificates.crt&verify=verify_peer&server_name_indication=mq.north"
    )
    words = [word for name, url in urls.items() for word in ("--upstream", f"{name}={url}")]
    assert federation.main([str(tmp_path / "west.json"), "--name", "west", *words]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"west.json", "region-east.pem"}
    assert (tmp_path / "region-east.pem").read_text().split() == authority.certificate.decode().split()
    wrong = with_authority(f"amqps://region:{SECRET}@mq1.east/dsmt", b"no certificate")
    assert federation.main([str(tmp_path / "x"), "--name", "west", "--upstream", f"east={wrong}"]) == 3


def test_a_region_s_file_is_private_written_once_and_wrong_words_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "west.json"
    words = [str(file), "--name", "west", "--upstream", f"east=amqp://region:{SECRET}@mq.east/dsmt"]
    assert federation.main(words) == 0
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text())["parameters"][0]["name"] == "east"
    assert federation.main(words) == 6
    for name, upstream in (
        ("east", f"east=amqp://region:{SECRET}@mq/"),
        ("West!", f"east=amqp://region:{SECRET}@mq/"),
        ("west", f"amqp://region:{SECRET}@mq/"),
        ("west", f"east=amqp://region:{SECRET}@mq:x/"),
    ):
        assert federation.main([str(tmp_path / "no"), "--name", name, "--upstream", upstream]) == 3
    said = capsys.readouterr()
    assert SECRET not in said.err + said.out


def test_a_stand_in_has_the_bindings_of_the_queue_and_ends_unread() -> None:
    host = Host("h1.example.org")
    queues, bindings = node_topology(host)
    name = names(node_queue(host))[1]
    one, own = called(queues[0], bindings, name)
    assert (one.name, [binding.queue for binding in own]) == (name, [name])
    assert one.arguments.items() > queues[0].arguments.items()
    assert one.arguments["x-expires"] > 0
    assert called(queues[0], bindings, queues[0].name) == (queues[0], bindings)


def test_only_what_lives_on_one_host_has_stand_ins() -> None:
    queues, _ = planner_topology(5.0)
    assert [queue.name for queue in queues if not has_one_host(queue)] == [INGEST]


def test_a_reader_looks_further_only_behind_a_host_that_is_down() -> None:
    seat = Seat("q")
    assert is_down(DOWN)
    seat.refused(DOWN)
    assert seat.name == "q~1"
    seat.refused("no queue 'q~1' in vhost 'dsmt'")
    assert seat.name == "q"
    for expected in ("q~1", "q~2", "q"):
        seat.refused(DOWN)
        assert seat.name == expected
    seat.refused(DOWN)
    seat.taken()
    assert seat.name == "q"
