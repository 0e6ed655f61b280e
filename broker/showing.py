"""What a server of the installation shows to its clients: a certificate that may change while it serves.

Rule: a file that cannot be read, or holds no certificate and its key, changes nothing: what was shown
before is shown on.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from dsmt_core.errors import Invalid


class Shown:
    """The certificate in a file, for new connections; those that are open keep theirs.

    Args:
        path: PEM, the key as well as the certificate; of mode 0600.

    Attributes:
        context: for a server; TLS 1.2 and later.

    Raises:
        Invalid: the file cannot be read, or is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Resumed sessions would show what they were begun with, and need a secret that is never changed.
        self.context.options |= ssl.OP_NO_TICKET
        self.context.num_tickets = 0
        self._seen = _changed(path)
        self._load()

    def look(self) -> bool:
        """Take over what is in the file now; whether it is another one.

        Raises:
            Invalid: what is there now is none; it is said once.
        """
        now = _changed(self.path)
        if now == self._seen:
            return False
        self._seen = now
        self._load()
        return True

    def _load(self) -> None:
        try:
            # Tried on a context of its own: a key that does not fit would leave the certificate exchanged.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.path)
            self.context.load_cert_chain(self.path)
        except (OSError, ssl.SSLError) as error:
            raise Invalid(
                f"{self.path} does not hold a certificate and its key: {error.strerror or error}",
                hint="dsmt-planner ca issue HOST makes one",
            ) from error


def _changed(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_ino
