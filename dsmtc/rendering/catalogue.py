"""Services, channels and silences for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dsmtc.client.heard import BreachShown, Channels, Services, ServiceShown, SilenceShown, UseShown
from dsmtc.rendering.table import Part, Table, View
from dsmtc.rendering.text import since


def services(found: Services, now: float) -> View:
    """Every service: a line each, and one for each channel that it described."""
    rows = [row for each in found["services"] for row in _service(each, now)]
    view: list[Part] = [Table(("SERVICE", "DOES", "CHANNEL", "FIELD", "EVERY", "EVENTS", "HEARD"), rows)]
    if found["breaches"]:
        view += ["", *breaches(found["breaches"], now)]
    if found["left_out"]:
        view.append(f"and {found['left_out']} services more")
    return view


def breaches(found: Sequence[BreachShown], now: float) -> View:
    """Who does otherwise than it said."""
    if not found:
        return ["every service does what it described"]
    rows = [
        (
            each["service"],
            each["kind"],
            each["channel"],
            each["field"] or "-",
            str(each["times"]),
            since(each["last"], now),
            since(each["since"], now),
            each["instance"] or "-",
            each["reason"],
        )
        for each in found
    ]
    columns = ("SERVICE", "BREACH", "CHANNEL", "FIELD", "TIMES", "LAST", "FIRST", "INSTANCE", "BECAUSE")
    return [Table(columns, rows, wide=frozenset({"FIRST", "INSTANCE"}))]


def channels(found: Channels, now: float) -> View:
    """Every channel that was heard, then those that are only described, then what is silent."""
    rows = [
        (
            each["channel"],
            " ".join(each["said_by"]),
            " ".join(each["fields"]),
            str(each["events"]),
            since(each["heard_at"], now),
            f"{each['period']:g}s" if each["period"] else "-",
            str(each["silent"] or "-"),
        )
        for each in found["channels"]
    ]
    columns = ("CHANNEL", "SERVICES", "FIELDS", "EVENTS", "HEARD", "EVERY", "SILENT")
    view: list[Part] = [Table(columns, rows) if rows else "nothing was heard there"]
    described = [
        (each["channel"], each["service"], *_use(each)[:1], *_use(each)[2:]) for each in found["described"]
    ]
    if described:
        view += ["", Table(("DESCRIBED", "SERVICE", "DOES", "FIELD", "EVERY"), described)]
    if found["silences"]:
        view += ["", *silences(found["silences"], now)]
    if found["left_out"]:
        view.append(f"and {found['left_out']} more; --below narrows them")
    return view


def silences(found: Sequence[SilenceShown], now: float) -> View:
    """What is silent, longest first."""
    rows = [
        (
            each["instance"],
            " ".join(filter(None, (each["field"], each["about"]))),
            f"{each['period']:g}s",
            since(each["heard_at"], now),
            each["channel"],
        )
        for each in sorted(found, key=lambda one: one["heard_at"])
    ]
    return [Table(("SILENT", "FIELD", "EVERY", "HEARD", "CHANNEL"), rows)]


def silence_line(silence: SilenceShown, now: float) -> str:
    """A silence in one line, for the status of a slice."""
    what = " ".join(
        filter(None, (silence["host"] or silence["instance"], silence["about"], silence["field"]))
    )
    return f"{what}: heard {since(silence['heard_at'], now)} ago, comes every {silence['period']:g}s"


def _service(service: ServiceShown, now: float) -> list[tuple[str, ...]]:
    text = service["text"] if service["described"] else "not described"
    heard = str(service["events"] or "-"), since(service["heard_at"], now) or "-"
    head = (service["service"], text, "", "", "", *heard)
    return [head, *(("", *_use(use), "", "") for use in service["channels"])]


def _use(use: UseShown) -> tuple[str, str, str, str]:
    """Does what, where, of which field, how often."""
    return (
        use["direction"],
        use["channel"],
        use["field"] or "any",
        _every(use["least_s"], use["greatest_s"]),
    )


def _every(least_s: float, greatest_s: float) -> str:
    if least_s and greatest_s:
        return f"{least_s:g}..{greatest_s:g}s"
    if least_s:
        return f"at least {least_s:g}s"
    return f"at most {greatest_s:g}s" if greatest_s else "-"
