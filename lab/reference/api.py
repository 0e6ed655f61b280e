"""The planner's HTTP, from its OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lab.reference.tables import code, plain, table
from planner.api.app import described

_METHODS: Final = ("get", "post", "put", "patch", "delete")


def api() -> str:
    """Every request, with what it takes."""
    schema = described().openapi()
    models = schema.get("components", {}).get("schemas", {})
    parts = [
        "# The planner's HTTP\n",
        "Made from its OpenAPI, which a planner answers at `/v1/openapi.json`.\n",
        "Errors, logins and what holds for all requests: [the protocol](protocol.md), section 4.\n",
    ]
    by_tag: dict[str, list[str]] = {}
    for path, methods in schema["paths"].items():
        for method in _METHODS:
            if method in methods:
                said = methods[method]
                by_tag.setdefault(said.get("tags", ["others"])[0], []).append(
                    _request(f"{method.upper()} {path}", said, models)
                )
    for tag in sorted(by_tag):
        parts += [f"## {plain(tag)}\n", *by_tag[tag]]
    return "\n".join(parts)


def _request(name: str, said: dict[str, Any], models: dict[str, Any]) -> str:
    text = plain(said.get("description", said.get("summary", "")).split("Raises:")[0].split("Args:")[0])
    rows = [*_parameters(said), *_body(said, models)]
    shown = table(("", "name", "what it is", "has to be given"), rows) if rows else ""
    return f"### `{name}`\n\n{text}\n\n{shown}"


def _parameters(said: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for one in said.get("parameters", ()):
        if one["in"] != "header":
            must = "yes" if one.get("required") else ""
            yield one["in"], code(one["name"]), _type(one.get("schema", {})), must


def _body(said: dict[str, Any], models: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    content = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    model = models.get(content.get("$ref", "").rpartition("/")[2], {})
    for name, schema in model.get("properties", {}).items():
        must = "yes" if name in model.get("required", ()) else ""
        yield "body", code(name), _type(schema), must


def _type(schema: dict[str, Any]) -> str:
    """A type of JSON for people: ``integer, at least 1``."""
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    kind = schema.get("$ref", "").rpartition("/")[2] or str(schema.get("type", "any"))
    if kind == "array":
        kind = f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        kind = "one of " + ", ".join(code(str(one)) for one in schema["enum"])
    about = schema.get("description", "")
    return plain(kind) + (f": {plain(about)}" if about else "")
