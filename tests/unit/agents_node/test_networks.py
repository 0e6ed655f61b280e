"""What leads nowhere for programs with a network of their own, and who resolves their names."""

from __future__ import annotations

import ipaddress
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.container_manager.slivers import outward
from agents.sliver_init import routes
from agents.sliver_init.network import Network
from agents.sliver_init.outward import CIDR, RESOLVER


def route(table: int, kind: int, *attributes: tuple[int, bytes], length: int = 32) -> bytes:
    body = struct.pack("=BBBBBBBBI", socket.AF_INET, length, 0, 0, table, 2, 0, kind, 0)
    for name, value in attributes:
        body += struct.pack("=HH", 4 + len(value), name) + value + b"\0" * (-len(value) % 4)
    return body


def test_the_nodes_own_addresses_are_found_among_its_routes() -> None:
    address = socket.inet_aton("192.0.2.2")
    assert routes._local(route(255, 2, (15, b"odd"), (1, address))) == ("192.0.2.2", 32)
    # A route elsewhere, a broadcast, one without a destination.
    for other in (route(254, 1, (1, address)), route(255, 3, (1, address)), route(255, 2)):
        assert routes._local(other) is None


@given(st.binary(max_size=64))
def test_whatever_follows_a_route_is_read_to_its_end(rest: bytes) -> None:
    routes._local(route(255, 2) + rest)


def test_no_network_of_this_world_is_taken_for_that_of_a_sliver() -> None:
    taken = ipaddress.ip_network(CIDR)
    assert ipaddress.ip_address(RESOLVER) in taken
    for address, length in routes.BARRED:
        assert not taken.overlaps(ipaddress.ip_network(f"{address}/{length}"))


@pytest.mark.parametrize(
    ("nodes", "slivers"),
    [
        ("", "nameserver 198.18.0.3\n"),
        (
            "# ours\nsearch a.org\nnameserver 127.0.0.53\noptions edns0\n",
            "# ours\nsearch a.org\noptions edns0\nnameserver 127.0.0.53\nnameserver 198.18.0.3\n",
        ),
        # The C library asks three.
        (
            "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3",
            "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 198.18.0.3\n",
        ),
    ],
)
def test_the_nodes_servers_come_first_and_the_way_outwards_last(nodes: str, slivers: str) -> None:
    assert outward.resolvers(nodes) == slivers


def test_a_choice_that_is_not_known_lets_nothing_start() -> None:
    assert Network("host").descriptors == ()
    with pytest.raises(OSError, match="'odd' is not known here"):
        Network("odd")
