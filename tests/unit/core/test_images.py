"""Files that name an image: written, read, and refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.images import HEAD, ImageName, image_of, version_of

REFERENCES = st.from_regex(r"[a-z0-9][a-z0-9/_-]{0,40}(:[a-z0-9-]{1,10})?", fullmatch=True)


@given(st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True), REFERENCES)
def test_what_is_written_is_read_and_recognised(name: str, reference: str) -> None:
    named = ImageName(name, "1.2~rc1", reference)
    assert image_of(named.text.encode()) == named
    assert named.text.encode().startswith(HEAD)
    assert named.filename == f"{name}-1.2~rc1.image"


@pytest.mark.parametrize("reference", ["", "a b", "../etc", "web;reboot", "-web", "a" * 256, "Web:1"])
def test_what_names_no_image_is_refused(reference: str) -> None:
    with pytest.raises(Invalid, match="does not name an image"):
        ImageName("web", "1", reference)


def test_a_version_is_one_that_rpm_would_take() -> None:
    with pytest.raises(Invalid, match="not a version"):
        ImageName("web", "1-2", "web:1")


@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
def test_nonsense_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(Invalid):
        image_of(content)


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("docker.io/library/httpd:2.4", "2.4"),
        ("localhost:5000/web:v1.2-rc1", "1.2_rc1"),
        ("localhost:5000/web", ""),
        ("web:latest", ""),
        ("web:1.2@sha256:abc", "1.2"),
        ("web@sha256:abc", ""),
    ],
)
def test_a_tag_may_tell_the_version(reference: str, version: str) -> None:
    assert version_of(reference) == version
