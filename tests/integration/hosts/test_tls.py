"""One host from the files that ``--cluster --tls`` writes: who is taken, and who is refused, and why.

A cluster of such hosts is in tests/chaos; this one is alone, as the first that is started.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import broker
from broker.address import Endpoint, parse, with_authority
from broker.bus import Bus, Link
from broker.server.member import Member
from broker.server.settings import PROGRAM
from broker.topology import planner_topology
from dsmt_core.channels import Channel
from dsmt_core.events import Event, Sender
from lab.network import Host as Machine
from lab.network import Network
from tests.integration.hosts.company import TTL_S, until
from tests.integration.hosts.conftest import Connect

PINGER = Channel("/com/example/pinger/")
OTHER_ADDRESS = "10.77.4.203"
PLAIN, SECURE, DISTRIBUTION, MANAGEMENT = 5672, 5671, 25672, 15672


@dataclass
class Secured:
    """The one host that runs, and the URLs that name it."""

    machine: Machine
    member: Member
    folder: Path
    urls: dict[str, str]

    @property
    def address(self) -> str:
        return self.machine.address

    def url(self, *, user: str = "DSMT_OPERATOR_BROKER", scheme: str = "amqps", port: int = SECURE) -> str:
        """The URL with this host only, and without an authority."""
        address = parse(self.urls[user])
        return f"{scheme}://{address.login}@{self.address}:{port}{address.path}"


@pytest.fixture(scope="module")
def secured(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """This thread is on a host of its own beside it."""
    folder = tmp_path_factory.mktemp("tls")
    lan = network.switch("10.77.4")
    # The other two are there, and not started: they refuse at once, where nobody would be waited for.
    machine, *others = (network.host(f"mq{number}", lan) for number in (1, 2, 3))
    hosts = ",".join(one.address for one in (machine, *others))
    definitions(folder, "--cluster", "--tls", "--address", hosts)
    member = Member(folder / "mq1", Endpoint(machine.address, SECURE), machine.enter)
    with ExitStack() as stack:
        stack.enter_context(network.host("client", lan).entered())
        # One that its certificate does not name.
        also = [*machine.enter, "ip", "address", "add", f"{OTHER_ADDRESS}/24", "dev", "eth0"]
        subprocess.run(also, check=True)
        stack.callback(member.kill)
        member.install(folder / "set-up" / f"{machine.address}.tar")
        member.begin()
        member.wait(90)
        member.control("import_definitions", str(folder / "set-up/definitions.json"))
        lines = (folder / "set-up/broker.env").read_text().splitlines()
        yield Secured(machine, member, folder, dict(line.split("=", 1) for line in lines))


async def refused(url: str, reason: str) -> None:
    """Who connects with ``url`` is refused, and told ``reason``."""
    bus = broker.connect(url, name="refused")
    await bus.start()
    # It tries again and again; of a host that is busy it may first be told that there is no answer in time.
    with suppress(TimeoutError):
        await until(lambda: reason in bus.health.last_error)
    assert reason in bus.health.last_error
    assert bus.health.link is not Link.CONNECTED
    await bus.close()


async def test_who_has_the_url_publishes_and_reads(secured: Secured, connect: Connect) -> None:
    planner: Bus = await connect(secured.urls["DSMT_BROKER"])
    await planner.declare(*planner_topology(60.0))
    speaker: Bus = await connect(secured.urls["DSMT_OPERATOR_BROKER"])
    assert speaker.health.link is Link.CONNECTED
    event = Sender("s1_mgr", "h1.example.org/a", "b").event(
        PINGER, "status", now=1.0, id_="1", ttl=TTL_S, value="x" * 100_000
    )
    heard: list[Event] = []
    async with planner.lease(PINGER) as lease:
        await speaker.publish(event)
        async for delivery in lease:
            heard.append(delivery.event)
            break
    assert heard == [event]


async def test_who_does_not_trust_the_authority_or_names_another_host_is_told_so(secured: Secured) -> None:
    await refused(secured.url(), "its certificate is not signed by the authority that is trusted here")
    authority = parse(secured.urls["DSMT_BROKER"]).authority
    other = secured.url().replace(secured.address, OTHER_ADDRESS)
    await refused(
        with_authority(other, authority),
        f"{OTHER_ADDRESS}:5671 is not taken for the broker: its certificate is for another address",
    )


async def test_nobody_is_served_without_tls(secured: Secured) -> None:
    await refused(
        secured.url(scheme="amqp"),
        f"{secured.address}:5671 ended the connection before it spoke AMQP (does it want amqps://?)",
    )
    for port in (PLAIN, MANAGEMENT):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((secured.address, port), timeout=60.0)


def test_who_has_the_cookie_and_no_certificate_is_not_a_host(secured: Secured) -> None:
    own = secured.folder / "mq1/root/etc/rabbitmq/tls"
    known = secured.folder / "hosts.config"
    known.write_text((own / "hosts.config").read_text().replace("/etc/rabbitmq/tls", str(own)))
    secretly = f"-proto_dist inet_tls -ssl_dist_optfile {known}"
    # On a crowded machine two hosts may take longer to shake hands than Erlang waits.
    tries = (asked(secured, secretly) for _ in range(5))
    told = next((one for one in tries if one.returncode == 0), None) or asked(secured, secretly)
    assert told.returncode == 0, told.stderr
    assert asked(secured, "").returncode != 0
    authority = parse(secured.urls["DSMT_BROKER"]).authority
    with (
        socket.create_connection((secured.address, DISTRIBUTION), timeout=60.0) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure|certificate.required"),
        ssl.create_default_context(cadata=authority).wrap_socket(
            plain, server_hostname=secured.address
        ) as ended,
    ):
        ended.recv(1)


async def test_a_new_certificate_is_shown_without_a_restart(secured: Secured, connect: Connect) -> None:
    before = shown(secured)
    definitions(secured.folder, "--certificate", secured.address)
    secured.member.install(secured.folder / "set-up" / f"{secured.address}.certificate.tar")
    secured.member.control("eval", "ssl:clear_pem_cache().")
    assert shown(secured) != before
    await connect(secured.urls["DSMT_BROKER"])


def asked(secured: Secured, erlang: str) -> subprocess.CompletedProcess[str]:
    """What rabbitmqctl gets, with the cookie and these arguments for its Erlang."""
    return subprocess.run(
        [
            *(*secured.machine.enter, str(PROGRAM.with_name("rabbitmqctl"))),
            *("--longnames", "--node", secured.member.node, "--timeout", "10", "status"),
        ],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(secured.folder / "mq1/root/var/lib/rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CTL_ERL_ARGS": erlang,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def shown(secured: Secured) -> str:
    return ssl.get_server_certificate((secured.address, SECURE), timeout=60.0)


def definitions(folder: Path, *words: str) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "broker.definitions", str(folder / "set-up"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
