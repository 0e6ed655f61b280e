"""``python -m broker.federation FILE --name WEST --upstream EAST=URL``: other regions are heard here.

Writes definitions, to be imported here with ``rabbitmqctl import_definitions < FILE``. The regions that are
named have to have the user ``region`` (`broker.definitions` makes it) and need nothing else. For both
directions each region gets a file of its own. Doing it again with other regions replaces what is of the
same name.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from broker.address import parse
from broker.policies import policy
from broker.server.settings import VHOST
from dsmt_core.errors import Conflict, Invalid
from dsmt_core.rights import PSEPR, REGIONS

# How long the upstream region keeps what waits for a region that is away; see also `broker.policies`.
WAITING_S: Final = 600.0
# A region that is away for longer is forgotten upstream; it subscribes anew when it comes back.
AWAY_S: Final = 3600.0
_RECONNECT_S: Final = 2
_UNDER_WAY: Final = 1_000
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
        "uri": [address.url(endpoint) for endpoint in address.endpoints],
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
        text = json.dumps(described(given.name, upstreams), indent=1)
    except Invalid as error:
        sys.stderr.write(f"{error.message}\n  {error.hint}\n")
        return error.exit_code
    try:
        descriptor = os.open(given.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stderr.write(f"{given.file} is there already\n  name another file, or remove it\n")
        return Conflict.exit_code
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    sys.stdout.write(f"wrote {given.file}: {given.name} hears {', '.join(upstreams)}\n")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    if not equals:
        raise Invalid(
            "an upstream is a name and a URL", hint="--upstream east=amqp://region:PASSWORD@HOST/dsmt"
        )
    return name, url


if __name__ == "__main__":
    sys.exit(main())
