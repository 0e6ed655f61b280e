"""Answers as views: what people read of a slice, a plan, a package, a node, an event. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from dsmt_core.image_archives import KIND as ARCHIVE
from dsmtc.client import (
    Changed,
    Evaluation,
    Explanation,
    FunctionParameter,
    HostReason,
    Package,
    Plan,
    PlanFunction,
    PlanLoss,
    Slice,
    Stored,
)
from dsmtc.rendering.table import Part, Table, View
from dsmtc.rendering.text import since, size

# More hosts than fit on a few screens say less than their number.
SHOWN: Final = 100
_KEY_SHOWN: Final = 15
_DIGEST_SHOWN: Final = 12
_VALUE_SHOWN: Final = 400


def pairs(parameters: Mapping[str, object]) -> str:
    """``name=value name=value``."""
    return " ".join(f"{name}={_short(str(value))}" for name, value in parameters.items())


def _short(value: str) -> str:
    """A value as it is typed; what was in a file is told by its size."""
    if len(value) <= _VALUE_SHOWN and "\n" not in value:
        return value
    return f"({len(value.encode(errors='replace'))} bytes)"


def named_plan(plan: str | None, parameters: Mapping[str, object]) -> str:
    """The plan in force, as ``plan limit count=3``, or ``no plan``."""
    return " ".join(["plan", plan, *filter(None, [pairs(parameters)])]) if plan else "no plan"


def slice_line(slice_: Slice) -> str:
    """A slice in one line."""
    managed = "managed" if slice_.get("managed") else "not managed"
    plan = named_plan(slice_.get("plan"), slice_.get("plan_parameters", {}))
    agent = f"{slice_.get('agent')} {pairs(slice_.get('agent_parameters', {}))}".strip()
    return f"slice {slice_['slice']}: {managed}, {plan}, agent {agent}, owner {slice_.get('owner')}"


def slices(found: Sequence[Slice]) -> View:
    """All slices."""
    if not found:
        return ["no slices; make one with dsmtc create --slice NAME"]
    rows = [
        (
            each["slice"],
            "yes" if each.get("managed") else "no",
            each.get("plan") or "-",
            each.get("agent") or "-",
            " ".join(names(each.get("applications", []))) or "-",
            each.get("owner") or "-",
            " ".join(each.get("members", [])) or "-",
            _ends(each.get("expires_at")),
            each.get("site") or "-",
            str(each["generation"]),
            "only signed" if each.get("signed_only") else "any",
            each.get("description") or "-",
        )
        for each in found
    ]
    columns = ("SLICE", "MANAGED", "PLAN", "AGENT", "APPLICATIONS", "OWNER", "MEMBERS", "EXPIRES")
    wide = ("SITE", "GENERATION", "PACKAGES", "DESCRIPTION")
    return [Table((*columns, *wide), rows, wide=frozenset({"AGENT", "MEMBERS", *wide}))]


def _ends(at: float | None) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at)) if at else "-"


def names(applications: Sequence[object]) -> list[str]:
    """The names of applications, which the planner gives alone or with more beside them."""
    return [
        str(each.get("application") or each.get("name") or each) if isinstance(each, dict) else str(each)
        for each in applications
    ]


def plans(found: Sequence[Plan]) -> View:
    """A slice's plans first, then the functions."""
    rows = [
        (each["name"], each["base"], pairs(each["parameters"])) for each in found if not _function(each)
    ]
    functions = [(each["name"], pairs(each["parameters"])) for each in found if _function(each)]
    view: list[Part] = [Table(("PLAN", "BASE", "PARAMETERS"), rows) if rows else "no plans of its own"]
    if functions:
        # Functions are no plans of the slice: they are no names of it.
        view += ["", Table(("FUNCTION", "PARAMETERS"), functions, named=())]
    return view


def _function(plan: Plan) -> bool:
    return plan["builtin"]


def plan_line(plan: Plan) -> str:
    """A plan in one line, as it would be typed."""
    return f"plan {plan['name']} = {plan['base']} {pairs(plan['parameters'])}".rstrip()


