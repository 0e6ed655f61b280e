"""What people want of nodes: excluded, cordoned, drained, and windows of maintenance.

    excluded      it is in no plan, and what runs there leaves
    draining      nothing new is placed there, and what runs there moves away
    maintenance   the same while a window lasts, and from its lead on; silence in it is not judged
    cordoned      nothing new is placed there; what is there stays
    distrusted    no wish but a word: it is broken. To the tracker it has failed until people trust it

Rule of this room: standing is wanted, so it is a value, and what a verb or a moment makes of it is a
function of its arguments. Plans see only who is barred (`planner.outlook`), never what the tracker thinks.
"""

from planner.standing.bars import (
    NO_BARS,
    Bar,
    Bars,
    Kind,
    bar_of,
    bars_at,
    distrusted,
    is_maintained,
    maintained,
    next_change,
)
from planner.standing.marks import (
    IN_SERVICE,
    NEVER,
    NO_STANDINGS,
    Drain,
    Exclusion,
    Mark,
    Standing,
    Standings,
    Window,
)
from planner.standing.verbs import Verb, Wish, wished
from planner.standing.written import read_standing, written_standing

__all__ = [
    "IN_SERVICE",
    "NEVER",
    "NO_BARS",
    "NO_STANDINGS",
    "Bar",
    "Bars",
    "Drain",
    "Exclusion",
    "Kind",
    "Mark",
    "Standing",
    "Standings",
    "Verb",
    "Window",
    "Wish",
    "bar_of",
    "bars_at",
    "distrusted",
    "is_maintained",
    "maintained",
    "next_change",
    "read_standing",
    "wished",
    "written_standing",
]
