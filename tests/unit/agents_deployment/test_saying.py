"""What a status script prints: a line, or JSON with metrics, and whatever else it thinks of."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.deployment_agent.decide import Said, said
from agents.deployment_agent.decide.saying import JSON_BYTES, METRICS


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", Said("")),
        ("ok\nmore", Said("ok")),
        ('{"text": "3 clients\\nmore", "metrics": {"clients": 3}}\n', Said("3 clients", {"clients": "3"})),
        (
            ' \n{"metrics": {"lag_s": 0.25, "a.b-c": -1e300}}',
            Said("", {"lag_s": "0.25", "a.b-c": "-1e+300"}),
        ),
        ('{"text": 7}', Said("")),
        ("{", Said("its status is not what it should be: it begins as JSON and is none")),
        ('{"a": 1} trailing', Said("its status is not what it should be: it begins as JSON and is none")),
        ('{"metrics": 3}', Said("(its metrics are no object)")),
        ('{"text": "x", "metrics": {"a": "3", "b": 1}}', Said("x (the metric a is no number)", {"b": "1"})),
        ('{"metrics": {"a": true, "b": NaN, "c": Infinity}}', Said("(the metric a is no number)")),
        ('{"metrics": {"a": 99999999999999999999999}}', Said("(the metric a is no number)")),
        ('{"metrics": {"9a": 1, "a b": 2}}', Said("('9a' is no name of a metric)")),
    ],
)
def test_what_is_printed_is_taken(output: str, expected: Said) -> None:
    assert said(output) == expected


def test_what_is_deep_or_long_is_no_metric() -> None:
    assert "begins as JSON" in said('{"a":' + "[" * 20_000).text
    assert "begins as JSON" in said('{"a":' + "9" * 5_000 + "}").text
    assert f"more than {JSON_BYTES}" in said("{" + "x" * 100_000).text


def test_a_thousand_metrics_are_cut_and_that_is_said() -> None:
    told = said(json.dumps({"text": "busy", "metrics": {f"m{number}": number for number in range(1000)}}))
    assert len(told.metrics) == METRICS
    assert told.text == f"busy (more than {METRICS} metrics)"
    assert said(json.dumps({"metrics": {"x" * 65: 1}})).metrics == {}


@given(
    st.dictionaries(
        st.text(max_size=80), st.integers() | st.floats() | st.text() | st.none() | st.booleans()
    )
)
def test_metrics_are_always_names_with_finite_numbers(metrics: dict[str, object]) -> None:
    for name, number in said(json.dumps({"metrics": metrics})).metrics.items():
        assert name.isascii()
        assert len(name) <= 64
        assert len(number) <= 24
        assert math.isfinite(float(number))
