"""What the parts of DSMT say and hear, as data; the table of docs/reference/protocol.md, section 2.

Below ``/org/dsmt/`` nobody else describes anything: who may speak there is known, and so is what is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from dsmt_core.calls import CALL
from dsmt_core.channels import Channel, lies_under
from dsmt_core.container import CONTAINER_STATUS
from dsmt_core.container import FIELDS as CONTAINER_FIELDS
from dsmt_core.container import PERIOD_S as CONTAINER_S
from dsmt_core.events import DEPLOYMENT_STATUS, METRICS, STATUS, Event
from dsmt_core.health import HEALTH
from dsmt_core.health import PERIOD_S as HEALTH_S
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, PLANNER, SLIVER_BOOTSTRAP, SLIVER_MGR
from dsmt_core.nodes import FACTS, GOODBYE, HEARTBEAT, HOLDINGS, PROBE
from dsmt_core.rights import ASKED
from dsmt_core.selection import NODE_LIST, SLIVER_STATE
from dsmt_core.services import Description, Direction, Use
from dsmt_core.snapshots import FIELD as SNAPSHOT

OWN: Final = Channel("/org/dsmt/")
SILENCE: Final = Channel("/org/dsmt/ns/psepr/silence/")
DESCRIPTIONS: Final = Channel("/org/dsmt/ns/psepr/descriptions/")
PLANNER_STATUS: Final = Channel("/org/dsmt/ns/planner/status/")
SILENT: Final = "silent"
DESCRIPTION_BROKEN: Final = "description-broken"
REQUEST_REFUSED: Final = "request-refused"
AGREED: Final = "agreed"
EXPIRES: Final = "expires"
EXECUTED: Final = "executed"
QUOTA: Final = "quota"
ROLLOUT: Final = "rollout"
AUDIT_HEAD: Final = "audit-head"
OPERATORS: Final = "operators"
APPLICATIONS: Final = "applications"

_SLICE: Final = "/org/dsmt/ns/deployment/*/"
_NODE: Final = "/org/dsmt/ns/node/*/"
_REMEMBERED: Final = 1 << 15


def _says(channel: str, *fields: str, greatest_s: float = 0.0) -> tuple[Use, ...]:
    return tuple(Use(channel=Channel(channel), field=field, greatest_s=greatest_s) for field in fields)


def _hears(channel: str, *fields: str) -> tuple[Use, ...]:
    heard = Direction.HEARS
    return tuple(Use(channel=Channel(channel), field=field, direction=heard) for field in fields)


PARTS: Final = (
    Description(
        service=PLANNER,
        text="selects nodes, gives orders, watches; speaks for each slice as <slice>_mgr",
        uses=(
            *_says(f"{_SLICE}{CONTAINER_MGR}/command/*/", STATUS),
            *_says(f"{_SLICE}{DEPLOYMENT_AGENT}/command/*/", STATUS, CALL),
            *_says(f"{_SLICE}{CONTAINER_MGR}/", NODE_LIST),
            *_says(
                f"{_SLICE}{PLANNER}/status/",
                SILENT,
                REQUEST_REFUSED,
                AGREED,
                ROLLOUT,
                EXECUTED,
                EXPIRES,
                QUOTA,
            ),
            *_says(PLANNER_STATUS, HEALTH, greatest_s=HEALTH_S),
            *_says(PLANNER_STATUS, AUDIT_HEAD),
            *_says(SILENCE, SILENT),
            *_says(DESCRIPTIONS, DESCRIPTION_BROKEN),
            *_hears("/", ""),
        ),
    ),
    Description(
        service=CONTAINER_MGR,
        text="makes and watches the slivers of a node",
        uses=(
            *_says(f"{_SLICE}{CONTAINER_MGR}/status/*/", SLIVER_STATE),
            *_says(f"{_NODE}heartbeat/", HEARTBEAT),
            *_says(f"{_NODE}facts/", HOLDINGS, FACTS, PROBE, GOODBYE),
            *_says(f"{_NODE}facts/", HEALTH, greatest_s=HEALTH_S),
            *_hears(f"{_SLICE}{CONTAINER_MGR}/command/*/", STATUS),
        ),
    ),
    Description(
        service=SLIVER_MGR,
        text="the container manager about one sliver; speaks as <slice>_mgr",
        uses=(
            *_says(f"{_SLICE}{SLIVER_MGR}/status/*/", DEPLOYMENT_STATUS),
            *_says(f"{_SLICE}{CONTAINER_STATUS}/status/*/", *CONTAINER_FIELDS, greatest_s=CONTAINER_S),
        ),
    ),
    Description(
        service=SLIVER_BOOTSTRAP,
        text="brings the deployment agent of a sliver into being; speaks as <slice>_mgr",
        uses=_says(f"{_SLICE}{SLIVER_BOOTSTRAP}/status/*/", DEPLOYMENT_STATUS),
    ),
    Description(
        service=DEPLOYMENT_AGENT,
        text="installs and watches the applications of a sliver; speaks as <slice>_mgr",
        uses=(
            *_says(f"{_SLICE}{DEPLOYMENT_AGENT}/status/*/", DEPLOYMENT_STATUS, STATUS, METRICS, HOLDINGS),
            *_says(f"{_SLICE}{DEPLOYMENT_AGENT}/status/*/", HEALTH, greatest_s=HEALTH_S),
            *_hears(f"{_SLICE}{DEPLOYMENT_AGENT}/command/*/", STATUS, CALL),
        ),
    ),
    Description(
        service=APPLICATIONS,
        text="whoever keeps a view: the question for what holds already",
        uses=_says(ASKED, SNAPSHOT),
    ),
    Description(
        service=OPERATORS,
        text="people and their programs: requests to the planner",
        uses=(
            *_says(f"{_SLICE}{DEPLOYMENT_AGENT}/command/", STATUS),
            *_says(f"{_SLICE}{CONTAINER_MGR}/command/", STATUS),
        ),
    ),
)


def _by_field(uses: Iterable[Use]) -> Mapping[str, tuple[Use, ...]]:
    found: dict[str, list[Use]] = {}
    for use in uses:
        found.setdefault(use.field, []).append(use)
    return {field: tuple(some) for field, some in found.items()}


# Every use of a part names its field.
_USES_OF: Final = _by_field(
    use for part in PARTS for use in part.uses if use.direction is Direction.GENERATES
)


def is_own(channel: Channel) -> bool:
    """Whether a channel lies in DSMT's own name space."""
    return lies_under(channel, OWN)


def own_use(event: Event) -> Use | None:
    """The use of a part that covers an event in DSMT's own name space; None when none does."""
    return _own_use(event.channel, event.field, event.payload)


# What the parts say repeats: the channels of 10,000 nodes fit in.
@lru_cache(_REMEMBERED)
def _own_use(channel: Channel, field: str, payload: str) -> Use | None:
    # While a fleet is deployed every channel is a new one; so only the uses of this field are asked.
    return next((use for use in _USES_OF.get(field, ()) if use.includes(channel, field, payload)), None)
