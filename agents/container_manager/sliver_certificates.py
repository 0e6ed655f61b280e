"""The certificate with which agents and applications come to a broker that asks for one, in each sliver.

It lies in the sliver's own directory and is read with each connection, so a new one needs no restart. The
node's own is nowhere in a sliver.
"""

from __future__ import annotations

import logging

from agents.container_manager import certificates
from agents.container_manager.config import NodeConfig
from agents.container_manager.slivers.driver import SliverDriver
from agents.container_manager.slivers.place import Place
from agents.deployment_agent import private_file
from dsmt_core.errors import DsmtError
from dsmt_core.names import Slice

FILE = "broker.pem"
_BYTES = 1 << 16
_WHAT = "the certificate for the broker"
_LOG = logging.getLogger(__name__)


def way(config: NodeConfig, broker: str, place: Place, driver: SliverDriver) -> dict[str, str]:
    """Lay it in a sliver, and what the agent is told of it; nothing where the broker speaks no TLS.

    Args:
        config: of the node.
        broker: its URL.
        place: the sliver.
        driver: knows how its processes name its directories.
    """
    if not broker.startswith("amqps://"):
        return {}
    _lay(config, place)
    return {"certificate": f"{driver.inside(place).run}/{FILE}"}


def lay_all(config: NodeConfig, broker: str) -> None:
    """Lay it in each sliver that there is: the node may have another one since now."""
    if not broker.startswith("amqps://") or not config.slivers.is_dir():
        return
    for found in config.slivers.iterdir():
        _lay(config, config.place(Slice(found.name)))


def _lay(config: NodeConfig, place: Place) -> None:
    pem = certificates.of_slivers(config.data).encode()
    if not pem or not place.run.is_dir():
        return
    path = place.run / FILE
    try:
        if private_file.read(path, _BYTES, _WHAT) == pem:
            return
    except DsmtError:
        # There is none, or the sliver has made something of it.
        pass
    try:
        private_file.write(path, pem, _WHAT)
    except DsmtError as error:
        _LOG.warning("sliver %s: %s", place.slice, error)
