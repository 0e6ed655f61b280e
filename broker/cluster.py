"""The files of a RabbitMQ cluster: one archive for each host, to be unpacked at its root. Pure.

Rule: what is confirmed is never lost by a cut, so the smaller part of a cluster pauses (`pause_minority`)
and only the greater one serves. Two hosts have no greater part: a cluster has three or five.

With certificates everything that leaves a host is in TLS: what clients say, what the hosts say to each
other (Erlang's distribution), and the replicas of the history, which have connections of their own.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from broker.address import Endpoint
from dsmt_core.errors import Invalid

# Text and mode of files, by their path; a path that ends with / is a directory.
Files = dict[str, tuple[str, int]]

_SIZES: Final = (3, 5, 7)
_OWNER: Final = "rabbitmq"
_ENVIRONMENT_FILE: Final = "etc/rabbitmq/rabbitmq-env.conf"
_PLUGINS: Final = "[rabbitmq_management,rabbitmq_event_exchange,rabbitmq_federation].\n"

_CONFIGURATION: Final = """\
# The same on every host of the cluster.
cluster_formation.peer_discovery_backend = classic_config
{nodes}
{listeners}
tcp_listen_options.backlog = 1024
tcp_listen_options.nodelay = true

# A host that sees less than half of the cluster pauses, and takes nothing that the others would not know.
cluster_partition_handling = pause_minority
# Seconds until a host that is cut off is given up (to 25 % more). With the usual 60 queues stall that long.
net_ticktime = 8

# The planner declares all over one connection: without these all would live on the host that it uses.
queue_leader_locator = balanced
queue_master_locator = min-masters
"""

_PLAIN: Final = "listeners.tcp.default = {port}"
_SECURE: Final = """\
listeners.tcp = none
listeners.ssl.default = {port}
ssl_options.certfile = /etc/rabbitmq/tls/host.pem
ssl_options.keyfile = /etc/rabbitmq/tls/host.key
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
# Without TLS only from this host itself; the planner keeps the users of the broker by the other one.
management.tcp.ip = 127.0.0.1
management.tcp.port = 15672
management.ssl.port = 15671
management.ssl.certfile = /etc/rabbitmq/tls/host.pem
management.ssl.keyfile = /etc/rabbitmq/tls/host.key"""
# Whoever connects shows a certificate of the clients' authority: a stranger does not reach the login.
ASKED: Final = """\
ssl_options.cacertfile = {clients}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""

_ENVIRONMENT: Final = """\
USE_LONGNAME=true
NODENAME={node}
"""
# For the server, and for rabbitmqctl, which is one more of those who speak with it.
_ENVIRONMENT_SECURE: Final = """\
SERVER_ADDITIONAL_ERL_ARGS="-proto_dist inet_tls -ssl_dist_optfile /etc/rabbitmq/tls/hosts.config"
CTL_ERL_ARGS="-proto_dist inet_tls -ssl_dist_optfile /etc/rabbitmq/tls/hosts.config"
"""

# Each of two hosts shows its certificate, and looks at the other's.
_SHOWN: Final = """\
{cacertfile, "/etc/rabbitmq/tls/authority.pem"},
    {certfile, "/etc/rabbitmq/tls/host.pem"},
    {keyfile, "/etc/rabbitmq/tls/host.key"},
    {verify, verify_peer}"""
_DISTRIBUTION: Final = f"""\
[{{server, [
    {_SHOWN},
    {{fail_if_no_peer_cert, true}}]}},
 {{client, [
    {_SHOWN}]}}].
"""
# The replicas of a stream do not use the distribution.
_ADVANCED: Final = f"""\
[{{osiris, [
  {{replication_transport, ssl}},
  {{replication_server_ssl_options, [
    {_SHOWN},
    {{fail_if_no_peer_cert, true}}]}},
  {{replication_client_ssl_options, [
    {_SHOWN}]}}]}}].
"""


