"""With what an application connects: the private file that ``DSMT_PSEPR`` names.

The agent writes the file, and writes it anew when the broker's address or password has changed. Why there
is no way to the broker is told here, in one line, wherever it is asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from broker.address import with_certificate
from dsmt_core.errors import Denied, Invalid, NotFound, Unavailable

VARIABLE: Final = "DSMT_PSEPR"
_BYTES: Final = 1 << 16
_SHARED: Final = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who an application is, and where its broker is.

    Attributes:
        url: of the broker, with the password.
        certificate: the file of what a broker over TLS is shown; empty: nothing.
        service: in whose name it speaks.
        instance: which copy of it this is.
        slice, host, application: where it was deployed; empty outside a sliver.
    """

    url: str = field(repr=False)
    service: str = ""
    instance: str = ""
    slice: str = ""
    host: str = ""
    application: str = ""
    certificate: str = ""

    @property
    def way(self) -> str:
        """The URL with the file of the certificate."""
        return with_certificate(self.url, self.certificate)


def named_in(environment: Mapping[str, str]) -> Path:
    """The file of credentials that the environment names.

    Raises:
        NotFound: it names none.
    """
    path = environment.get(VARIABLE, "")
    if not path:
        raise NotFound(
            f"{VARIABLE} is not set: this program has no credentials for PsEPR",
            hint="DSMT sets it for the scripts of an application; elsewhere name a file of credentials",
        )
    return Path(path)


def read(path: Path) -> Credentials:
    """The credentials in ``path``.

    Raises:
        NotFound: there is no such file.
        Denied: it may not be read, or others may read it too.
        Invalid: it holds no credentials.
        Unavailable: it says that applications have no way to the broker.
    """
    values = _object(path, _text(path))
    known = {each.name: str(values.get(each.name) or "") for each in fields(Credentials)}
    _check(known["url"])
    return Credentials(**known)


def _text(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _SHARED:
                raise Denied(f"{path} may be read by others", hint=f"chmod 600 {path}")
            return file.read(_BYTES)
    except FileNotFoundError:
        raise NotFound(f"there is no {path}", hint="the deployment agent writes it") from None
    except OSError as error:
        raise Denied(f"{path} cannot be read: {error.strerror}") from error


def _object(path: Path, text: bytes) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise Invalid(f"{path} holds no credentials", hint='a JSON object with "url" and "service"')
    return values


def _check(url: str) -> None:
    if not url:
        raise Unavailable(
            "applications have no way to PsEPR here: the planner was given no broker URL for them",
            hint="start it with --application-broker or DSMT_APPLICATION_BROKER",
        )
    if url.startswith("memory:"):
        raise Unavailable(
            "applications have no way to PsEPR here: this broker lives inside one process of DSMT",
            hint="use RabbitMQ (make demo, dsmtc dev) for applications that publish or listen",
        )
