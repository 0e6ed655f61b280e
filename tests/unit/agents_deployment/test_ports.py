"""Which port a program meant that found it taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.deployment_agent.decide.ports import MOST, meant


@pytest.mark.parametrize(
    ("output", "check", "ports"),
    [
        ("OSError: [Errno 98] Address already in use", "", []),
        ("OSError: [Errno 98] Address already in use", "tcp://127.0.0.1:8080", [8080]),
        ("listen tcp :8080: bind: address already in use", "", [8080]),
        ("bind() to 0.0.0.0:80 failed (98: Address already in use)", "http://[::1]:81/", [81, 80]),
        ("Error: listen EADDRINUSE: address already in use :::3000", "", [3000]),
        ("on port 9000\nAddress already in use", "", [9000]),
        ("('0.0.0.0', 7000): address already in use", "", [7000]),
        # No port is that high, and none is 0.
        ("x:70000 y:0: address already in use", "", []),
        ("it could not bind to :8080", "tcp://127.0.0.1:8080", []),
        ("", "", []),
    ],
)
def test_the_check_names_it_or_the_program_did(output: str, check: str, ports: list[int]) -> None:
    assert meant(output, check) == ports


@given(st.text(), st.lists(st.integers(0, 99_999), max_size=40))
def test_whatever_was_printed_few_ports_are_asked_for(text: str, numbers: list[int]) -> None:
    said = "".join(f" :{number}" for number in numbers)
    found = meant(f"{text}{said} EADDRINUSE", "")
    assert len(found) <= MOST
    assert all(0 < port < 1 << 16 for port in found)
    assert len(set(found)) == len(found)