@dataclass(frozen=True, slots=True)
class Certified:
    """What a host shows to clients and to the other hosts; all in PEM.

    Attributes:
        authority: the certificate of who signed the host's.
        certificate: the host's.
        key: the host's, a secret.
    """

    authority: str
    certificate: str
    key: str = field(repr=False)


def archives(
    hosts: Sequence[Endpoint], cookie: str, certified: Mapping[str, Certified] | None = None
) -> dict[str, bytes]:
    """The archive of each host, by name: configuration, name, plug-ins and the cookie that they share.

    Args:
        hosts: all of them, with the port of AMQP; as they see each other.
        cookie: a secret: whoever has it may command the brokers, where he reaches them.
        certified: what each of them shows, by name; without it nothing is in TLS.

    Raises:
        Invalid: the number of hosts, differing ports, or a host that Erlang cannot name.
    """
    if len({host.host for host in hosts}) != len(hosts) or len(hosts) not in _SIZES:
        raise Invalid(
            f"a cluster of {len(hosts)} hosts is not possible",
            hint="name three, five or seven different hosts: after a cut one part has to be the greater",
        )
    if len({host.port for host in hosts}) != 1:
        raise Invalid("the hosts of a cluster have the same port", hint="leave the ports out")
    for host in hosts:
        if "." not in host.host:
            raise Invalid(
                f"{host.host} is no full name of a host", hint="mq1.example.org, or an IPv4 address"
            )
    configuration = _configuration(hosts, secure=certified is not None)
    made = {}
    for host in hosts:
        files = {"etc/rabbitmq/rabbitmq.conf": (configuration, 0o644)} | _own(host, cookie)
        if certified is not None:
            files |= _secured(certified[host.host], files)
        made[host.host] = _packed(files)
    return made


def certificate_archive(certified: Certified) -> bytes:
    """A new certificate for a host that has all the rest."""
    return _packed(_shown(certified))


def _node(host: Endpoint) -> str:
    """The Erlang name of the RabbitMQ on ``host``."""
    return f"rabbit@{host.host}"


def _configuration(hosts: Sequence[Endpoint], *, secure: bool) -> str:
    nodes = "\n".join(
        f"cluster_formation.classic_config.nodes.{number} = {_node(one)}"
        for number, one in enumerate(hosts, 1)
    )
    listeners = (_SECURE if secure else _PLAIN).format(port=hosts[0].port)
    return _CONFIGURATION.format(nodes=nodes, listeners=listeners)


def _own(host: Endpoint, cookie: str) -> Files:
    return {
        _ENVIRONMENT_FILE: (_ENVIRONMENT.format(node=_node(host)), 0o644),
        "etc/rabbitmq/enabled_plugins": (_PLUGINS, 0o644),
        "var/lib/rabbitmq/.erlang.cookie": (cookie, 0o400),
    }


def _secured(certified: Certified, files: Files) -> Files:
    """What TLS adds to ``files``."""
    environment, mode = files[_ENVIRONMENT_FILE]
    return _shown(certified) | {
        _ENVIRONMENT_FILE: (environment + _ENVIRONMENT_SECURE, mode),
        "etc/rabbitmq/advanced.config": (_ADVANCED, 0o644),
        "etc/rabbitmq/tls/hosts.config": (_DISTRIBUTION, 0o644),
    }


def _shown(certified: Certified) -> Files:
    return {
        "etc/rabbitmq/tls/": ("", 0o755),
        "etc/rabbitmq/tls/authority.pem": (certified.authority, 0o644),
        "etc/rabbitmq/tls/host.pem": (certified.certificate, 0o644),
        "etc/rabbitmq/tls/host.key": (certified.key, 0o400),
    }


def _packed(files: Files) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, (text, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), mode
            if name.endswith("/"):
                entry.type = tarfile.DIRTYPE
            entry.uname = entry.gname = _OWNER
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()
