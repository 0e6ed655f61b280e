"""The ground of plans: its columns, and grounds that are made of grounds."""

from __future__ import annotations

import numpy as np

from dsmt_core.names import Host
from planner.plans import Ground
from tests.unit.planner.toy import hosts

ALL = hosts(9)
A, B, C = ALL[:3]


def test_a_ground_has_columns_of_texts_numbers_and_codes() -> None:
    ground = Ground.of({A: {"x": "1", "site": "s"}, B: {"x": "inf"}, C: {"x": "many"}}, also=["y"])
    assert ground.names == {"x", "y", "host", "site"}
    assert len(ground) == 3
    assert ground.texts("site") == ["s", "site1.org", "site2.org"]
    assert ground.texts("nobody") == ground.texts("y") == [None, None, None]
    assert ground.numbers("x").tolist()[0] == 1.0
    assert np.isnan(ground.numbers("x")[1:]).all()
    assert np.isnan(ground.numbers("y")).all()
    assert (ground.codes("x").tolist(), ground.codes("y").tolist()) == ([0, 1, 2], [0, 0, 0])
    assert ground.codes("x").dtype == np.int32
    assert ground.series("y").to_list() == [None, None, None]
    assert ground.series("y").dtype == ground.series("x").dtype
    assert (ground.those(ground.mask([B, Host("z")])), dict(ground.rows)) == ([B], {A: 0, B: 1, C: 2})


def test_grounds_are_made_of_grounds() -> None:
    ground = Ground.of({A: {"x": "1"}, B: {"x": "2"}})
    only = ground.only(1)
    assert (only.hosts, only.texts("x"), only.texts("host")) == ([B], ["2"], [B])
    more = ground.with_hosts([C, A])
    assert (more.hosts, more.texts("x")) == ([A, B, C], ["1", "2", None])
    known = ground.with_texts("y", {B: "here"}, "there")
    assert (known.texts("y"), known.texts("x")) == (["there", "here"], ["1", "2"])
    assert known.names == {"x", "y", "host", "site"}


def test_a_place_on_earth_is_told_under_either_name() -> None:
    ground = Ground.of(
        {
            A: {"lat": "90"},
            B: {"latitude": "0", "lat": "9", "lon": "90"},
            C: {"lat": "0", "longitude": "180"},
        }
    )
    x, y, z = (axis.round(6).tolist() for axis in ground.places)
    assert (x[1:], y[1:], z) == ([0.0, -1.0], [1.0, 0.0], [1.0, 0.0, 0.0])
    assert np.isnan([x[0], y[0]]).all()
