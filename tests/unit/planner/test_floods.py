"""Who says more than a quota allows is told of, then cut off; who says little never is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.names import Site, Slice
from planner.floods import (
    BURST_S,
    FIRST_S,
    FORGIVES_S,
    GRACE_S,
    Cut,
    Floods,
    News,
    Spoken,
    bounds_of,
    foreign_agents,
    read,
    speaker,
    written,
)
from planner.quota import Quota, SiteQuota
from planner.wanted import Wanted, WantedSlice

WEB, ZOO = Slice("web"), Slice("zoo")
HERE, THERE, MEMBER = "sliver.web.n1.example.org", "sliver.web.n2", "slice.web"
TEN = Spoken("the slice web", 10, frozenset({WEB}))


class Second:
    """Seconds in which users say so much."""

    def __init__(self, *bounds: Spoken, foreign: frozenset[Slice] = frozenset()) -> None:
        self.floods = Floods()
        self.now = 1_000.0
        self.bounds = bounds or (TEN,)
        self.foreign = foreign

    def run(self, seconds: int, **said: int) -> list[News]:
        news = []
        for _ in range(seconds):
            for user, count in said.items():
                if user not in self.floods.silenced(self.now):
                    for _ in range(count):
                        self.floods.heard(user)
            self.now += 1.0
            news += self.floods.tick(self.now, self.bounds, foreign=self.foreign)
        return news

    def told(self, slice_: Slice) -> list[str]:
        return self.floods.standing(slice_, self.now)


def test_what_is_within_the_quota_is_no_news() -> None:
    assert Second().run(60, **{HERE: 5, THERE: 5}) == []


def test_a_burst_of_ten_seconds_may_come_at_once() -> None:
    second = Second()
    assert second.run(1, **{HERE: 100}) == []
    assert second.run(20) == []
    assert second.run(1, **{HERE: 101})[0].what == "over"


def test_who_is_over_is_told_once_and_who_says_most_is_cut_off() -> None:
    second = Second()
    news = second.run(40, **{HERE: 200, THERE: 6})
    assert [one.what for one in news] == ["over", "cut", "within"]
    assert (news[1].users, news[1].seconds) == ((HERE,), FIRST_S)
    assert "the slice web says" in news[0].sentence
    assert "may say 10: who says most is cut off in 10 s" in news[0].sentence
    assert news[1].sentence.endswith(f"{HERE} may not connect for 30 s")
    assert second.floods.silenced(second.now) == {HERE}
    second.run(2)
    assert second.floods.silenced(second.now) == frozenset()


def test_who_comes_back_and_does_it_again_is_away_longer_and_is_forgiven_in_the_end() -> None:
    second = Second()
    cut = [one.seconds for one in second.run(300, **{HERE: 200}) if one.what == "cut"]
    assert cut[:3] == [30.0, 60.0, 120.0]
    second.run(int(FORGIVES_S) + 300)
    assert second.floods.cuts == {}
    assert next(one.seconds for one in second.run(40, **{HERE: 200}) if one.what == "cut") == FIRST_S


def test_who_speaks_less_once_told_is_not_cut_off() -> None:
    second = Second()
    assert [one.what for one in second.run(2, **{HERE: 90})] == ["over"]
    assert second.told(WEB)
    assert [one.what for one in second.run(40, **{HERE: 2})] == ["within"]
    assert second.told(WEB) == []
    assert second.floods.cuts == {}


def test_nodes_the_planner_and_dsmts_own_agents_are_not_counted() -> None:
    second = Second()
    others = {"node.n1": 500, "planner": 500, "agent.web.n1": 500, "sliver.zoo.n1": 500, "": 500}
    assert second.run(40, **others) == []
    second = Second(foreign=frozenset({WEB}))
    assert [one.users for one in second.run(12, **{"agent.web.n1": 500})][-1] == ("agent.web.n1",)
    assert speaker(MEMBER) == ("slice", WEB)
    assert speaker("sliver.web.a.b") == ("sliver", WEB)


def test_slices_of_a_site_are_counted_together_and_the_quiet_one_goes_on() -> None:
    second = Second(Spoken("the site east", 10, frozenset({WEB, ZOO})))
    news = second.run(25, **{HERE: 50, "sliver.zoo.n1": 2})
    assert [one.users for one in news if one.users] == [(HERE,)]
    assert second.told(ZOO) == []
    (told,) = second.told(WEB)
    assert "the site east said more" in told


def test_a_site_that_is_over_is_told_to_all_its_slices() -> None:
    second = Second(Spoken("the site east", 10, frozenset({WEB, ZOO})))
    second.run(4, **{HERE: 50})
    assert second.told(ZOO) == second.told(WEB) != []


def test_who_is_cut_off_is_told_of_as_long_as_that_lasts() -> None:
    """Who says nothing is within its quota long before it may speak again; it is asked why it may not."""
    second = Second()
    news: list[News] = []
    while not any(one.what == "cut" for one in news):
        news += second.run(1, **{HERE: 200})
    for lasts in range(int(FIRST_S), 0, -1):
        (told,) = second.told(WEB)
        assert told == (
            f"{HERE} may not connect for {lasts} s: the slice web said more events than its quota allows"
        )
        assert second.told(ZOO) == []
        news += second.run(1)
    assert [one.what for one in news] == ["over", "cut", "within"]
    assert second.told(WEB) == []


def test_of_many_that_are_cut_off_some_are_named() -> None:
    again = Floods({f"sliver.web.n{number}": Cut(50.0 + number, 1, "the slice web") for number in range(7)})
    (told,) = again.standing(WEB, 40.0)
    assert told.startswith("sliver.web.n0, sliver.web.n1, ")
    assert " and 2 more may not connect for 16 s: " in told


def test_a_bound_that_is_gone_is_forgotten_and_a_new_one_begins_full() -> None:
    second = Second()
    second.run(3, **{HERE: 90})
    second.bounds = (Spoken("the slice zoo", 5, frozenset({ZOO})),)
    assert second.run(1, **{HERE: 90}) == []
    assert second.told(WEB) == []


def test_a_clock_that_jumps_makes_nobody_a_flooder() -> None:
    second = Second()
    second.run(5, **{HERE: 9})
    for jump in (-5_000.0, 90_000.0):
        second.now += jump
        assert second.run(5, **{HERE: 9}) == []


def test_bounds_follow_from_the_quotas_of_slices_and_sites() -> None:
    wanted = Wanted(
        slices={
            WEB: WantedSlice(name=WEB, managed=True, generation=0, quota=Quota(events_per_second=9)),
            ZOO: WantedSlice(name=ZOO, managed=True, generation=0, agent="other"),
        },
        sites={Site(""): SiteQuota(Site("home"), Quota(events_per_second=7), Quota(events_per_second=8))},
    )
    assert [(one.whose, one.rate) for one in bounds_of(wanted)] == [
        ("the slice web", 7),
        ("the slice zoo", 7),
        ("the site home", 8),
    ]
    assert foreign_agents(wanted) == {ZOO}
    assert bounds_of(Wanted()) == ()


def test_cuts_are_stored_as_they_are() -> None:
    cuts = {HERE: Cut(5.0, 2, "the slice web")}
    assert (read(written(cuts)), written({}), read("")) == (cuts, "", {})
    again = Floods(cuts)
    assert (again.silenced(4.0), again.silenced(5.0)) == (frozenset({HERE}), frozenset())


@given(
    st.lists(
        st.dictionaries(st.sampled_from([HERE, THERE, MEMBER]), st.integers(0, 60), max_size=3),
        min_size=1,
        max_size=60,
    )
)
def test_only_who_is_over_for_long_is_cut_off_and_what_is_left_fits(seconds: list[dict[str, int]]) -> None:
    second, since, window = Second(), 0.0, dict.fromkeys((HERE, THERE, MEMBER), 0)
    for said in seconds:
        allowed = {user: n for user, n in said.items() if user not in second.floods.silenced(second.now)}
        news = second.run(1, **said)
        for user, count in allowed.items():
            window[user] += count
        for one in news:
            if one.what == "cut":
                lasted = second.now - since
                assert lasted >= GRACE_S
                kept = sum(count for user, count in window.items() if user not in one.users)
                assert kept <= TEN.rate * lasted
                assert one.users
            if one.what in {"over", "cut"}:
                since = second.now
                window = dict.fromkeys(window, 0)
    quiet = second.run(int(2 * BURST_S) + 2)
    assert all(one.what in {"within", "cut"} for one in quiet)
    assert bool(second.told(WEB)) == bool(second.floods.silenced(second.now))
