"""The form of an answer: what is wrong is named with its place, and what is beyond is no fault."""

from __future__ import annotations

from typing import Any

import pytest

from dsmtc.client.answers import Account, Health, Login, SliceStatus, WhoAmI
from dsmtc.client.heard import EventRecord
from dsmtc.client.kept import Package
from dsmtc.client.shape import fault

ME = {"account": "a", "role": "user", "slices": ["s"]}
LOGIN = {"token": "t", "account": "a", "role": "user"}


@pytest.mark.parametrize(
    ("value", "form", "told"),
    [
        (ME, WhoAmI, ""),
        ({**ME, "more": [1]}, WhoAmI, ""),
        (None, WhoAmI, "answer is no object"),
        ([ME], WhoAmI, "answer is no object"),
        ({"account": "a", "role": "user"}, WhoAmI, "answer.slices is missing"),
        ({**ME, "slices": "s"}, WhoAmI, "answer.slices is no list"),
        ({**ME, "slices": ["s", 1]}, WhoAmI, "answer.slices[1] is not a text"),
        ([], list[Account], ""),
        ({}, list[Account], "answer is no list"),
        (
            [{"account": "a", "roles": [], "has_password": 1}],
            list[Account],
            "answer[0].has_password is not true or false",
        ),
        ({**LOGIN, "expires_at": 2}, Login, ""),
        ({**LOGIN, "expires_at": "2030-01-01"}, Login, ""),
        ({**LOGIN, "expires_at": True}, Login, "answer.expires_at is not a number"),
        ({**LOGIN, "expires_at": None}, Login, "answer.expires_at is not a number"),
        ({"status": "ok"}, Health, "answer.broker is missing"),
        ({"a": 1}, dict[str, str], "answer.a is not a text"),
        ([], dict[str, str], "answer is no object"),
        ([object()], list[object], ""),
    ],
)
def test_what_is_wrong_is_named_with_its_place(value: object, form: Any, told: str) -> None:
    assert fault(value, form) == told


def test_what_may_be_absent_is_checked_when_it_is_there() -> None:
    event = {
        **dict.fromkeys(("channel", "service", "instance", "payload", "field", "value"), "a"),
        **dict.fromkeys(("id", "boot_id", "schema"), "a"),
        **dict.fromkeys(("sent_at", "ttl", "expiry", "emit_rate"), 1.5),
        "pairs": {},
        "seq": 1,
    }
    assert fault(event, EventRecord) == ""
    assert fault(event | {"offset": 3}, EventRecord) == ""
    assert fault(event | {"offset": 3.5}, EventRecord) == "answer.offset is not a whole number"
    assert fault(event | {"extra": {"a": [1]}}, EventRecord) == ""


def test_a_form_that_inherits_has_all_its_names() -> None:
    assert fault({}, Package) == "answer.filename is missing"
    status: dict[str, Any] = {
        **dict.fromkeys(("slice", "plan", "agent"), ""),
        **dict.fromkeys(("generation", "wanted", "running", "failed", "waiting", "missing"), 0),
        "hosts": [],
        "waiting_reasons": [],
        "managed": True,
    }
    assert fault(status, SliceStatus) == ""
    status["planner"] = {"link": "up"}
    assert fault(status, SliceStatus) == "answer.planner.connects is missing"
