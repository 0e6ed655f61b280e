"""What a node signs when it joins, or asks for a secret: all it says, and the planner's challenge. Pure.

The challenge makes each signature good for one join; the rest makes it good for no other host, token or
key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

_FIRST: Final = "dsmt-join 1"
_SAID: Final = ("host", "boot_id", "claim", "token", "key", "slice", "id")
# Of those who ask for certificates; without them the bytes are those of before.
_MORE: Final = ("slivers_key", "certificate")
# What a planner says with its challenge when it gives certificates to nodes.
CERTIFIES: Final = "certifies"


def statement(challenge: str, said_of_it: Mapping[str, str]) -> bytes:
    """The bytes to be signed.

    Args:
        challenge: of the planner, as it came.
        said_of_it: what the node says of itself; of this counts ``host``, ``boot_id`` (the life of its
            machine), ``claim`` (the random id that it made once), ``token`` (of its invitation, without
            the fingerprint), ``key`` (its public key, as it is sent), of a secret ``slice`` and ``id``, and
            ``slivers_key`` and ``certificate`` (what it asks certificates for, and which it has).
    """
    said = [_FIRST, challenge, *(said_of_it.get(name, "") for name in _SAID)]
    if any(said_of_it.get(name) for name in _MORE):
        said += [said_of_it.get(name, "") for name in _MORE]
    return json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode()
