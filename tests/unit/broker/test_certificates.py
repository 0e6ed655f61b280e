"""The certificates of a cluster's hosts: Python's TLS takes them for their host only, and says why not."""

from __future__ import annotations

import io
import ssl
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker import definitions
from broker.address import parse, with_authority
from broker.bus import Limits
from broker.certificates import AUTHORITY_LIFE, HOST_LIFE, Authority
from broker.cluster import Certified
from broker.rabbit.connection import parameters
from broker.rabbit.refusals import ours
from dsmt_core.errors import Invalid

NOW = datetime.now(UTC)
ADDRESSES = ("10.77.1.1", "10.77.1.2", "10.77.1.3")
WORDS = ("--cluster", "--tls", "--address", ",".join(ADDRESSES))


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.made(NOW)


def greeted(folder: Path, shown: Certified, trusting: ssl.SSLContext, host: str) -> str:
    """What a client that wants ``host`` says of who shows ``shown``; empty: taken."""
    (folder / "host.pem").write_text(shown.certificate)
    (folder / "host.key").write_text(shown.key)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(folder / "host.pem", folder / "host.key")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there, server_hostname=host)
    server = serving.wrap_bio(there, back, server_side=True)
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return str(ours(error, f"{host}:5671"))
        if len(done) == 2:
            return ""
    return "they did not come to an end"


def trusting(authority: Authority) -> ssl.SSLContext:
    """What the bus makes of a URL with this authority."""
    url = with_authority("amqps://u:p@mq1.example.org/dsmt", authority.der)
    address = parse(url)
    made = parameters(address, address.endpoints[0], Limits(), "test").ssl_options
    assert made.server_hostname == "mq1.example.org"
    context: ssl.SSLContext = made.context
    return context


@pytest.mark.parametrize("host", ["mq1.example.org", "10.77.1.1"])
def test_a_host_is_taken_by_who_has_the_url(host: str, authority: Authority, tmp_path: Path) -> None:
    assert greeted(tmp_path, authority.certify(host, NOW), trusting(authority), host) == ""


def test_it_is_taken_where_certificates_are_looked_at_strictly(
    authority: Authority, tmp_path: Path
) -> None:
    strict = trusting(authority)
    # The default from Python 3.13 on.
    strict.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    assert greeted(tmp_path, authority.certify("10.77.1.1", NOW), strict, "10.77.1.1") == ""


@pytest.mark.parametrize(
    ("host", "made", "said"),
    [
        ("mq2.example.org", NOW, "its certificate is for another name"),
        ("10.77.1.2", NOW, "its certificate is for another address"),
        ("mq1.example.org", NOW - HOST_LIFE, "its certificate has ended (is the clock right?)"),
        (
            "mq1.example.org",
            NOW + timedelta(days=9),
            "its certificate is not valid yet (is the clock right?)",
        ),
    ],
)
def test_a_certificate_that_is_not_right_is_told_in_one_line(
    host: str, made: datetime, said: str, authority: Authority, tmp_path: Path
) -> None:
    told = greeted(tmp_path, authority.certify("mq1.example.org", made), trusting(authority), host)
    assert told == f"{host}:5671 is not taken for the broker: {said}"


def test_another_installation_s_host_and_a_machine_s_own_list_are_not_taken(
    authority: Authority, tmp_path: Path
) -> None:
    host = "mq1.example.org"
    for other in (trusting(Authority.made(NOW)), ssl.create_default_context()):
        told = greeted(tmp_path, authority.certify(host, NOW), other, host)
        assert told.endswith("its certificate is not signed by the authority that is trusted here")


def test_a_host_s_certificate_signs_no_others(authority: Authority, tmp_path: Path) -> None:
    host = authority.certify("mq1.example.org", NOW)
    thief = Authority(host.certificate.encode(), host.key.encode())
    stolen = thief.certify("mq2.example.org", NOW)
    chain = Certified(stolen.authority, stolen.certificate + host.certificate, stolen.key)
    assert greeted(tmp_path, chain, trusting(authority), "mq2.example.org").endswith("trusted here")


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    old = Authority.made(NOW - AUTHORITY_LIFE + timedelta(days=1))
    shown = old.certify("mq1.example.org", NOW)
    (tmp_path / "one.pem").write_text(shown.certificate)
    ends = ssl._ssl._test_decode_cert(str(tmp_path / "one.pem"))["notAfter"]  # type: ignore[attr-defined]
    assert ssl.cert_time_to_seconds(ends) <= (NOW + timedelta(days=1)).timestamp()


