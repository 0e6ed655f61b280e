"""The bounds of the package cache, on files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.package_cache import LINKS, PackageCache, _evict, _link
from agents.package_download import Depot
from dsmt_core.errors import Full, Invalid

NOWHERE = Depot("", "")


def package(directory: Path, number: int, size: int = 100, linked_into: Path | None = None) -> Path:
    path = directory / f"{number:064x}"
    path.write_bytes(b"x" * size)
    os.utime(path, (number, number))
    if linked_into is not None:
        os.link(path, linked_into / path.name)
    return path


def names(directory: Path) -> list[int]:
    return sorted(int(path.name, 16) for path in directory.iterdir() if len(path.name) == 64)


@pytest.fixture
def sliver(tmp_path: Path) -> Path:
    made = tmp_path / "sliver"
    made.mkdir()
    return made


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    made = tmp_path / "cache"
    made.mkdir()
    return made


def test_what_was_used_least_recently_goes_first_and_what_is_linked_stays(
    cache: Path, sliver: Path
) -> None:
    package(cache, 1, linked_into=sliver)
    for number in (2, 3, 4):
        package(cache, number)
    _evict(cache, 250, "new")
    assert names(cache) == [1, 4]


def test_when_nothing_can_go_the_cache_is_full(cache: Path, sliver: Path) -> None:
    package(cache, 1, linked_into=sliver)
    with pytest.raises(Full, match="no room"):
        _evict(cache, 50, "new")
    assert names(cache) == [1]
    with pytest.raises(Full):
        _evict(sliver.parent, -1, "larger than the whole cache")


def test_a_sliver_keeps_its_last_links_only(cache: Path, sliver: Path) -> None:
    for number in range(1, LINKS + 4):
        _link(package(cache, number), sliver)
        os.utime(sliver / f"{number:064x}", (number, number))
    _link(package(cache, 10_000), sliver)
    assert len(names(sliver)) == LINKS
    assert 10_000 in names(sliver)
    assert 1 not in names(sliver)


def test_an_order_of_many_packages_keeps_them_all(cache: Path, sliver: Path) -> None:
    for number in range(1, LINKS + 4):
        _link(package(cache, number), sliver)
    assert len(names(sliver)) == LINKS + 3


def test_linking_twice_is_no_error_and_another_file_is_replaced(cache: Path, sliver: Path) -> None:
    cached = package(cache, 1)
    _link(cached, sliver)
    _link(cached, sliver)
    (sliver / cached.name).unlink()
    (sliver / cached.name).write_text("something else")
    _link(cached, sliver)
    assert (sliver / cached.name).samefile(cached)


@pytest.mark.parametrize("digest", ["", "x", "../" + "a" * 61, "A" * 64, "a" * 63, "a" * 64 + "\n"])
async def test_only_digests_are_fetched(cache: Path, sliver: Path, digest: str) -> None:
    with pytest.raises(Invalid, match="digest"):
        await PackageCache(cache, most_bytes=1000, depot=NOWHERE).fetch(digest, 1, into=sliver)


async def test_what_is_there_is_linked_without_a_depot(cache: Path, sliver: Path) -> None:
    path = package(cache, 1)
    fetched = await PackageCache(cache, most_bytes=1000, depot=NOWHERE).fetch(path.name, 100, into=sliver)
    assert (sliver / fetched).samefile(path)
    assert path.stat().st_mtime > 1


def test_only_fresh_torn_downloads_of_an_earlier_life_stay(cache: Path) -> None:
    digest = "a" * 64
    (cache / ".part-abc").write_text("half")
    (cache / f".part-{digest}").write_text("half")
    old = cache / f".part-{'b' * 64}"
    old.write_text("half")
    os.utime(old, (1, 1))
    PackageCache(cache, most_bytes=1000, depot=NOWHERE)
    assert [path.name for path in cache.iterdir()] == [f".part-{digest}"]


def test_torn_downloads_go_before_whole_packages_but_not_those_under_way(cache: Path) -> None:
    package(cache, 1)
    for number in (2, 3, 4):
        (cache / f".part-{number:064x}").write_bytes(b"x" * 100)
    _evict(cache, 100, f"{4:064x}", frozenset({f"{3:064x}"}))
    assert sorted(path.name for path in cache.iterdir()) == sorted(
        [f"{1:064x}", f".part-{3:064x}", f".part-{4:064x}"]
    )


async def test_a_failed_fetch_gives_its_room_back(cache: Path, sliver: Path) -> None:
    made = PackageCache(cache, most_bytes=1000, depot=NOWHERE)
    for _ in range(5):
        with pytest.raises(Exception, match="knows no depot"):
            await made.fetch("a" * 64, 900, into=sliver)
    assert made._promised == 0
    await made.close()
