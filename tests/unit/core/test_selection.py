"""The words of the container manager of the contract."""

from __future__ import annotations

from dsmt_core.lifecycle import State
from dsmt_core.names import Host
from dsmt_core.selection import LISTED, node_list_pairs, sliver_states


def test_the_walk_of_a_container_in_the_words_of_the_contract() -> None:
    walk = (State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.RUNNING, State.TERMINATED)
    words = [word for state in walk for word in sliver_states(state)]
    assert words == ["selected", "installing", "installed", "deselected"]
    assert sliver_states(State.FAILED) == ("failed",)


def test_nodes_are_listed_by_name_as_far_as_they_fit() -> None:
    assert node_list_pairs({Host("b"), Host("a")}) == {"count": "2", "nodes": "a b"}
    assert node_list_pairs([]) == {"count": "0", "nodes": ""}
    many = [Host(f"n{number:05}") for number in range(LISTED + 7)]
    pairs = node_list_pairs(many)
    assert (pairs["count"], pairs["left-out"]) == (str(LISTED + 7), "7")
    assert len(pairs["nodes"].split()) == LISTED
