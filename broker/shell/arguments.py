"""The arguments of `dsmt-event`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Final

_WAIT_S: Final = 10.0
_EPILOG: Final = (
    "Exit codes: 0 done, 3 something is not legal, 4 refused, 5 the broker is away, 7 not in time "
    "(docs/reference/errors.md)."
)


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    """The command that the words of the command line mean; ends the program when they mean none."""
    parser = argparse.ArgumentParser(prog="dsmt-event", description="Events for scripts.", epilog=_EPILOG)
    commands = parser.add_subparsers(dest="command", required=True)
    _publish(commands.add_parser("publish", help="say something", epilog=_EPILOG))
    _watch(commands.add_parser("watch", help="hear what is said", epilog=_EPILOG))
    return parser.parse_args(words)


def _publish(parser: argparse.ArgumentParser) -> None:
    _usual(parser)
    parser.add_argument("--value", default="", help="a text")
    parser.add_argument("pairs", nargs="*", metavar="NAME=VALUE", help="instead of a text")
    parser.add_argument("--emit-rate", type=_seconds, default=None, help="seconds until it is said again")
    parser.add_argument("--expiry", type=_seconds, default=None, help="seconds for which it holds (90)")
    parser.add_argument("--to-service", default="", help="for this service only")
    parser.add_argument("--to-instance", default="", help="for this instance of it only")
    parser.add_argument(
        "--lines", action="store_true", help="one event for each line of the input: JSON, or NAME=VALUE …"
    )
    parser.add_argument("--text", action="store_true", help="with --lines: a line is a text as it stands")


def _watch(parser: argparse.ArgumentParser) -> None:
    _usual(parser)
    parser.add_argument("--type", default="", help="only payloads of this type, an XML name space")
    parser.add_argument("--service", default="", help="only what this service says")
    parser.add_argument("--count", type=_number, default=0, help="end after so many")
    parser.add_argument("--timeout", type=_seconds, default=math.inf, help="end after so many seconds")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    form.add_argument("--values", action="store_true", help="only the values, one a line")


def _usual(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--channel", default="", help="such as /com/example/pinger/")
    parser.add_argument("--field", default="", help="the name of what is said")
    parser.add_argument(
        "--credentials", type=Path, default=None, metavar="FILE", help="instead of that of DSMT_PSEPR"
    )
    parser.add_argument(
        "--wait", type=_seconds, default=_WAIT_S, help="seconds to wait for the broker (%(default)g)"
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise ValueError(text)
    return seconds


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
