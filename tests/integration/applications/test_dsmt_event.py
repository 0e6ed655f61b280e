"""`dsmt-event` as a shell script uses it: a process, its output and its exit code, on a real RabbitMQ."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.application import Application
from broker.bus import Bus
from broker.server.private import PrivateBroker
from dsmt_core.channels import Channel
from dsmt_core.rights import PSEPR
from tests.integration.applications.conftest import Credentials

CHANNEL = "/com/example/demo/"
PROGRAM = [sys.executable, "-m", "broker.shell.main"]
WITHIN_S = 60.0
TWO_LINES = (
    "dsmt-event: line 21: 'this' is not name=value\ndsmt-event: line 26: it is longer than 65536 bytes\n"
)


@asynccontextmanager
async def event(path: Path | str, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program as it runs; killed when it is left running."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *words,
        env=os.environ | {"DSMT_PSEPR": str(path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(path: Path | str, *words: str, input_: bytes = b"") -> tuple[int | None, str, str]:
    async with event(path, *words) as process, asyncio.timeout(WITHIN_S):
        out, err = await process.communicate(input_)
        return process.returncode, out.decode(), err.decode()


async def test_one_event_is_published(credentials: Credentials, listener: Bus) -> None:
    async with listener.lease(Channel(CHANNEL), exchanges=(PSEPR,)) as deliveries:
        words = ["publish", "--channel", CHANNEL, "--field", "rtt", "ms=0.12", "lost=0"]
        words += ["--emit-rate", "1", "--expiry", "5", "--to-service", "s2_mgr"]
        assert await ended(credentials(), *words) == (0, "", "")
        async with asyncio.timeout(WITHIN_S):
            heard = (await anext(deliveries)).event
    assert (heard.channel, heard.field, dict(heard.pairs)) == (CHANNEL, "rtt", {"ms": "0.12", "lost": "0"})
    assert (heard.service, heard.instance) == ("s1_mgr", "h1/s1/demo")
    assert (heard.emit_rate, heard.expiry, heard.to_service) == (1.0, 5.0, "s2_mgr")


async def test_many_lines_are_published_over_one_connection_in_order(
    credentials: Credentials, listener: Bus
) -> None:
    lines = [b"n=%d" % number for number in range(50)]
    lines[20] = b"this is no pair"
    lines[25] = b"n=" + b"9" * 70_000
    lines[30] = json.dumps({"field": "other", "value": "30"}).encode()
    async with listener.lease(Channel(CHANNEL), exchanges=(PSEPR,)) as deliveries:
        words = ["publish", "--lines", "--channel", CHANNEL, "--field", "n"]
        code, out, err = await ended(credentials(), *words, input_=b"\n".join(lines) + b"\n")
        async with asyncio.timeout(WITHIN_S):
            heard = [(await anext(deliveries)).event for _ in range(48)]
    assert (code, out, err) == (3, "", TWO_LINES)
    assert [each.text for each in heard] == [
        "30" if n == 30 else f"n={n}" for n in range(50) if n not in {20, 25}
    ]
    assert len({each.boot_id for each in heard}) == 1


async def test_watch_prints_what_is_asked_for(credentials: Credentials, listener: Bus) -> None:
    me = Application(listener, "s2_mgr", instance="h2/s2/x")
    words = ["watch", "--channel", "/com/example/", "--field", "rtt", "--service", "s2_mgr"]
    forms = {"--json": "", "--values": "", "": ""}
    for form in forms:
        async with event(credentials(), *words, "--count", "2", *([form] if form else [])) as process:
            assert process.stdout is not None
            first = asyncio.create_task(process.stdout.readline())
            # Nobody tells when the lease is in place: say it until it is heard.
            async with asyncio.timeout(WITHIN_S):
                while not first.done():
                    await me.publish(CHANNEL, "other", "no")
                    await me.publish(CHANNEL, "rtt", pairs={"ms": "1"})
                    await asyncio.wait([first], timeout=0.1)
                await me.publish(CHANNEL, "rtt", pairs={"ms": "1"})
                assert await process.wait() == 0
            forms[form] = first.result().decode()
    told: dict[str, Any] = json.loads(forms["--json"])
    assert (told["channel"], told["instance"], told["pairs"]) == (CHANNEL, "h2/s2/x", {"ms": "1"})
    assert forms["--values"] == "ms=1\n"
    assert forms[""] == f"{CHANNEL}\th2/s2/x\trtt\tms=1\n"


async def test_watch_says_that_too_little_came(credentials: Credentials) -> None:
    code, out, err = await ended(
        credentials(), "watch", "--channel", CHANNEL, "--count", "2", "--timeout", "0.5"
    )
    assert (code, out) == (7, "")
    assert err == "dsmt-event: 0 of 2 events came within 0.5 s\n"
    assert (await ended(credentials(), "watch", "--channel", CHANNEL, "--timeout", "0.2"))[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["publish", "--channel", CHANNEL], 3, "there is no field"),
        (["publish", "--channel", "x", "--field", "f"], 3, "'x'"),
        (["publish", "--channel", CHANNEL, "--field", "f", "--value", "v", "a=b"], 3, "a text and pairs"),
        (["publish", "--channel", "/org/dsmt/x/", "--field", "f"], 4, "may not"),
        (["watch", "--channel", "/org/dsmt/"], 4, "dsmt-event: "),
        (["watch"], 3, "there is no channel"),
    ],
)
async def test_an_error_is_one_plain_line(
    credentials: Credentials, words: list[str], code: int, said: str
) -> None:
    ended_with, out, err = await ended(credentials(), *words)
    assert (ended_with, out) == (code, "")
    assert said in err
    assert err.startswith("dsmt-event: ")
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("", 5, "was given no broker URL"),
        ("memory://application@w", 5, "inside one process"),
        ("amqp://application:x@127.0.0.1:1/dsmt", 5, "not reachable"),
    ],
)
async def test_without_a_way_to_the_broker_it_says_so(
    credentials: Credentials, url: str, code: int, said: str
) -> None:
    words = ["publish", "--channel", CHANNEL, "--field", "f", "--value", "v", "--wait", "1"]
    ended_with, _, err = await ended(credentials(url=url), *words)
    assert ended_with == code
    assert said in err
    assert (await ended("", *words))[0] == 3


async def test_a_wrong_password_is_refused_at_once(
    credentials: Credentials, server: PrivateBroker, vhost: str
) -> None:
    url = f"amqp://application:wrong@127.0.0.1:{server.port}/{vhost}"
    code, _, err = await ended(credentials(url=url), "publish", "--channel", CHANNEL, "--field", "f")
    assert (code, len(err.splitlines()) <= 2) == (4, True)


async def test_lines_are_dropped_and_counted_while_there_is_no_broker(credentials: Credentials) -> None:
    path = credentials(url="amqp://application:x@127.0.0.1:1/dsmt")
    words = ["publish", "--lines", "--channel", CHANNEL, "--field", "n", "--wait", "0.2"]
    code, _, err = await ended(path, *words, input_=b"n=1\n" * 200)
    assert code == 5
    assert "going on without it" in err
    assert "200 lines were dropped" in err
    assert len(err.splitlines()) == 3


async def test_it_ends_quietly_with_its_reader_and_with_a_signal(
    credentials: Credentials, listener: Bus
) -> None:
    async with event(credentials(), "watch", "--channel", CHANNEL) as process:
        me = Application(listener, "s2_mgr")
        assert process.stdout is not None
        first = asyncio.create_task(process.stdout.readline())
        async with asyncio.timeout(WITHIN_S):
            while not first.done():
                await me.publish(CHANNEL, "f", "v")
                await asyncio.wait([first], timeout=0.1)
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
        assert process.stderr is not None
        assert await process.stderr.read() == b""
