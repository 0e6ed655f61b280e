"""Texts in requests: bounded, and such as every database and terminal takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints


def _storable(text: str) -> str:
    """What every database and terminal takes: no NUL, and no half of a pair."""
    if "\0" in text or (not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text)):
        raise ValueError("it has a NUL, or half of a pair of surrogates")
    return text


Storable = AfterValidator(_storable)
Text = Annotated[str, StringConstraints(max_length=1024), Storable]
LongText = Annotated[str, StringConstraints(max_length=65_536), Storable]
Parameters = Annotated[dict[Text, LongText], Field(max_length=64)]
