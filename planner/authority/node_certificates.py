"""When a node is given a certificate, and what is remembered of the one that it has. Pure.

Rule: the planner's clock judges. A node says which certificate it holds and not how old it is, so a wrong
clock there changes nothing; one that was off for longer than a certificate lasts gets another by its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Nobody is asked whether a certificate was withdrawn: so it does not last long. A node that is put out is
# refused by its user of the broker at once; its certificate takes it as far as the login, for a month.
LASTS_S: Final = 30 * 86_400.0
# The other half is for a planner that is away, and for nodes that are off.
_KEPT: Final = 0.5
# A clock that was put back by less than it is backdated changes nothing.
_BEFORE_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Certified:
    """The certificate that a node was given last.

    Attributes:
        fingerprint: its name (`dsmt_core.authorities.fingerprint`); empty: none was given.
        ends: seconds since the epoch.
    """

    fingerprint: str = ""
    ends: float = 0.0


NONE: Final = Certified()


def is_due(known: Certified, held: str, now: float) -> bool:
    """Whether a node is to be given one.

    Args:
        known: what it was given last.
        held: the fingerprint of the one that it says to hold; empty for none.
        now: seconds since the epoch.
    """
    if not known.fingerprint or held != known.fingerprint:
        return True
    age_s = now - (known.ends - LASTS_S)
    return not -_BEFORE_S <= age_s < LASTS_S * _KEPT
