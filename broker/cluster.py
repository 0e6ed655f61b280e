"""The files of a RabbitMQ cluster: one archive for each host, to be unpacked at its root. Pure.

Rule: what is confirmed is never lost by a cut, so the smaller part of a cluster pauses (`pause_minority`)
and only the greater one serves. Two hosts have no greater part: a cluster has three or five.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from typing import Final

from broker.address import Endpoint
from dsmt_core.errors import Invalid

_SIZES: Final = (3, 5, 7)
_OWNER: Final = "rabbitmq"
_PLUGINS: Final = "[rabbitmq_management,rabbitmq_event_exchange,rabbitmq_federation].\n"

_CONFIGURATION: Final = """\
# The same on every host of the cluster.
cluster_formation.peer_discovery_backend = classic_config
{nodes}
listeners.tcp.default = {port}
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

_ENVIRONMENT: Final = """\
USE_LONGNAME=true
NODENAME={node}
"""


def archives(hosts: Sequence[Endpoint], cookie: str) -> dict[str, bytes]:
    """The archive of each host, by name: configuration, name, plug-ins and the cookie that they share.

    Args:
        hosts: all of them, with the port of AMQP; as they see each other.
        cookie: a secret: whoever has it may command the brokers.

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
    return {host.host: _archive(host, hosts, cookie) for host in hosts}


def _node(host: Endpoint) -> str:
    """The Erlang name of the RabbitMQ on ``host``."""
    return f"rabbit@{host.host}"


def _archive(host: Endpoint, hosts: Sequence[Endpoint], cookie: str) -> bytes:
    nodes = "\n".join(
        f"cluster_formation.classic_config.nodes.{number} = {_node(one)}"
        for number, one in enumerate(hosts, 1)
    )
    files = {
        "etc/rabbitmq/rabbitmq.conf": (_CONFIGURATION.format(nodes=nodes, port=host.port), 0o644),
        "etc/rabbitmq/rabbitmq-env.conf": (_ENVIRONMENT.format(node=_node(host)), 0o644),
        "etc/rabbitmq/enabled_plugins": (_PLUGINS, 0o644),
        "var/lib/rabbitmq/.erlang.cookie": (cookie, 0o400),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, (text, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), mode
            entry.uname = entry.gname = _OWNER
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()
