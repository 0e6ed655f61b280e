"""``dsmt-node show`` and ``rekey``: what a node is known by, and how it becomes another than its copy."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agents.container_manager import certificates, pinning
from agents.container_manager.joining import CLAIM
from agents.container_manager.own_key import KEY, OwnKey
from agents.container_manager.sole import only_one
from agents.trusting import Trust
from dsmt_core import authorities, signing
from dsmt_core.errors import NotFound

SHOW: Final = "show"
REKEY: Final = "rekey"
_ABOUT: Final = {
    SHOW: ("Tell what this node is known by: its key, its certificate, and whom it trusts.", ""),
    REKEY: (
        "Put this node's key aside, so that it makes another than a copy has. What runs there goes on.",
        "It joins again by a token of: dsmtc nodes reinvite HOST",
    ),
}
_OF_BEFORE: Final = ".replaced"


def run(words: Sequence[str]) -> None:
    """Show, or make anew.

    Raises:
        NotFound: no node has its data there.
        Conflict: dsmt-node runs on it.
        Invalid: a file holds not what it should.
        OSError: a file can be neither read nor written.
    """
    description, epilog = _ABOUT[words[0]]
    parser = argparse.ArgumentParser(prog=f"dsmt-node {words[0]}", description=description, epilog=epilog)
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="of dsmt-node")
    if words[0] == SHOW:
        parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(words[1:])
    if not (options.data / CLAIM).exists():
        raise NotFound(f"no node has its data in {options.data}", hint="--data as dsmt-node has it")
    if words[0] == REKEY:
        _rekey(options.data)
        return
    known = described(options.data)
    told = (
        [json.dumps(known, indent=1)] if options.json else [f"{k:12} {v or '-'}" for k, v in known.items()]
    )
    sys.stdout.write("\n".join(told) + "\n")


def described(data: Path) -> dict[str, str]:
    """What a node is known by, and whom it trusts; fingerprints, as people compare them.

    Raises:
        Invalid: a file holds not what it should.
    """
    held = certificates.held(data)
    trusted = Trust(data).known()
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(held.ends)) if held.ends else ""
    return {
        "key": signing.fingerprint(OwnKey(data).public) if (data / KEY).exists() else "",
        "certificate": held.fingerprint,
        "valid_until": ends,
        "authority": authorities.fingerprint(authorities.certificates(trusted)[0]) if trusted else "",
        "orders_by": " ".join(map(signing.fingerprint, pinning.known(data))),
    }


def _rekey(data: Path) -> None:
    with only_one(data, "end it first; what runs in the slivers goes on"):
        for name in (CLAIM, KEY, *certificates.FILES):
            if (data / name).exists():
                (data / name).replace(data / f"{name}{_OF_BEFORE}")
    sys.stdout.write("the next start makes another key; it needs a token: dsmtc nodes reinvite HOST\n")
