"""Having an image on the node, and what of it a sliver is made with; blocking, for threads."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any, Final

from agents import state_file
from agents.container_manager.images.archived import Archived
from agents.container_manager.images.engine import Engine
from agents.container_manager.images.engine_service import INSTALL_HINT, EngineService
from agents.container_manager.images.podman import PodmanDriver
from agents.container_manager.images.pruning import superfluous
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import DsmtError, Invalid, NotFound, Unavailable
from dsmt_core.images import BYTES, image_of

log = logging.getLogger(__name__)

OFF: Final = "off"
AUTO: Final = "auto"
# Of what an engine tells of an image, what a sliver needs.
_CONFIG: Final = ("Entrypoint", "Cmd", "Env", "WorkingDir", "StopSignal", "Volumes")


class Images:
    """The images of one node.

    Args:
        directory: the node's, for podman; slivers are beside it.
        how: ``off``, ``auto``, or the path of podman's socket.

    Attributes:
        driver: makes slivers out of them.
    """

    def __init__(self, directory: Path, how: str = OFF) -> None:
        named = None if how in {OFF, AUTO} else Path(how)
        self._how = how
        self._service = EngineService(directory, socket=named)
        self._engine = Engine(self._socket)
        self._pulling = threading.Lock()
        self._pulled = directory / "pulled.json"
        self._slivers = directory.parent / "slivers"
        self.driver = PodmanDriver(self._engine, directory)

    def offers(self) -> str:
        """By what slivers out of images are made here, for the facts; empty when they are not."""
        return "podman" if self._how != OFF and self._service.is_there() else ""

    def have(self, package: Path, archive: Path | None = None) -> dict[str, Any]:
        """Have the image that a package names; what a sliver needs to know of it.

        Args:
            package: names it.
            archive: has it, if it is not to come from a registry.

        Raises:
            Invalid: the package names none, or this node has no podman.
            Unavailable: the image cannot be had now.
        """
        try:
            with package.open("rb") as file:
                named = image_of(file.read(BYTES + 1))
        except OSError as error:
            raise Unavailable(f"the package of the image is not here: {error.strerror}") from error
        if not self.offers():
            raise Invalid(
                f"this node has no podman, and {named.application} is an image ({INSTALL_HINT})",
                hint="or a plan that chooses nodes by the fact images",
            )
        found = self._loaded(named.reference, archive) if named.archived else self._found(named.reference)
        self._prune(str(found["Id"]))
        config = found.get("Config") or {}
        return {
            "package": package.name,
            "application": named.application,
            "version": named.version,
            "reference": named.reference,
            "Id": str(found["Id"]),
            "Config": {name: config[name] for name in _CONFIG if config.get(name)},
        }

    def close(self) -> None:
        """End podman's service, if this node has started it."""
        self._service.close()

    def _found(self, reference: str) -> dict[str, Any]:
        try:
            return self._engine.image(reference)
        except NotFound:
            # One at a time: what two slivers wait for is pulled once.
            with self._pulling:
                try:
                    return self._engine.image(reference)
                except NotFound:
                    self._engine.pull(reference)
                    found = self._engine.image(reference)
                    self._keep({**self._known(), str(found["Id"]): time.time()})
                    return found

    def _loaded(self, reference: str, archive: Path | None) -> dict[str, Any]:
        """Looks into the archive also when the image is here: so nobody has another slice's by its id."""
        if archive is None:
            raise Unavailable("the archive of the image did not come with its package")
        with self._pulling, Archived(archive, reference) as archived:
            try:
                return self._engine.image(reference)
            except NotFound:
                archived.load(self._engine)
                found = self._engine.image(reference)
                self._keep({**self._known(), str(found["Id"]): time.time()})
                return found

    def _known(self) -> dict[str, float]:
        """What was pulled or loaded here, and when it was last in use."""
        found = state_file.load(self._pulled).value or {}
        return {name: float(since) for name, since in found.items() if isinstance(since, int | float)}

    def _keep(self, pulled: dict[str, float]) -> None:
        self._pulled.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        state_file.save(self._pulled, dict(pulled))

    def _prune(self, wanted: str) -> None:
        """Remove what DSMT has pulled and nobody needs any more; what something uses all the same stays."""
        with self._pulling:
            pulled, now = self._known(), time.time()
            files = (state_file.load(path).value or {} for path in self._slivers.glob("*/image.json"))
            used = {wanted, *(str(one.get("Id")) for one in files)}
            pulled |= {name: now for name in pulled if name in used}
            for name in superfluous(pulled, used, now):
                try:
                    self._engine.forget_image(name, force=False)
                except DsmtError as error:
                    log.info("the image %s stays: %s", name[:12], error)
                del pulled[name]
            if pulled != self._known():
                self._keep(pulled)

    def _socket(self) -> Path:
        if self._how == OFF:
            raise Unavailable("this node is told to use no podman", hint="dsmt-node --podman auto")
        return self._service.socket()


def keep(place: Place, image: dict[str, Any] | None) -> None:
    """Have the sliver made of ``image`` from its next boot on; None: as slivers usually are."""
    if image is None:
        place.image_file.unlink(missing_ok=True)
    else:
        state_file.save(place.image_file, image)


def package_of(place: Place) -> str:
    """The digest of the package that names the sliver's image; empty when it is made of none."""
    return str((state_file.load(place.image_file).value or {}).get("package") or "")
