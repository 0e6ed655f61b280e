"""An application given as an image: a small file in the depot that names the image, and is a package.

    {"dsmt-image": 1, "application": "web", "version": "1.2", "reference": "docker.io/library/httpd:2.4"}

So an image has versions, orders, roll-outs and the way back as any package has. Pure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.names import application
from dsmt_core.packages import package_filename

KIND: Final = "image"
HEAD: Final = b'{"dsmt-image"'
"""How such a file begins."""
BYTES: Final = 4096
SUFFIX: Final = ".image"
"""How its name ends in the depot."""
# registry.example.org:5000/team/name:tag@sha256:…, as the distribution's reference grammar has it.
_REFERENCE: Final = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]{0,254}\Z")
_ID: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]{0,63}\Z")
_TAG: Final = re.compile(r":v?(?P<version>[0-9][A-Za-z0-9_.+-]*)(?:@|\Z)")
_HINT: Final = "such as docker.io/library/httpd:2.4, or localhost/web:1"


@dataclass(frozen=True, slots=True)
class ImageName:
    """Which image an application is, at one version.

    Attributes:
        reference: by which a container engine knows it; with ``@sha256:…`` it is always the same one.
            ``sha256:…`` alone is the id of an image that comes as an archive, beside this package.

    Raises:
        Invalid: a part is not legal.
    """

    application: str
    version: str
    reference: str

    def __post_init__(self) -> None:
        application(self.application)
        if not _VERSION.match(self.version):
            raise Invalid(f"{self.version[:80]!r} is not a version", hint="letters, digits, . _ + ~ ^")
        if not _REFERENCE.match(self.reference) or ".." in self.reference:
            raise Invalid(f"{self.reference[:80]!r} does not name an image", hint=_HINT)

    @property
    def archived(self) -> str:
        """The id by which the depot has the image itself; empty when it is not to come from there."""
        return self.reference if _ID.match(self.reference) else ""

    @property
    def text(self) -> str:
        """The file."""
        fields = {"application": self.application, "version": self.version, "reference": self.reference}
        return json.dumps({"dsmt-image": 1, **fields}) + "\n"

    @property
    def filename(self) -> str:
        """What the file is called in the depot."""
        return package_filename(f"{self.application}-{self.version}{SUFFIX}")


def image_of(content: bytes) -> ImageName:
    """The inverse of `ImageName.text`.

    Raises:
        Invalid: it is none.
    """
    try:
        fields = json.loads(content[:BYTES])
        return ImageName(*(str(fields[name]) for name in ("application", "version", "reference")))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid("it does not name an image: it is damaged, or of a later DSMT") from error


def version_of(reference: str) -> str:
    """The version that the tag of a reference tells, as rpm writes it; empty when it tells none."""
    found = _TAG.search(reference)
    return found["version"].replace("-", "_") if found else ""
