"""`dsmt-event publish`: one event, or one for each line of the input over one connection.

What is said line by line is said again soon: with the broker away a line is dropped and counted, and the
reading goes on, so that whoever writes the lines is never held up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any, BinaryIO, Final

from broker.application import Application, application
from broker.bus import Limits
from broker.shell.lines import line_fields, words_pairs
from dsmt_core.errors import Denied, DsmtError, Full, Invalid, Unavailable

LINE_BYTES: Final = 64 << 10
# A broker that takes the connection and confirms nothing holds a line up no longer than this.
_LIMITS: Final = Limits(confirm_s=10.0, close_s=2.0)
_WAITING_LINES: Final = 16


async def publish(arguments: argparse.Namespace) -> int:
    """Say what the arguments say; the exit code.

    Raises:
        DsmtError: it could not be said.
    """
    fields = _fields(arguments)
    if arguments.lines:
        return await _publish_lines(arguments, fields)
    async with application(arguments.credentials, wait_s=arguments.wait, limits=_LIMITS) as me:
        await _say(me, fields)
    return 0


def _fields(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of the event, or of each event, from the options.

    Raises:
        Invalid: they contradict one another, or something is missing.
    """
    given = ("channel", "field", "value", "emit_rate", "expiry", "to_service", "to_instance")
    fields = {
        name: getattr(arguments, name) for name in given if getattr(arguments, name) not in ("", None)
    }
    if arguments.pairs:
        fields["pairs"] = words_pairs(arguments.pairs)
    if "pairs" in fields and "value" in fields:
        raise Invalid("it has a text and pairs", hint="either --value, or NAME=VALUE words")
    if arguments.lines and ("pairs" in fields or "value" in fields):
        raise Invalid("with --lines the values come from the input")
    if not arguments.lines:
        _complete(fields)
    return fields


def _complete(fields: Mapping[str, Any]) -> None:
    for name in ("channel", "field"):
        if not fields.get(name):
            raise Invalid(f"there is no {name}", hint=f"--{name}")


async def _say(me: Application, fields: Mapping[str, Any]) -> None:
    _complete(fields)
    more = dict(fields)
    await me.publish(more.pop("channel"), more.pop("field"), **more)


async def _publish_lines(arguments: argparse.Namespace, fields: Mapping[str, Any]) -> int:
    """Say each line; the exit code of the worst that happened."""
    teller = _Teller()
    async with application(arguments.credentials, wait_s=0, limits=_LIMITS) as me:
        await _wait(me, arguments.wait)
        number = 0
        async for line in _lines():
            number += 1
            try:
                await _say(me, {**fields, **line_fields(_whole(line), text=arguments.text)})
            except (Unavailable, Full) as error:
                teller.away(error)
            except Denied:
                raise
            except DsmtError as error:
                teller.wrong(number, error)
            else:
                teller.well()
    teller.well()
    return teller.exit_code


async def _wait(me: Application, wait_s: float) -> None:
    """Until the broker is there, or it is clear that the lines must not wait for it.

    Raises:
        Denied: it refused the password.
    """
    try:
        await me.bus.start(wait_s=wait_s)
    except Unavailable as error:
        _complain(f"{error}; going on without it")


class _Teller:
    """Tells once that the broker is away, and once how much got lost."""

    def __init__(self) -> None:
        self.exit_code = 0
        self._dropped = 0

    def away(self, error: DsmtError) -> None:
        if not self._dropped:
            _complain(f"{error}; lines are dropped until it is back")
        self._dropped += 1
        self.exit_code = self.exit_code or error.exit_code

    def wrong(self, number: int, error: DsmtError) -> None:
        _complain(f"line {number}: {error}")
        self.exit_code = error.exit_code

    def well(self) -> None:
        if self._dropped:
            _complain(f"{self._dropped} lines were dropped")
            self._dropped = 0


def _complain(text: str) -> None:
    sys.stderr.write(f"dsmt-event: {text}\n")
    sys.stderr.flush()


def _next_line(stream: BinaryIO) -> bytes:
    """The next line, without what goes beyond the bound by more than a byte; empty at the end."""
    line = rest = stream.readline(LINE_BYTES + 1)
    while len(rest) > LINE_BYTES and not rest.endswith(b"\n"):
        rest = stream.readline(LINE_BYTES + 1)
    return line


def _whole(line: str) -> str:
    """``line``, unless it was too long to be read.

    Raises:
        Invalid: it was.
    """
    if len(line.encode()) > LINE_BYTES:
        raise Invalid(f"it is longer than {LINE_BYTES} bytes")
    return line


async def _lines() -> AsyncIterator[str]:
    """The lines of the input, as they come; read in a thread that ends with the program."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING_LINES)
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            while line := _next_line(sys.stdin.buffer):
                asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()
            asyncio.run_coroutine_threadsafe(queue.put(None), loop).result()
        except (RuntimeError, asyncio.CancelledError):
            # The loop has ended: nobody reads any more.
            return

    threading.Thread(target=read, name="lines", daemon=True).start()
    while (line := await queue.get()) is not None:
        text = line.decode(errors="replace").strip()
        if text:
            yield text
