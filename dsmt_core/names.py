"""Names of hosts, slices, applications, plans and accounts, and of the parts of the contract.

A name is checked once, where it enters the system; afterwards its type says that it is legal. The
bounds keep every routing key of the parts below the broker's 255 bytes (AMQP 0-9-1, shortstr).
"""

from __future__ import annotations

import re
from typing import Final, NewType

from dsmt_core.errors import Invalid

Host = NewType("Host", str)
Slice = NewType("Slice", str)
Application = NewType("Application", str)
PlanName = NewType("PlanName", str)
Account = NewType("Account", str)
Site = NewType("Site", str)

HOST_BYTES: Final = 128
SLICE_BYTES: Final = 40
NAME_BYTES: Final = 64
SITE_BYTES: Final = 20

# The components of the wire contract (PsEPR pages of DSMT, and the architecture guide).
CONTAINER_MGR: Final = "org.dsmt.component.container-mgr"
SLIVER_MGR: Final = "org.dsmt.component.sliver-mgr"
SLIVER_BOOTSTRAP: Final = "org.dsmt.component.sliver-bootstrap"
DEPLOYMENT_AGENT: Final = "org.dsmt.component.deployment-agent"
CONTAINER: Final = "org.dsmt.component.container"
PLANNER: Final = "org.dsmt.component.planner"

DEFAULT_AGENT: Final = "deployment-agent"
WRAPPER_PREFIX: Final = "dsmtw_"

# \Z, not $: `$` would also match before a final newline.
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\Z")
_SLICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+@-]*\Z")


def host(text: str) -> Host:
    """A host name (RFC 1123 letters, lower case), at most 128 bytes.

    Raises:
        Invalid: it is not one.
    """
    lowered = text.lower()
    if not _HOST.match(lowered) or ".." in lowered:
        raise Invalid(
            f"{text!r} is not a host name",
            hint="use letters, digits, dots and hyphens, such as node1.example.org",
        )
    return Host(_bounded(lowered, "host name", HOST_BYTES))


def slice_name(text: str) -> Slice:
    """A slice's name, at most 40 bytes.

    Raises:
        Invalid: it is not one.
    """
    if not _SLICE.match(text):
        raise Invalid(f"{text!r} is not a slice name", hint="use letters, digits, underscore and hyphen")
    return Slice(_bounded(text, "slice name", SLICE_BYTES))


def application(text: str) -> Application:
    """An application's name, which is the name of its package without ``dsmtw_``.

    Raises:
        Invalid: it is not one.
    """
    return Application(_name(text, "application"))


def plan(text: str) -> PlanName:
    """A plan's name.

    Raises:
        Invalid: it is not one.
    """
    return PlanName(_name(text, "plan"))


def account(text: str) -> Account:
    """An account's name, such as ``me@example.com``.

    Raises:
        Invalid: it is not one.
    """
    if not _ACCOUNT.match(text):
        raise Invalid(f"{text!r} is not an account name", hint="such as me@example.com")
    return Account(_bounded(text, "account name", NAME_BYTES))


def site(text: str) -> Site:
    """A site's name, at most 20 bytes; it has no underscore, as what stands before one in ``site_slice``.

    Raises:
        Invalid: it is not one.
    """
    if not _SITE.match(text):
        raise Invalid(
            f"{text[:40]!r} is not a site name", hint="use letters, digits and hyphen, such as princeton"
        )
    return Site(_bounded(text, "site name", SITE_BYTES))


def manager_of(slice_: Slice) -> str:
    """The service in whose name the parts of a slice speak: ``<slice>_mgr`` (architecture guide)."""
    return f"{slice_}_mgr"


def wrapper_of(application_: Application) -> str:
    """The name of the wrapper package of an application: ``dsmtw_<application>`` (user guide)."""
    return f"{WRAPPER_PREFIX}{application_}"


def _name(text: str, what: str) -> str:
    if not _NAME.match(text):
        raise Invalid(
            f"{text!r} is not a legal {what} name",
            hint="use letters, digits, underscore, dot, plus and hyphen",
        )
    return _bounded(text, f"{what} name", NAME_BYTES)


def _bounded(text: str, what: str, limit: int) -> str:
    if len(text.encode()) > limit:
        raise Invalid(f"the {what} {text[:20]!r}… is longer than {limit} bytes")
    return text