def evaluation(found: Evaluation) -> View:
    """What a plan selects, and what it leaves out."""
    view: list[Part] = [f"{len(found['hosts'])} in, {len(found['left_out'])} out"]
    if found["missing"]:
        view[0] = f"{view[0]}, {found['missing']} missing"
    if not (found["hosts"] or found["left_out"]):
        view.append("no node is known yet; dsmtc nodes invite makes a token for dsmt-node")
    if losses := [f"{each['number']} by {decider(each)}" for each in found.get("losses", [])]:
        view.append(f"left out: {', '.join(losses)}")
    view += found.get("notes", [])
    sides = (("in", found["hosts"]), ("out", found["left_out"]))
    rows = [
        (each["host"], side, each["reason"], decider(each))
        for side, those in sides
        for each in those[:SHOWN]
    ]
    selected = [each["host"] for each in found["hosts"]]
    view += [Table(("HOST", "", "BECAUSE", "DECIDED BY"), rows, named=selected)] if rows else []
    if more := [f"{len(those) - SHOWN} more {side}" for side, those in sides if len(those) > SHOWN]:
        view.append(f"… and {', '.join(more)}; --json tells all, plan explain --node one of them")
    return view


def explanation(found: Explanation) -> View:
    """Why a plan has one node in or out."""
    side = "in" if found["selected"] else "out"
    return [f"{found['host']} is {side}: {found['reason']} (decided by {decider(found)})"]


def decider(found: HostReason | PlanLoss) -> str:
    """The plan that decided, with its function where it is called otherwise."""
    plan, function = found.get("plan", ""), found.get("function", "")
    return plan if plan == function or not function else f"{plan} ({function})"


def functions(found: Sequence[PlanFunction]) -> View:
    """The functions of which plans are made."""
    rows = [(each["name"], " ".join(map(_taken, each["parameters"])), each["text"]) for each in found]
    return [Table(("FUNCTION", "PARAMETERS", "SELECTS"), rows)]


def _taken(parameter: FunctionParameter) -> str:
    if parameter["default"] is None:
        return f"{parameter['name']}=…"
    return f"[{parameter['name']}={parameter['default'] or '…'}]"


def stored(package: Stored) -> str:
    """What the depot found in a file."""
    told = f"{package['filename']}: {package['kind']} {package['name']} {package['version']}"
    told = f"{told} {package.get('arch') or 'noarch'}, sha256 {package['digest'][:_DIGEST_SHOWN]}"
    if scripts := package.get("scripts"):
        told = f"{told}, scripts {' '.join(scripts)}"
    if package["kind"] == ARCHIVE and (provides := package.get("provides")):
        told = f"{told}, {size(package['size'])}, image {' '.join(provides)}"
    return "; ".join([told, *filter(None, [_effect(package)])])


def _effect(package: Stored) -> str:
    """What putting a package changed; only a wrapper names an application."""
    application = package.get("application")
    if not application:
        return "in use from now on" if package.get("used_now") else ""
    if package.get("waits_for"):
        return f"application {application} is not complete yet: {package['waits_for']}"
    if package.get("application_added"):
        return f"application {application} added to the slice"
    if package.get("used_now"):
        return f"used for application {application}"
    return f"use it with dsmtc update {application}"


def packages(found: Sequence[Package], now: float) -> View:
    """What the depot holds for a slice."""
    if not found:
        return ["the depot holds nothing for this slice; dsmtc depot put FILE"]
    is_signed = any(each.get("signatures") for each in found)
    rows = [
        (
            each["filename"],
            each["kind"],
            each["name"],
            each["version"],
            each.get("arch") or "-",
            size(each["size"]),
            each.get("application") or "-",
            each["digest"][:_DIGEST_SHOWN],
            since(each.get("put_at"), now),
            " ".join(each.get("scripts", [])) or "-",
            ", ".join(each["requires"]) or "-",
            *([_signers(each)] if is_signed else []),
        )
        for each in found
    ]
    columns = (
        *("FILE", "KIND", "NAME", "VERSION", "ARCH", "SIZE", "APPLICATION", "DIGEST", "PUT", "SCRIPTS"),
        *("REQUIRES", *(["SIGNED"] if is_signed else [])),
    )
    wide = frozenset({"KIND", "ARCH", "DIGEST", "SCRIPTS", "REQUIRES"})
    return [Table(columns, rows, wide=wide)]


def _signers(package: Package) -> str:
    """Who signed it: publishers of the slice by name, others by the beginning of their key."""
    signers = package.get("signatures", [])
    return " ".join(one["publisher"] or f"{one['key'][:_KEY_SHOWN]}…" for one in signers) or "-"


def changed(answer: Changed, verb: str) -> str:
    """What asking for a verb changed."""
    hosts = ", ".join(answer.get("hosts", []))
    if not answer["changed"]:
        return f"{verb} {answer['application']}: nothing to change"
    return f"{verb} {answer['application']}: " + (
        f"asked for on {hosts}" if hosts else "noted; no node has it now"
    )
