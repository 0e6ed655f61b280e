"""What people say a slice or a site is for: bounded, printable, and the URL of a page. Pure."""

from __future__ import annotations

from typing import Final

from dsmt_core.errors import Invalid

DESCRIPTION_CHARACTERS: Final = 2_000
URL_CHARACTERS: Final = 500


def check_described(*, description: str = "", url: str = "") -> None:
    """Refuse what is not legal.

    Raises:
        Invalid: too long, with signs that cannot be printed, or no URL of a page.
    """
    if len(description) > DESCRIPTION_CHARACTERS or not description.replace("\n", " ").isprintable():
        raise Invalid(
            f"a description has at most {DESCRIPTION_CHARACTERS} characters, and all can be printed",
            hint="say more on a page of your own, and give its url",
        )
    legal = url.startswith(("http://", "https://")) and url.isprintable() and " " not in url
    if url and not (legal and len(url) <= URL_CHARACTERS):
        raise Invalid(
            f"{url[:60]!r} is not the URL of a page",
            hint=f"such as https://example.com/about, at most {URL_CHARACTERS} characters",
        )
