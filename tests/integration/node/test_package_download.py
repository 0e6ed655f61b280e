"""Downloads of a node against depots and mirrors that cut off, lie and go away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import package_download
from agents.package_cache import PackageCache
from agents.package_download import ATTEMPTS, Depot
from dsmt_core.errors import Denied, Invalid, NotFound, Unavailable
from tests.integration.node.sources import CONTENT, DIGEST, Fault, Source, answers, cut, lies, serving

SIZE = len(CONTENT)
THIRD = SIZE // 3
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def depot() -> Iterator[Source]:
    with serving() as source:
        yield source


@pytest.fixture
def mirror() -> Iterator[Source]:
    with serving() as source:
        yield source


@pytest.fixture
def sliver(tmp_path: Path) -> Path:
    made = tmp_path / "sliver"
    made.mkdir()
    return made


def cache_of(tmp_path: Path, depot: str, mirror: str = "") -> PackageCache:
    return PackageCache(tmp_path / "cache", most_bytes=4 * SIZE, depot=Depot(depot, "token", mirror))


def left(tmp_path: Path) -> list[tuple[str, int]]:
    return sorted((path.name, path.stat().st_size) for path in (tmp_path / "cache").iterdir())


async def test_a_torn_download_is_gone_on_with(depot: Source, tmp_path: Path, sliver: Path) -> None:
    depot.faults = [cut(THIRD), cut(THIRD)]
    name = await cache_of(tmp_path, depot.url).fetch(DIGEST, SIZE, into=sliver)
    assert (sliver / name).read_bytes() == CONTENT
    assert depot.asked == ["", f"bytes={THIRD}-", f"bytes={2 * THIRD}-"]
    assert depot.sent == SIZE
    assert left(tmp_path) == [(DIGEST, SIZE)]


async def test_it_is_gone_on_with_by_the_next_life(depot: Source, tmp_path: Path, sliver: Path) -> None:
    depot.faults = [cut(THIRD), cut(0), cut(0)]
    with pytest.raises(Unavailable, match="too few"):
        await cache_of(tmp_path, depot.url).fetch(DIGEST, SIZE, into=sliver)
    assert left(tmp_path) == [(f".part-{DIGEST}", THIRD)]
    await cache_of(tmp_path, depot.url).fetch(DIGEST, SIZE, into=sliver)
    assert depot.asked[-1] == f"bytes={THIRD}-"
    assert depot.sent == SIZE


async def test_the_attempts_are_bounded(
    depot: Source, tmp_path: Path, sliver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_download, "_MOST_WAIT_S", 0.2)
    depot.faults = [cut(1)] * (2 * ATTEMPTS)
    with pytest.raises(Unavailable):
        await cache_of(tmp_path, depot.url).fetch(DIGEST, SIZE, into=sliver)
    assert len(depot.asked) == ATTEMPTS


@pytest.mark.parametrize("torn", [b"x" * 1000, CONTENT[:-1] + b"x", CONTENT + b"x"])
async def test_a_file_that_was_torn_wrongly_costs_one_more_download(
    torn: bytes, depot: Source, tmp_path: Path, sliver: Path
) -> None:
    cache = cache_of(tmp_path, depot.url)
    (tmp_path / "cache" / f".part-{DIGEST}").write_bytes(torn)
    await cache.fetch(DIGEST, SIZE, into=sliver)
    assert (sliver / DIGEST).read_bytes() == CONTENT
    assert depot.asked[-1] == ""


async def test_a_file_that_only_lacks_its_name_costs_nothing(
    depot: Source, tmp_path: Path, sliver: Path
) -> None:
    cache = cache_of(tmp_path, depot.url)
    (tmp_path / "cache" / f".part-{DIGEST}").write_bytes(CONTENT)
    await cache.fetch(DIGEST, SIZE, into=sliver)
    assert (depot.asked, (sliver / DIGEST).read_bytes()) == ([], CONTENT)


async def test_a_link_in_the_place_of_a_torn_file_is_not_followed(
    depot: Source, tmp_path: Path, sliver: Path
) -> None:
    cache = cache_of(tmp_path, depot.url)
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "cache" / f".part-{DIGEST}").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"):
        await cache.fetch(DIGEST, SIZE, into=sliver)
    assert precious.read_text() == "precious"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (answers(200, CONTENT + b"x"), Invalid),
        (answers(200, b"short"), Invalid),
        (lies(), Invalid),
        (answers(404), NotFound),
        (answers(403), Denied),
        (answers(503), Unavailable),
        (answers(416), Invalid),
    ],
)
async def test_what_the_depot_does_wrong_is_told(
    fault: Fault, error: type[Exception], depot: Source, tmp_path: Path, sliver: Path
) -> None:
    depot.faults = [fault]
    with pytest.raises(error):
        await cache_of(tmp_path, depot.url).fetch(DIGEST, SIZE, into=sliver)
    assert len(depot.asked) == 1
    assert not (sliver / DIGEST).exists()


async def test_a_depot_that_knows_no_ranges_sends_it_anew(
    depot: Source, tmp_path: Path, sliver: Path
) -> None:
    depot.faults = [cut(THIRD), answers(200, CONTENT)]
    await cache_of(tmp_path, depot.url).fetch(DIGEST, SIZE, into=sliver)
    assert (sliver / DIGEST).read_bytes() == CONTENT


async def test_the_mirror_is_asked_first_and_alone(
    depot: Source, mirror: Source, tmp_path: Path, sliver: Path
) -> None:
    await cache_of(tmp_path, depot.url, mirror.url).fetch(DIGEST, SIZE, into=sliver)
    assert (mirror.sent, depot.asked) == (SIZE, [])


@pytest.mark.parametrize(
    "faults",
    [
        [answers(404)],
        [answers(503)],
        [answers(401)],
        [lies()],
        [lies(THIRD), lies()],
        [answers(200, b"short")],
        [lies(THIRD), cut(0), cut(0)],
    ],
)
async def test_a_mirror_that_is_away_or_lies_is_passed_over(
    faults: list[Fault | None], depot: Source, mirror: Source, tmp_path: Path, sliver: Path
) -> None:
    mirror.faults = [*faults, *faults]
    await cache_of(tmp_path, depot.url, mirror.url).fetch(DIGEST, SIZE, into=sliver)
    assert (sliver / DIGEST).read_bytes() == CONTENT
    assert left(tmp_path) == [(DIGEST, SIZE)]


async def test_what_a_mirror_sent_before_it_went_is_used(
    depot: Source, mirror: Source, tmp_path: Path, sliver: Path
) -> None:
    mirror.faults = [cut(THIRD), cut(0), cut(0)]
    await cache_of(tmp_path, depot.url, mirror.url).fetch(DIGEST, SIZE, into=sliver)
    assert depot.asked == [f"bytes={THIRD}-"]


async def test_a_mirror_that_was_away_rests(depot: Source, tmp_path: Path, sliver: Path) -> None:
    with serving() as mirror:
        mirror.faults = [answers(503)]
        cache = cache_of(tmp_path, depot.url, mirror.url)
        await cache.fetch(DIGEST, SIZE, into=sliver)
        (tmp_path / "cache" / DIGEST).unlink()
        await cache.fetch(DIGEST, SIZE, into=sliver)
        assert (len(mirror.asked), len(depot.asked)) == (1, 2)


async def test_no_mirror_and_no_depot_is_told(tmp_path: Path, sliver: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await cache_of(tmp_path, NOWHERE, "http://127.0.0.1:2").fetch(DIGEST, SIZE, into=sliver)


async def test_many_slivers_share_one_download(depot: Source, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, depot.url)
    slivers = [tmp_path / f"sliver{number}" for number in range(30)]
    for one in slivers:
        one.mkdir()
    await asyncio.gather(*(cache.fetch(DIGEST, SIZE, into=one) for one in slivers))
    assert (len(depot.asked), depot.sent) == (1, SIZE)
    assert all((one / DIGEST).stat().st_nlink == 31 for one in slivers)
