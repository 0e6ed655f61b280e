"""The catalogue: which services there are, what they say of themselves, and what is heard of them."""

from planner.catalogue.breaches import Breach, BreachChange, Kind
from planner.catalogue.catalogue import Catalogue
from planner.catalogue.parts import PARTS, own_use
from planner.catalogue.rows import Row
from planner.catalogue.shown import channels_shown, services_shown, silence_shown

__all__ = [
    "PARTS",
    "Breach",
    "BreachChange",
    "Catalogue",
    "Kind",
    "Row",
    "channels_shown",
    "own_use",
    "services_shown",
    "silence_shown",
]
