"""The configuration of an application: one form, bounds, changes, and how it travels in an order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.commands import Order, Verb, order_of
from dsmt_core.configuration import BYTES, NAMES, NONE, Configuration, differences
from dsmt_core.errors import DsmtError, Full, Invalid, NotFound
from dsmt_core.events import Sender
from dsmt_core.names import Application, Host, Slice

HELLO = Configuration.of({"port": "80", "greeting": "hello, Wörld\n=\\"})
CHANNEL = Channel("/a/")
ORDER = Order(
    verb=Verb.APPCONFIG,
    host=Host("h1"),
    slice=Slice("s1"),
    generation=3,
    application=Application("pinger"),
    wrapper="dsmtw_pinger",
)

VALUES = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=20),
    max_size=8,
)


@given(VALUES)
def test_what_is_written_is_read_back_and_equal_values_have_equal_digests(values: dict[str, str]) -> None:
    made = Configuration.of(values)
    assert Configuration.parse(made.text) == made
    other_way = Configuration.of(dict(reversed(values.items())))
    assert (other_way, other_way.digest, other_way.text) == (made, made.digest, made.text)
    assert made.values == values
    assert bool(made.digest) == bool(values)


def test_another_value_is_another_digest() -> None:
    assert HELLO.changed({"port": "81"}).digest != HELLO.digest
    assert NONE.digest == NONE.text == ""
    assert len(HELLO.digest) == 16


def test_values_are_set_unset_and_replaced_as_a_whole() -> None:
    assert HELLO.changed({"port": "81"}, unset=["greeting"]).values == {"port": "81"}
    assert HELLO.changed({"a": "1"}, whole=True).values == {"a": "1"}
    assert HELLO.changed({}, unset=["port", "greeting"]) == NONE
    with pytest.raises(NotFound, match="'prot' is not set") as lacks:
        HELLO.changed({}, unset=["prot"])
    assert lacks.value.hint == "there are: greeting, port"
    with pytest.raises(NotFound) as lacks:
        NONE.changed({}, unset=["port"])
    assert lacks.value.hint == "nothing is"
    with pytest.raises(Invalid, match="set and unset at once"):
        HELLO.changed({"port": "1"}, unset=["port"])


def test_it_is_bounded_in_number_and_in_bytes() -> None:
    most = {f"n{number}": "" for number in range(NAMES)}
    assert len(Configuration.of(most).pairs) == NAMES
    with pytest.raises(Full, match="65 values"):
        Configuration.of({**most, "more": ""})
    assert Configuration.of({"ab": "x" * (BYTES - 2)}) != NONE
    with pytest.raises(Full, match=f"{BYTES + 1} bytes"):
        Configuration.of({"ab": "ü" + "x" * (BYTES - 3)})


@pytest.mark.parametrize("name", ["", "Port", "1st", "a-b", "a.b", "a b", "ä", "a\n", "x" * 41])
def test_a_name_that_could_not_be_a_variable_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="is not a name of a configuration"):
        Configuration.of({name: "1"})


def test_a_name_may_have_forty_characters_and_a_value_only_legal_text() -> None:
    assert Configuration.of({"x" * 40: "\t\n"}) != NONE
    with pytest.raises(Invalid, match="the value of port"):
        Configuration.of({"port": "\0"})


@pytest.mark.parametrize("text", ["{", "[]", "1", '{"a": 1}', '{"A": "1"}', "[" * 100_000])
def test_what_is_no_configuration_is_not_read(text: str) -> None:
    with pytest.raises(DsmtError):
        Configuration.parse(text)


def test_differences_are_told_a_name_each() -> None:
    after = Configuration.of({"greeting": "", "level": "x" * 50, "port": "80"})
    assert differences(HELLO, after) == [
        r"greeting is empty (it was hello, Wörld\n=\\)",
        f"level is {'x' * 40}…",
    ]
    assert differences(after, after) == []
    assert differences(Configuration.of({"a": "x" * 40}), NONE) == [f"a is unset (it was {'x' * 40})"]


def test_it_travels_beside_an_order_which_is_otherwise_as_it_always_was() -> None:
    configured = replace(ORDER, configuration=HELLO)
    assert configured.pairs == {**ORDER.pairs, "configuration": HELLO.text}
    assert "configuration" not in ORDER.pairs
    sender = Sender("planner", "planner/1", "b")
    for order in (ORDER, configured):
        event = sender.event(CHANNEL, "status", now=1.0, id_="1", value=order.text, pairs=order.pairs)
        assert order_of(event) == order


def test_an_order_with_a_configuration_that_is_none_is_refused() -> None:
    pairs = {**ORDER.pairs, "configuration": "{"}
    event = Sender("planner", "planner/1", "b").event(
        CHANNEL, "status", now=1.0, id_="1", value=ORDER.text, pairs=pairs
    )
    with pytest.raises(Invalid, match="is not a configuration"):
        order_of(event)
