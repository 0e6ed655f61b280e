"""The planner's keys as this node knows them: kept in `trust.json`, told when the node joins.

Rule: the first key is believed, unless people said on the node itself which one it must be; another one
only when a known one hands over to it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agents import state_file
from agents.order_trust import keys_of
from dsmt_core.ed25519 import verify
from dsmt_core.errors import Invalid
from dsmt_core.signing import PublicKey, hand_overs, pinned, public_key

VERB: Final = "trust"
_FILE: Final = "trust.json"
_HEX: Final = 64


def known(data: Path) -> tuple[PublicKey, ...]:
    """The keys that this node believes.

    Raises:
        Invalid: the file cannot be understood; then it is not known who may give orders.
    """
    return keys_of(str(_load(data).get("keys") or ""))


def pin(data: Path, answer: Mapping[str, Any]) -> str:
    """Take in what the planner said of its key; all that are believed then, with spaces between them.

    Raises:
        Denied: it is not one that this node may believe.
        Invalid: it cannot be understood.
        OSError: it cannot be kept.
    """
    before = _load(data)
    text = str(answer.get("order_key") or "")
    keys = pinned(
        keys_of(str(before.get("keys") or "")),
        public_key(text) if text else None,
        hand_overs(str(answer.get("hand_overs") or "")),
        expected=str(before.get("fingerprint") or ""),
        verify=verify,
    )
    now = " ".join(sorted(keys))
    if now != (before.get("keys") or ""):
        state_file.save(data / _FILE, {**before, "keys": now})
    return now


def run(words: Sequence[str]) -> None:
    """``dsmt-node trust``: say which key the planner has; the next join must find it.

    Raises:
        Invalid: it is no fingerprint.
        OSError: it cannot be kept.
    """
    parser = argparse.ArgumentParser(
        prog="dsmt-node trust",
        description="Say which key of the planner this node is to believe, in the place of those it knows.",
        epilog="dsmt-planner keys show tells the fingerprint; restart dsmt-node afterwards.",
    )
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="of dsmt-node")
    parser.add_argument("--fingerprint", required=True, metavar="HEX", help="64 digits")
    options = parser.parse_args(words)
    wanted = options.fingerprint.strip().lower()
    if len(wanted) != _HEX or set(wanted) - set("0123456789abcdef"):
        raise Invalid(
            f"{wanted[:80]!r} is no fingerprint", hint="64 hexadecimal digits: dsmt-planner keys show"
        )
    options.data.mkdir(mode=0o755, parents=True, exist_ok=True)
    state_file.save(options.data / _FILE, {"fingerprint": wanted, "keys": ""})


def _load(data: Path) -> Mapping[str, Any]:
    loaded = state_file.load(data / _FILE)
    # A torn file is moved aside when it is read: without it this would be a node that has never joined.
    if loaded.value is None and (loaded.reason or any(data.glob(f"{_FILE}.torn-*"))):
        raise Invalid(
            f"{data / _FILE} cannot be read, so nobody can tell who may give orders",
            hint="dsmt-node trust writes it anew",
        )
    return loaded.value or {}
