"""Whom a bus trusts over TLS, and what it shows there.

Rule: what it is to show is read anew for each connection. Where the file is missing or cannot be used
nothing is shown: a broker that asks for it says so, and one that does not is connected to.
"""

from __future__ import annotations

import contextlib
import ssl

from dsmt_core.errors import Invalid


def trusting(authority: bytes, certificate: str = "") -> ssl.SSLContext:
    """What takes only hosts with a certificate of this authority that is theirs.

    Args:
        authority: of `broker.address.Address`, certificates in DER; empty: the machine's list.
        certificate: the file of what is shown; empty for nothing.

    Raises:
        Invalid: it is none.
    """
    try:
        context = ssl.create_default_context(cadata=authority or None)
    except ssl.SSLError:
        raise Invalid(
            "the broker's URL is not legal: its authority is no certificate",
            hint="take it as it stands in broker.env",
        ) from None
    if certificate:
        with contextlib.suppress(OSError, ssl.SSLError):
            context.load_cert_chain(certificate)
    return context
