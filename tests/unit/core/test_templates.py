"""Templates: what they may use, what is refused at once, and that no value gets into an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.configuration import Configuration
from dsmt_core.errors import Full, Invalid
from dsmt_core.secrets import reference
from dsmt_core.templates import PREFIX, check, names_in, render, templates_of, with_templates


def _made(template: str, **values: str) -> Configuration:
    return Configuration.of(with_templates(values, {"conf": template}))


@pytest.mark.parametrize(
    "template",
    [
        "no name",
        "$level, ${level}px and $$5",
        "$level.conf",
        "${host.name} ${host.anything} ${slice.name} ${application.name} ${application.version}",
        "$password",
    ],
)
def test_a_template_uses_values_secrets_and_what_the_node_knows(template: str) -> None:
    check(_made(template, level="3", password=reference("1" * 32)))


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("a\n$lvl", "uses lvl, which is not set"),
        ("${slice.owner}", r"uses slice\.owner"),
        ("$conf", "uses the template conf"),
        ("a\nb $HOME", "the template conf: line 2"),
        ("5 $", "line 1"),
        ("${level", "line 1"),
        ("${os.environ.x}", "line 1"),
        ("${level!r}", "line 1"),
    ],
)
def test_what_can_be_rendered_nowhere_is_refused(template: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        check(_made(template, level="3"))


def test_a_name_is_a_value_or_a_template() -> None:
    for values in ({"conf": "x"}, {"a": f"{PREFIX}x"}):
        with pytest.raises(Invalid):
            with_templates(values, {"conf": "y"})


def test_it_is_rendered_with_texts_that_are_no_templates_themselves() -> None:
    assert render("conf", "a=$a b=${host.b} $$", {"a": "$b ${c}", "host.b": "2"}) == "a=$b ${c} b=2 $"


def test_what_lacks_is_named_and_no_value_is() -> None:
    with pytest.raises(Invalid, match=r"uses host\.gpus, which this node does not know") as told:
        render("conf", "$word ${host.gpus}", {"word": "a secret"})
    assert "a secret" not in str(told.value)


def test_what_would_become_too_long_is_not_made() -> None:
    with pytest.raises(Full):
        render("conf", "$a" * 4000, {"a": "x" * 65_000})


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_refused_or_rendered(template: str, value: str) -> None:
    try:
        names = names_in(template)
    except Invalid:
        return
    rendered = render("conf", template, dict.fromkeys(names, value))
    if not names:
        assert rendered == template.replace("$$", "$")


def test_the_templates_of_a_configuration_are_told() -> None:
    assert templates_of(_made("x $level", level="1")) == {"conf": "x $level"}
