"""What slivers have asked to be made of: kept from the asking until all in them has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agents.container_manager.images import having
from agents.container_manager.images.having import Images
from agents.container_manager.slivers.place import Place
from dsmt_core.names import Slice


class Remaking:
    """Serves the request ``image`` of the slivers of a node.

    Args:
        images: the node's.
        place_of: where a sliver is.
        remake: called when one is to be made otherwise.
    """

    def __init__(
        self, images: Images, place_of: Callable[[Slice], Place], remake: Callable[[Slice], None]
    ) -> None:
        self._images = images
        self._place_of = place_of
        self._remake = remake
        # None: as slivers usually are.
        self._wanted: dict[Slice, dict[str, Any] | None] = {}

    async def asked(
        self,
        slice_: Slice,
        digest: str,
        only_prepare: bool,  # noqa: FBT001 - of a request
        archive: str = "",
    ) -> bool:
        """Have a sliver made of the image that a package names, or only the image here; whether it is so.

        Args:
            slice_: whose sliver.
            digest: of the package.
            only_prepare: the sliver stays as it is.
            archive: digest of the package that has the image itself.

        Raises:
            Invalid, Unavailable: the image cannot be had, ever or now.
        """
        place = self._place_of(slice_)
        if digest == await asyncio.to_thread(having.package_of, place):
            return True
        image = None
        if digest:
            has = place.packages / archive if archive else None
            image = await asyncio.to_thread(self._images.have, place.packages / digest, has)
        if not only_prepare:
            self._wanted[slice_] = image
            self._remake(slice_)
        return False

    async def ended(self, slice_: Slice) -> None:
        """All in a sliver has ended: from now on it is what it has asked to be."""
        if slice_ in self._wanted:
            await asyncio.to_thread(having.keep, self._place_of(slice_), self._wanted[slice_])
            self._wanted.pop(slice_)
