"""Requirements of images: what names one brings its archive."""

from __future__ import annotations

from planner.requirements import Package, resolve


def test_what_names_an_image_brings_its_archive_and_waits_for_it() -> None:
    named = Package(
        filename="web-1.image", digest="a" * 64, size=1, kind="image", name="web", version="1",
        requires=("sha256:" + "1" * 64,), application="web",
    )  # fmt: skip
    archives = [
        Package(
            filename=f"{one}.tar", digest=one * 64, size=1, kind="archive", name="httpd", version="2.4",
            provides=("sha256:" + one * 64, "docker.io/library/httpd:2.4"),
        )
        for one in ("1", "2")
    ]  # fmt: skip
    assert resolve(named, [named, *archives]).packages == (archives[0], named)
    assert "lacks sha256:1" in resolve(named, [named, archives[1]]).missing