def test_files_of_an_authority_that_do_not_belong_together_are_refused(authority: Authority) -> None:
    other = Authority.made(NOW)
    for wrong in (
        Authority(authority.certificate, other.key),
        Authority(b"x", other.key),
        Authority(other.certificate, b"x"),
    ):
        with pytest.raises(Invalid):
            wrong.certify("mq1.example.org", NOW)
    assert "PRIVATE" not in repr(authority)


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["definitions", str(folder), *words])
    return definitions.main()


def members(archive: Path) -> dict[str, tuple[int, str]]:
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as packed:
        found = {}
        for member in packed:
            assert (member.uname, member.gname) == ("rabbitmq", "rabbitmq")
            file = packed.extractfile(member)
            if file is None:
                # Whatever the umask of who unpacks it, RabbitMQ has to get in.
                assert (member.name, member.isdir(), member.mode) == ("etc/rabbitmq/tls", True, 0o755)
                continue
            found[member.name] = (member.mode, file.read().decode())
        return found


def test_each_host_gets_its_own_key_and_listens_with_tls_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "set-up"
    assert written(place, monkeypatch, *WORDS) == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.iterdir())
    keys = set()
    for address in ADDRESSES:
        files = members(place / f"{address}.tar")
        mode, key = files["etc/rabbitmq/tls/host.key"]
        assert mode == 0o400
        keys.add(key)
        configuration = files["etc/rabbitmq/rabbitmq.conf"][1]
        assert "listeners.tcp = none\nlisteners.ssl.default = 5671\n" in configuration
        assert "management.tcp.ip = 127.0.0.1\n" in configuration
        assert "listeners.tcp.default" not in configuration
        # The server and rabbitmqctl both.
        assert files["etc/rabbitmq/rabbitmq-env.conf"][1].count("-proto_dist inet_tls") == 2
        assert "{replication_transport, ssl}" in files["etc/rabbitmq/advanced.config"][1]
        assert files["etc/rabbitmq/tls/authority.pem"][1] == (place / "authority.pem").read_text()
        assert (place / "authority.key").read_text() not in str(files)
    assert len(keys) == 3


def test_the_urls_name_all_hosts_and_the_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(tmp_path, monkeypatch, *WORDS) == 0
    lines = (tmp_path / "broker.env").read_text().splitlines()
    managed = [line for line in lines if line.startswith("DSMT_BROKER_MANAGEMENT=https://admin:")]
    assert [line.rpartition("@")[2] for line in managed] == [",".join(f"{one}:15671" for one in ADDRESSES)]
    assert len(lines) == 6
    for line in set(lines) - set(managed):
        address = parse(line.partition("=")[2])
        assert (address.scheme, address.places) == (
            "amqps",
            ", ".join(f"{host}:5671" for host in ADDRESSES),
        )
        assert ssl.DER_cert_to_PEM_cert(address.authority).split() == (
            (tmp_path / "authority.pem").read_text().split()
        )


def test_a_host_gets_a_new_certificate_of_the_same_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert written(tmp_path, monkeypatch, *WORDS) == 0
    assert written(tmp_path, monkeypatch, "--certificate", "10.77.1.2") == 0
    files = members(tmp_path / "10.77.1.2.certificate.tar")
    assert sorted(files) == [
        f"etc/rabbitmq/tls/{name}" for name in ("authority.pem", "host.key", "host.pem")
    ]
    assert (
        files["etc/rabbitmq/tls/host.key"]
        != members(tmp_path / "10.77.1.2.tar")["etc/rabbitmq/tls/host.key"]
    )
    shown = Certified("", files["etc/rabbitmq/tls/host.pem"][1], files["etc/rabbitmq/tls/host.key"][1])
    made = Authority((tmp_path / "authority.pem").read_bytes(), (tmp_path / "authority.key").read_bytes())
    assert greeted(tmp_path, shown, trusting(made), "10.77.1.2") == ""
    assert written(tmp_path, monkeypatch, "--certificate", "10.77.1.2") == 6
    assert written(tmp_path / "nothing", monkeypatch, "--certificate", "10.77.1.2") == 3
    assert written(tmp_path, monkeypatch, "--certificate", "a,b") == 3
    said = capsys.readouterr().err
    assert "authority.pem\n  name the directory that --cluster --tls has written" in said
    assert "--certificate a,b: these are several hosts" in said


def test_without_the_library_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "broker.certificates", None)
    assert written(tmp_path / "x", monkeypatch, *WORDS) == 5
    assert capsys.readouterr().err.endswith("  pip install 'dsmt[tls]'\n")
    assert not (tmp_path / "x").exists()
