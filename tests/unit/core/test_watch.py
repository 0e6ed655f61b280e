"""Ways of watching: one form, bounded, and only towards the sliver itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.commands import Order, Verb, order_of
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.events import Sender
from dsmt_core.names import Application, Host, Slice
from dsmt_core.watch import USUAL, Address, Restart, Watch, address

HTTP = "http://127.0.0.1:8080/health?full=1"


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (HTTP, Address("127.0.0.1", 8080, "/health?full=1")),
        ("http://localhost", Address("localhost", 80, "/")),
        ("http://[::1]:99/", Address("::1", 99, "/")),
        ("tcp://127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("tcp://[::1]:1/", Address("::1", 1)),
    ],
)
def test_a_check_is_read(check: str, expected: Address) -> None:
    assert address(check) == expected


@pytest.mark.parametrize(
    "check",
    [
        "https://127.0.0.1/",
        "http://169.254.169.254/latest",
        "http://example.org:8080/",
        "http://me@127.0.0.1/",
        "http://127.0.0.1:70000/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1/#a",
        "http://[::1",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:80/path",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nHost: x",
        "8080",
        f"http://127.0.0.1/{'x' * 300}",
    ],
)
def test_what_is_no_check_of_the_sliver_is_refused(check: str) -> None:
    with pytest.raises(Invalid) as refused:
        Watch.of({"check": check})
    assert refused.value.hint


@pytest.mark.parametrize(
    "values",
    [
        {"every_s": 0.1},
        {"every_s": True},
        {"timeout_s": 61},
        {"failures": 0},
        {"failures": 1.5},
        {"successes": 101},
        {"successes": True},
        {"restarts": -1},
        {"within_s": float("nan")},
        {"restart": "perhaps"},
    ],
)
def test_what_is_out_of_bounds_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        Watch.of(values)


def test_only_what_differs_is_said_and_unknown_names_are_left_out() -> None:
    watch = Watch.of({"check": HTTP, "failures": 3, "restart": "never", "of_tomorrow": [1]})
    assert watch.text == f'{{"check":"{HTTP}","failures":3,"restart":"never"}}'
    assert Watch.parse(watch.text) == watch
    assert (USUAL.text, USUAL.values, Watch.parse(""), Watch.of({})) == ("", {}, USUAL, USUAL)
    for text in ("[]", "{", "[" * 5000, '"x"', '{"a":"' + "x" * 2000 + '"}'):
        with pytest.raises(Invalid):
            Watch.parse(text)


@given(
    st.dictionaries(st.sampled_from([*USUAL.__slots__, "x"]), st.none() | st.floats() | st.text(max_size=5))
)
def test_whatever_is_said_is_a_watch_or_refused(values: dict[str, object]) -> None:
    try:
        watch = Watch.of(values)
    except DsmtError:
        return
    assert Watch.parse(watch.text) == watch


def test_it_travels_with_an_order_and_only_when_it_is_not_the_usual_one() -> None:
    watch = Watch(check=HTTP, every_s=10.0, restart=Restart.ON_FAILURE)
    order = Order(
        verb=Verb.START,
        host=Host("h"),
        slice=Slice("s"),
        generation=1,
        application=Application("x"),
        watch=watch,
    )
    event = Sender("planner", "planner", "b").event(
        Channel("/a/"),
        "status",
        now=0.0,
        id_="i",
        value=order.text,
        pairs=order.pairs,
    )
    assert order_of(event).watch == watch
    assert "watch" not in Order(verb=Verb.REPORT, host=Host("h"), slice=Slice("s"), generation=0).pairs
