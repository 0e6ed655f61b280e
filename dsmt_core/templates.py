"""Templates of a configuration: files that a node renders before an application is started.

The value of such a name is ``dsmt-template:TEXT``. The text has ``$name`` for a value or a secret of the
same configuration, ``${host.name}`` and so on for what only the node knows, and ``$$`` for a dollar. There
are no loops, conditions or expressions: a template can only put texts in. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template
from typing import Final

from dsmt_core.configuration import Configuration
from dsmt_core.errors import Full, Invalid

PREFIX: Final = "dsmt-template:"
RENDERED_BYTES: Final = 256 << 10
"""Of one rendered file, at most."""
HOST: Final = "host"
"""``${host.FACT}`` is a fact of the host; which there are only the node knows."""
KNOWN: Final = frozenset({"slice.name", "application.name", "application.version"})
_SHOWN: Final = 40


class _Text(Template):
    flags = re.ASCII
    idpattern = r"[a-z][a-z0-9_]*"
    braceidpattern = r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?"


def templates_of(configuration: Configuration) -> dict[str, str]:
    """The texts of the templates of a configuration, by name."""
    return {
        name: value.removeprefix(PREFIX) for name, value in configuration.pairs if value.startswith(PREFIX)
    }


def with_templates(values: Mapping[str, str], templates: Mapping[str, str]) -> dict[str, str]:
    """Values of a configuration, and these templates.

    Raises:
        Invalid: a plain value looks as a template does, or a name is both.
    """
    for name, value in values.items():
        if value.startswith(PREFIX):
            raise Invalid(f"the value of {name[:_SHOWN]} may not begin with {PREFIX}", hint="--template")
        if name in templates:
            raise Invalid(f"{name[:_SHOWN]} is set, and to be a template, at once")
    return {**values, **{name: f"{PREFIX}{text}" for name, text in templates.items()}}


def names_in(text: str) -> list[str]:
    """The names that a template uses, each as often as it stands there.

    Raises:
        Invalid: a dollar begins no name; with its line.
    """
    found = []
    for match in _Text.pattern.finditer(text):
        if match.group("invalid") is not None:
            line = text.count("\n", 0, match.start()) + 1
            raise Invalid(
                f"line {line} has a $ that begins no name",
                hint="$name, ${host.name}, small letters; a dollar itself is written $$",
            )
        if match.group("escaped") is None:
            found.append(match.group("named") or match.group("braced"))
    return found


def check(configuration: Configuration) -> None:
    """Refuse a template that can be rendered nowhere; facts of hosts are known to the nodes alone.

    Raises:
        Invalid: a template is no template, or uses a name that is not there.
    """
    templates = templates_of(configuration)
    for name, text in templates.items():
        try:
            used = names_in(text)
        except Invalid as error:
            raise Invalid(f"the template {name}: {error.message}", hint=error.hint) from error
        for each in used:
            if each in templates:
                raise Invalid(
                    f"the template {name} uses the template {each}", hint="it may use values only"
                )
            if each not in configuration.values and not _is_outside(each):
                raise Invalid(f"the template {name} uses {each}, which is not set", hint=_hint(each))


def render(name: str, text: str, values: Mapping[str, str]) -> str:
    """The text with the values in it. No value is ever in an error.

    Args:
        name: of the template, for people.
        text: of the template.
        values: by the names that it may use.

    Raises:
        Invalid: it uses a name that is not there.
        Full: it becomes longer than `RENDERED_BYTES`; found out before it is made.
    """
    used = names_in(text)
    if lacking := sorted(set(used) - values.keys()):
        raise Invalid(
            f"the template {name} uses {', '.join(lacking)[:200]}, which this node does not know",
            hint="dsmtc facts shows what is known of a host",
        )
    lengths = {each: len(values[each].encode()) for each in set(used)}
    if len(text.encode()) + sum(lengths[each] for each in used) > RENDERED_BYTES:
        raise Full(f"the template {name} becomes longer than {RENDERED_BYTES} bytes")
    return _Text(text).substitute(values)


def _is_outside(name: str) -> bool:
    return name in KNOWN or name.startswith(f"{HOST}.")


def _hint(name: str) -> str:
    if "." in name:
        return f"there are ${{host.FACT}}, {', '.join(f'${{{each}}}' for each in sorted(KNOWN))}"
    return f"set it: {name}=VALUE, or --secret {name}; a dollar itself is written $$"
