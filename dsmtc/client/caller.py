"""Who calls the planner: signing in, and signing in again.

A caller signs in by itself at its first request and once more when its token has ended; it is
synchronous, keeps one connection, and belongs to one thread.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar

from dsmt_core.errors import DeadlinePassed, Unauthenticated, Unavailable
from dsmtc.client import answers
from dsmtc.client.transport import Transport
from dsmtc.client.trust import Trust

DEFAULT_PLANNER: Final = "http://127.0.0.1:7080"
TIMEOUT_S: Final = 30.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who calls.

    Attributes:
        account: its name.
        password: the password, or how to get it when it is needed.
        role: user, pi, tech or admin; empty: the account's own.
        token: of an earlier login; used until the planner refuses it.
        sign: signs a challenge with a key of the account; instead of a password.
        trust: whom the caller trusts for a planner over TLS; by default those that the machine trusts.
    """

    account: str = ""
    password: str | Callable[[], str] = ""
    role: str = ""
    token: str = ""
    sign: Callable[[str], str] | None = None
    trust: Trust = field(default_factory=Trust)


class Caller:
    """The planner, for one caller.

    Args:
        url: of the planner.
        credentials: who calls.
        timeout_s: how long one answer may take.
        on_login: told each new login, so that its token can be kept.
        trace: told one line for each request.

    Every method raises the class of `dsmt_core.errors` that the planner's answer names, and
    `Unavailable` or `DeadlinePassed` without an answer.
    """

    def __init__(
        self,
        url: str = DEFAULT_PLANNER,
        credentials: Credentials | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        on_login: Callable[[answers.Login], None] = lambda _: None,
        trace: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.credentials = credentials or Credentials()
        self.transport = Transport(url, timeout_s=timeout_s, trace=trace, trust=self.credentials.trust)
        self.token = self.credentials.token
        self._on_login = on_login

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hasty(self, within_s: float) -> Self:
        """The same, that waits no longer than this for any one answer (seconds)."""
        self.transport.hurry(within_s)
        return self

    @contextlib.contextmanager
    def in_a_hurry(self, within_s: float) -> Iterator[Self]:
        """The same within the ``with``, and as patient as before behind it."""
        with self.transport.hurried(within_s):
            yield self

    def now(self) -> float:
        """The time, seconds since the epoch, by the planner's clock where this machine's is another one."""
        return time.time() + self.transport.ahead_s

    def close(self) -> None:
        """End the connection; may be called twice."""
        self.transport.close()

    def health(self) -> answers.Health:
        """How the planner is; needs no account."""
        return self.transport.request("GET", "/v1/health", shape=answers.Health)

    def login(self) -> answers.Login:
        """Sign in with account and password, or a key, and use the new token from now on."""
        if self.credentials.account and self.credentials.sign:
            return self._logged_in("/v1/login/key", self._signed_challenge(self.credentials.sign))
        account, password = self.credentials.account, self.credentials.password
        given = (password() if callable(password) else password) if account else ""
        if not given:
            raise Unauthenticated(
                "no account and password are known",
                hint="dsmtc login --user ACCOUNT, or write ~/.dsmt/account (see dsmtc login --help)",
            )
        return self._logged_in("/v1/login", {"account": account, "password": given})

    def _signed_challenge(self, sign: Callable[[str], str]) -> dict[str, str]:
        asked = {"account": self.credentials.account}
        challenge = self.transport.request("POST", "/v1/login/challenge", asked, shape=answers.Challenge)[
            "challenge"
        ]
        return asked | {"challenge": challenge, "signature": sign(challenge)}

    def _logged_in(self, path: str, body: dict[str, str]) -> answers.Login:
        if self.credentials.role:
            body["role"] = self.credentials.role
        login = self.transport.request("POST", path, body, shape=answers.Login)
        self.token = login["token"]
        self._on_login(login)
        return login

    def log_out(self) -> None:
        """End the login whose token is used."""
        self.transport.request("POST", "/v1/logout", token=self.token, shape=answers.Done)

    def call(self, method: str, path: str, body: object = None, *, shape: type[T]) -> T:
        """One request with the token, signing in where that is needed; the answer has the ``shape``."""
        return self.signed(
            lambda: self.transport.request(method, path, body, token=self.token, shape=shape)
        )

    def signed(self, ask: Callable[[], T]) -> T:
        """``ask`` with a token; when it has ended, once more with a new one."""
        if not self.token:
            self.login()
            return ask()
        try:
            return ask()
        except Unauthenticated:
            if not self.credentials.password and not self.credentials.sign:
                raise
        self.login()
        return ask()

    def begun(self, path: str, opened: Callable[[], None] = lambda: None) -> Iterator[bytes]:
        """The lines of a stream; a token that has ended is noticed before the first, and got anew."""

        def begin() -> tuple[Generator[bytes], bytes | None]:
            lines = self.transport.lines(path, token=self.token, opened=opened)
            return lines, next(lines, None)

        lines, first = self.signed(begin)
        with contextlib.closing(lines):
            if first is not None:
                yield first
                yield from lines

    def still_known(self) -> None:
        """A stream has ended: tell whether that is because the login has.

        Raises:
            Unauthenticated: it is so.
        """
        with contextlib.suppress(Unavailable, DeadlinePassed):
            self.freshen()

    def freshen(self) -> None:
        """Notice a token that has ended now, rather than in the middle of a stream."""
        self.call("GET", "/v1/whoami", shape=answers.WhoAmI)
