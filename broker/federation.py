"""``python -m broker.federation FILE --name WEST --upstream EAST=URL``: other regions are heard here.

Writes definitions, to be imported here with ``rabbitmqctl import_definitions < FILE``. The regions that are
named have to have the user ``region`` (`broker.definitions` makes it) and need nothing else. For both
directions each region gets a file of its own. Doing it again with other regions replaces what is of the
same name. Where an upstream's URL names its authority, that is written beside, as ``region-NAME.pem``: it
belongs to ``/etc/rabbitmq`` of every host here.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from broker.address import Address, parse
from broker.policies import policy
from broker.server.settings import VHOST
from broker.trust import trusting
from dsmt_core.errors import Conflict, Invalid
from dsmt_core.rights import PSEPR, REGIONS

# How long the upstream region keeps what waits for a region that is away; see also `broker.policies`.
WAITING_S: Final = 600.0
# A region that is away for longer is forgotten upstream; it subscribes anew when it comes back.
AWAY_S: Final = 3600.0
_RECONNECT_S: Final = 2
_UNDER_WAY: Final = 1_000
# Erlang asks for no certificate unless told where it finds who signs; Debian's list of all who may.
_ETC: Final = "/etc/rabbitmq"
_ANYBODY: Final = "/etc/ssl/certs/ca-certificates.crt"
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


def described(name: str, upstreams: Mapping[str, str], *, vhost: str = VHOST) -> dict[str, Any]:
    """The definitions of a region.

    Args:
        name: of this region; the regions know each other by their names, so no two have the same.
        upstreams: URL of each region that is heard, by its name.
        vhost: the virtual host here.

    Raises:
        Invalid: a name or a URL is not legal, or a region is to hear itself.
    """
    for region in (name, *upstreams):
        if not _NAME.fullmatch(region):
            raise Invalid(
                f"{region[:40]!r} is not the name of a region", hint="as in: europe-west, at most 32"
            )
    if name in upstreams:
        raise Invalid(f"the region {name} cannot be its own upstream", hint="name the other regions only")
    return {
        "global_parameters": [{"name": "cluster_name", "value": name}],
        "parameters": [_upstream(region, url, vhost) for region, url in upstreams.items()],
        "policies": [
            policy(
                vhost, "regions", f"^{re.escape(REGIONS)}$", "exchanges", {"federation-upstream-set": "all"}
            ),
        ],
    }


def _upstream(region: str, url: str, vhost: str) -> dict[str, Any]:
    """One region that is heard; it is asked only for what somebody here is bound to."""
    address = parse(url)
    value = {
        "uri": _uris(region, address),
        "exchange": PSEPR,
        "max-hops": 1,
        # Without it the user is cleared, and every receiver refuses what names no user.
        "trust-user-id": True,
        "ack-mode": "on-confirm",
        "prefetch-count": _UNDER_WAY,
        "reconnect-delay": _RECONNECT_S,
        "message-ttl": round(WAITING_S * 1000),
        "expires": round(AWAY_S * 1000),
    }
    return {"vhost": vhost, "component": "federation-upstream", "name": region, "value": value}


def _uris(region: str, address: Address) -> list[str]:
    """The URLs for Erlang's client: over TLS it is told whom to trust, and which name to look for."""
    urls = [(endpoint.host, address.url(endpoint)) for endpoint in address.endpoints]
    if address.scheme == "amqp":
        return [url for _, url in urls]
    trusted = f"{_ETC}/{_authority(region)}" if address.authority else _ANYBODY
    asked = {"cacertfile": trusted, "verify": "verify_peer"}
    return [
        f"{url}{'&' if '?' in url else '?'}{urlencode(asked | {'server_name_indication': host}, safe='/')}"
        for host, url in urls
    ]


def _authority(region: str) -> str:
    return f"region-{region}.pem"


def authorities(upstreams: Mapping[str, str]) -> dict[str, str]:
    """The authorities that URLs name, in PEM, by the name of the file.

    Args:
        upstreams: URL of each region that is heard, by its name.

    Raises:
        Invalid: a URL is not legal.
    """
    named = {region: parse(url).authority for region, url in upstreams.items()}
    return {_authority(region): _pem(authority) for region, authority in named.items() if authority}


def _pem(authority: bytes) -> str:
    certificates = trusting(authority).get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, certificates))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, which holds passwords, for its owner only; 6 when it is there already."""
    parser = argparse.ArgumentParser(prog="python -m broker.federation", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--name", required=True, help="of this region")
    parser.add_argument(
        "--upstream",
        action="append",
        required=True,
        metavar="NAME=URL",
        help="a region that is heard, and its DSMT_REGION_BROKER",
    )
    given = parser.parse_args(arguments)
    try:
        upstreams = dict(_pair(text) for text in given.upstream)
        texts = {given.file: json.dumps(described(given.name, upstreams), indent=1)}
        texts |= {given.file.with_name(name): pem for name, pem in authorities(upstreams).items()}
    except Invalid as error:
        sys.stderr.write(f"{error.message}\n  {error.hint}\n")
        return error.exit_code
    try:
        for path, text in texts.items():
            _write(path, text)
    except FileExistsError as error:
        sys.stderr.write(f"{error.filename} is there already\n  name another file, or remove it\n")
        return Conflict.exit_code
    sys.stdout.write(f"wrote {', '.join(map(str, texts))}: {given.name} hears {', '.join(upstreams)}\n")
    return 0


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _pair(text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    if not equals:
        raise Invalid(
            "an upstream is a name and a URL", hint="--upstream east=amqp://region:PASSWORD@HOST/dsmt"
        )
    return name, url


if __name__ == "__main__":
    sys.exit(main())
