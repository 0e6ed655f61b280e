"""Whom a bus trusts over TLS: hosts with a certificate of the authority that the broker's URL names."""

from __future__ import annotations

import ssl

from dsmt_core.errors import Invalid


def trusting(authority: bytes) -> ssl.SSLContext:
    """What takes only hosts with a certificate of this authority that is theirs.

    Args:
        authority: of `broker.address.Address`, certificates in DER.

    Raises:
        Invalid: it is none.
    """
    try:
        return ssl.create_default_context(cadata=authority)
    except ssl.SSLError:
        raise Invalid(
            "the broker's URL is not legal: its authority is no certificate",
            hint="take it as it stands in broker.env",
        ) from None
