"""Where requests are answered: below ``/v1``, each with the one form of a refusal.

A router has its whole path from the beginning: FastAPI builds each route of one that is put below a prefix
later a second time, when the first request comes.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from planner.api import models

_BELOW: Final = "/v1"


def router_at(path: str, tag: str) -> APIRouter:
    """A router for what is asked below ``/v1`` and ``path``; ``tag`` groups it in the OpenAPI."""
    refusal = {"model": models.Refusal, "description": "Every error has this form"}
    return APIRouter(prefix=_BELOW + path, tags=[tag], responses={"default": refusal})
