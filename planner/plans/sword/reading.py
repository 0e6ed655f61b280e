"""Reading a SWORD query: XML in, a checked `Query` out; an error tells the line.

The text comes from whoever may change a slice: it is parsed within bounds, and what it declares besides
elements is refused before it is read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NoReturn

from dsmt_core.errors import Invalid
from dsmt_core.xml.tree import Bounds, Element, parse
from planner.plans.nearest import nearest
from planner.plans.sword.query import MEASURED, Choices, Constraint, Group, Pair, PairKind, Query, Range

BYTES: Final = 65_536
GROUPS: Final = 16
MACHINES: Final = 100_000
TOGETHER: Final = 1_000
"""How many machines at the most where one matters to another: several groups, or pairs in one."""
ATTRIBUTES: Final = 64
CONSTRAINTS: Final = 64
HINT: Final = "docs/reference/plans.md has the form, examples/sword/ an example"
_BOUNDS: Final = Bounds(elements=4_000, depth=5)
_REMEMBERED: Final = 64
_NAME: Final = 128
_BUDGETS: Final = ("dist_query_budget", "optimizer_budget")
_WORDS: Final = {"max": math.inf, "min": -math.inf}
_FIVE: Final = "abs_min, ideal_min, ideal_max, abs_max, penalty"


@lru_cache(_REMEMBERED)
def read_query(text: str) -> Query:
    """Read a query; the last ones are remembered, as each round evaluates the same plans.

    Raises:
        Invalid: it is too long, not well formed, or says what cannot be; the line is told.
    """
    document = text.encode(errors="surrogatepass")
    if len(document) > BYTES:
        raise Invalid(f"the SWORD query is {len(document)} bytes long", hint=f"at most {BYTES}")
    if not text.lstrip().startswith("<"):
        raise Invalid("the SWORD query is no XML", hint="dsmtc reads a file: query=@file.xml")
    try:
        root = parse(document, _BOUNDS)
    except Invalid as error:
        raise Invalid(error.message, hint=error.hint or HINT) from error
    if root.name != "request":
        _refuse(root, f"<{_short(root.name)}> is where <request> is to be")
    _only(root, (*_BUDGETS, "group", "constraint"))
    for budget in _BUDGETS:
        _check_budget(_at_most_one(root, budget))
    groups = _groups([child for child in root.children if child.name == "group"], root)
    places = {group.name: place for place, group in enumerate(groups)}
    constraints = [child for child in root.children if child.name == "constraint"]
    read = [found for element in constraints for found in _constraints(element, places)]
    if len(read) > CONSTRAINTS:
        _refuse(constraints[-1], f"there are more than {CONSTRAINTS} constraints")
    query = Query(groups, tuple(read))
    _check_number(root, query)
    return query


def _groups(elements: Sequence[Element], root: Element) -> tuple[Group, ...]:
    if not elements:
        _refuse(root, "there is no <group>")
    if len(elements) > GROUPS:
        _refuse(elements[GROUPS], f"there are more than {GROUPS} groups")
    groups: dict[str, Group] = {}
    for element in elements:
        group = _group(element)
        if group.name in groups:
            _refuse(element, f"there are two groups {group.name}")
        groups[group.name] = group
    return tuple(groups.values())


def _group(element: Element) -> Group:
    name, count = _one(element, "name"), _one(element, "num_machines")
    attributes: dict[str, Range | Choices] = {}
    pairs: list[Pair] = []
    for child in element.children:
        if child is name or child is count:
            continue
        if child.name in set(PairKind):
            pairs.append(_pair(child))
            continue
        fact = _fact(child)
        if fact in attributes:
            _refuse(child, f"{fact} is asked for twice in one group")
        attributes[fact] = _choices(child) if child.children else _range(child)
    if len(attributes) + len(pairs) > ATTRIBUTES:
        _refuse(element, f"a group has more than {ATTRIBUTES} attributes")
    return Group(_name(name), _count(count), attributes, tuple(pairs))


def _constraints(element: Element, places: dict[str, int]) -> list[Constraint]:
    named = _one(element, "group_names")
    names = named.text.replace(",", " ").split()
    for name in names:
        if name not in places:
            raise Invalid(_at(named, f"there is no group {_short(name)}"), hint=nearest(name, places))
    if len(names) != 2 or names[0] == names[1]:
        _refuse(named, "a constraint is between two groups")
    groups = places[names[0]], places[names[1]]
    _only(element, ("group_names", *PairKind))
    pairs = [_pair(child) for child in element.children if child is not named]
    if not pairs:
        _refuse(element, f"the constraint asks for none of {', '.join(PairKind)}")
    return [Constraint(groups, pair) for pair in pairs]


def _pair(element: Element) -> Pair:
    kind = PairKind(element.name)
    if kind in MEASURED:
        return Pair(kind, _range(element))
    fact = element.text.strip()
    if not fact or len(fact) > _NAME or element.children:
        _refuse(element, f"{kind} takes the name of a fact or label, such as site")
    return Pair(kind, fact=fact)


def _range(element: Element) -> Range:
    words = element.text.strip().strip("[]").replace(",", " ").split()
    if len(words) != 5:
        _refuse(element, f"{element.name} has {len(words)} numbers, not the five {_FIVE}")
    numbers = [_number(element, word) for word in words]
    least, ideal_least, ideal_most, most, penalty = numbers
    for low, high, what in (
        (least, most, "abs_min is above abs_max"),
        (ideal_least, ideal_most, "ideal_min is above ideal_max"),
        (least, ideal_least, "abs_min is above ideal_min"),
        (ideal_most, most, "ideal_max is above abs_max"),
    ):
        if low > high:
            _refuse(element, f"{element.name}: {what} ({low:g} > {high:g})")
    if least == math.inf or most == -math.inf:
        _refuse(element, f"{element.name}: no number is in this range")
    _check_penalty(element, penalty)
    return Range(*numbers)


def _choices(element: Element) -> Choices:
    penalties: dict[str, float] = {}
    _only(element, ("value",))
    for child in element.children:
        text, comma, number = child.text.rpartition(",")
        value = (text if comma else number).strip()
        penalty = _number(child, number.strip()) if comma else 0.0
        if not value or child.children:
            _refuse(child, "a value is written <value>text, penalty</value>")
        if value in penalties:
            _refuse(child, f"{_short(value)} is there twice")
        _check_penalty(child, penalty)
        penalties[value] = penalty
    return Choices(penalties)


def _fact(element: Element) -> str:
    """The fact that an attribute asks for: its tag, or where that is no legal tag ``<fact name="…">``."""
    name = element.attributes.get("name", "") if element.name == "fact" else element.name
    if not 0 < len(name) <= _NAME:
        _refuse(element, 'a fact is written <fact name="…">')
    return name


def _count(element: Element) -> int | None:
    text = element.text.strip()
    if text.lower() == "all":
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or not 1 <= int(text) <= MACHINES:
        _refuse(element, f"num_machines is {_short(text)!r}, not a number from 1 to {MACHINES}, or all")
    return int(text)


def _name(element: Element) -> str:
    name = element.text.strip()
    if not name or len(name) > _NAME or len(name.replace(",", " ").split()) > 1:
        _refuse(element, f"the name of a group is one word of at most {_NAME} characters")
    return name


def _number(element: Element, word: str) -> float:
    known = _WORDS.get(word.lower())
    if known is not None:
        return known
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        _refuse(element, f"{_short(word)!r} is no number, and neither min nor max")
    return number


def _check_penalty(element: Element, penalty: float) -> None:
    if not 0 <= penalty < math.inf:
        _refuse(element, f"{element.name}: a penalty is a number of at least 0")


def _check_budget(element: Element | None) -> None:
    if element is not None:
        _number(element, element.text.strip())


def _check_number(root: Element, query: Query) -> None:
    if query.is_simple:
        return
    if query.count is None:
        _refuse(root, "num_machines can be all only in a single group without pairs")
    elif query.count > TOGETHER:
        _refuse(
            root, f"{query.count} machines in groups or pairs; at most {TOGETHER} can be chosen together"
        )


def _only(element: Element, names: Sequence[str]) -> None:
    for child in element.children:
        if child.name not in names:
            problem = f"<{_short(child.name)}> is not known in <{element.name}>"
            raise Invalid(_at(child, problem), hint=nearest(child.name, names))


def _one(element: Element, name: str) -> Element:
    found = _at_most_one(element, name)
    if found is None:
        _refuse(element, f"<{element.name}> has no <{name}>")
    return found


def _at_most_one(element: Element, name: str) -> Element | None:
    found = [child for child in element.children if child.name == name]
    if len(found) > 1:
        _refuse(found[1], f"<{name}> is there twice")
    return found[0] if found else None


def _refuse(element: Element, what: str) -> NoReturn:
    raise Invalid(_at(element, what), hint=HINT)


def _at(element: Element, what: str) -> str:
    return f"line {element.line} of the SWORD query: {what}"


def _short(text: str) -> str:
    return text[:60]
