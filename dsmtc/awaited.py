"""Instances that are waited for: how many are in a state, which are not, and why. Pure.

An instance on a node that failed counts as failed, whatever was heard of it last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsmt_core.several import several
from dsmtc.client import SliceStatus
from dsmtc.client.waited import Lacking, Waited


@dataclass(frozen=True, slots=True)
class Wish:
    """What is waited for.

    Attributes:
        state: of the life cycle, such as running.
        count: so many; None: all that are wanted, and at least one.
        application: only of this one; empty: of any.
        version: only at this one; empty: at any.
    """

    state: str
    count: int | None = None
    application: str = ""
    version: str = ""

    @property
    def text(self) -> str:
        """In words."""
        of = " ".join(filter(None, (self.application, self.version)))
        return f"{'all' if self.count is None else self.count} {of and f'{of} '}{self.state}"


def waited(wish: Wish, status: SliceStatus) -> Waited:
    """How a slice stands to a wish."""
    instances = list(_instances(wish, status))
    lacking = [one for one in instances if one["reason"] or one["state"] != wish.state]
    there = len(instances) - len(lacking)
    # What the plan asks for and no node could be found for is wanted, too.
    least = max(len(instances) + status["missing"], 1) if wish.count is None else wish.count
    return {
        "slice": status["slice"],
        "wanted": wish.text,
        "reached": there >= least,
        "count": there,
        "of": least,
        "lacking": lacking,
        "reasons": [] if lacking else [*_nothing(wish, status), *status["waiting_reasons"]],
    }


def _nothing(wish: Wish, status: SliceStatus) -> list[str]:
    """Why there is nothing that could be waited for, which no node can tell."""
    hosts = status["hosts"]
    there = {one["application"] for host in hosts for one in host["applications"]}
    if wish.application and there and wish.application not in there:
        return [f"the slice has no application {wish.application}; it has {', '.join(sorted(there))}"]
    wanted = sum(
        wish.application in {"", one["application"]} for host in hosts for one in host["applications"]
    )
    if there and wish.count is not None and wish.count > wanted + status["missing"]:
        return [f"only {wanted} are wanted; dsmtc setplan says on how many nodes"]
    if there or status["waiting_reasons"]:
        return []
    if hosts:
        return ["the slice has no application that is complete; dsmtc depot put brings one"]
    return [] if status.get("plan") else ["the slice has no plan; dsmtc setplan chooses the nodes"]


def sentence(answer: Waited) -> str:
    """In one line, with the first of what lacks."""
    what = answer["wanted"].partition(" ")[2]
    said = f"{answer['count']} of {answer['of']} {what}"
    lacking = answer["lacking"]
    if answer["reached"] or not (lacking or answer["reasons"]):
        return said
    named = several([_named(one) for one in lacking], 3, joint="; ")
    return f"{said}; {named or '; '.join(answer['reasons'][:3])}"


def _named(one: Lacking) -> str:
    state = ", ".join(filter(None, (one["state"], one["reason"])))
    return f"{one['host']} {one['application']}: {state}"


def _instances(wish: Wish, status: SliceStatus) -> Iterator[Lacking]:
    for host in status["hosts"]:
        lost = host["node_state"] == "failed"
        for one in host["applications"]:
            if wish.application not in {"", one["application"]}:
                continue
            state = "failed" if lost else one["state"]
            reason = ""
            if wish.version and one["version"] != wish.version:
                reason = f"it has {one['version'] or 'nothing yet'}"
            elif state != wish.state:
                reason = one["reason"] or host["reason"]
            yield {
                "host": host["host"],
                "application": one["application"],
                "state": state,
                "version": one["version"],
                "reason": reason,
            }
