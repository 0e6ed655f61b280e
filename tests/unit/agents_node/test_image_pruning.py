"""Which pulled images a node lets go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.container_manager.images.pruning import KEPT, UNUSED_S, superfluous

NOW = 10 * UNUSED_S
TIMES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.floats(0, NOW), max_size=20)


@given(TIMES, st.sets(st.text("abcdef", min_size=1, max_size=3)))
def test_what_is_used_and_what_was_used_lately_stays(pulled: dict[str, float], used: set[str]) -> None:
    gone = superfluous(pulled, used, NOW)
    assert not set(gone) & used
    assert all(NOW - pulled[name] >= UNUSED_S for name in gone)
    idle = {name: since for name, since in pulled.items() if name not in used}
    assert len(idle) - len(gone) >= min(KEPT, len(idle))
    kept = [since for name, since in idle.items() if name not in gone and NOW - since >= UNUSED_S]
    assert all(pulled[name] <= since for name in gone for since in kept)


def test_the_longest_unused_goes_first_and_a_clock_set_back_removes_nothing() -> None:
    pulled = {f"i{number}": float(number) for number in range(KEPT + 2)}
    assert superfluous(pulled, (), NOW) == ["i0", "i1"]
    assert superfluous(pulled, (), 0.0) == []
    assert superfluous(pulled, {"i0"}, NOW) == ["i1"]
