"""The key that signs orders is changed while all runs; one that nobody handed over to is not followed."""

from __future__ import annotations

from planner.authority.order_keys import OrderKeys
from tests.attacks.town import ALPHA, Town


def keys(town: Town) -> OrderKeys:
    return OrderKeys(town.scene.scenery.home / "planner" / "order.key")


def starts(town: Town) -> list[str]:
    return [text.split()[1] for text in town.vitals()[1]]


def test_a_key_is_changed_and_a_key_from_nowhere_is_not_followed(town: Town) -> None:
    before = starts(town)
    keys(town).rotate()
    with town.scene.client() as client:
        client.act(ALPHA, town.app.name, "restart")
    # Both hosts of the slice follow the new key; the other slice is left as it is.
    town.until(lambda: starts(town)[:2] == [str(int(count) + 1) for count in before[:2]])
    assert starts(town)[2:] == before[2:]

    running = town.vitals()
    path = town.scene.scenery.home / "planner" / "order.key"
    path.unlink()
    with town.scene.client() as client:
        client.act(ALPHA, town.app.name, "restart")
    refused = town.dead_letters()
    town.until(lambda: town.dead_letters() > refused)
    assert town.vitals() == running
