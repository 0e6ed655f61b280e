"""What a verb works with: the planner, the slice, and where to write.

A session is made from a line's common options and the environment; the client in it signs in when it is
first needed, with a kept token where there is one.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from dsmt_core.errors import Invalid, NotFound, Unauthenticated
from dsmtc.account import Home, Identity, choose_identity, choose_planner, read_account, read_secret
from dsmtc.authority import choose_trust
from dsmtc.client import Client, Credentials, Login
from dsmtc.client.rehearsal import Rehearsal
from dsmtc.client.trust import Trust
from dsmtc.commandline import Common, Misused, Parties, parties
from dsmtc.output import Output
from dsmtc.tokens import Place, Tokens


@dataclass
class Session:
    """One line being carried out. Parts of it are made when they are first used.

    Attributes:
        common: the line's common options.
        environment: of the process.
        words: the verb and what is left for it.
        clients: connections that outlive a line (the shell's), by planner and identity.
        typed: the password that was typed at a prompt, if one was.
        asks: a person may be asked for what lacks.
        rehearsal: nothing is changed: what would be sent is noted here.
    """

    common: Common
    environment: Mapping[str, str]
    words: tuple[str, ...]
    clients: dict[tuple[str, Identity], Client]
    typed: str = ""
    asks: bool = True
    rehearsal: Rehearsal | None = None

    @property
    def imagines(self) -> bool:
        """Something was noted instead of sent: what is answered since then is not what will be."""
        return self.rehearsal is not None and bool(self.rehearsal.would)

    @property
    def verb(self) -> str:
        """The line's first word."""
        return self.words[0]

    @cached_property
    def out(self) -> Output:
        """Where to write."""
        return Output(form=self.common.form, verbose=self.common.verbose, quiet=lambda: self.imagines)

    @cached_property
    def home(self) -> Home:
        """The settings of this person."""
        return Home.of(self.environment)

    @cached_property
    def planner(self) -> str:
        """The planner's URL."""
        return choose_planner(self.common, self.environment, self.home)

    @cached_property
    def parties(self) -> Parties:
        """Who acts, and the slice's user."""
        known = bool(self.environment.get("DSMT_ACCOUNT") or self._file.account or self._remembered.account)
        return parties(self.common, verb=self.verb, known=known)

    @cached_property
    def identity(self) -> Identity:
        """Who acts.

        Raises:
            DsmtError: the account file or the password file cannot be used.
        """
        chosen = choose_identity(
            self.common, self.environment, self._file, self._remembered, self.parties.actor
        )
        if self.common.password and sys.stderr.isatty():
            self.out.story("others see a password on the command line; better: --password-file FILE")
        if self.common.password_file and not self.common.password:
            return Identity(chosen.account, password_in(self.common.password_file), chosen.role, chosen.key)
        return chosen

    @cached_property
    def client(self) -> Client:
        """The planner, in the name of who acts."""
        key = (self.planner, self.identity)
        if key not in self.clients:
            if self._program:
                credentials = Credentials(token=self._program, trust=self._trust)
                self.clients[key] = Client(self.planner, credentials, trace=self.out.trace)
            else:
                token = self.tokens.find(self._place, self.identity.password)
                self.clients[key] = self._client(token, self.keep)
        self.clients[key].transport.rehearsal = self.rehearsal
        return self.clients[key]

    @cached_property
    def tokens(self) -> Tokens:
        """Tokens of earlier logins."""
        return Tokens(self.home.tokens)

    @property
    def named_slice(self) -> str:
        """The slice that is named, or empty."""
        return self.common.slice or self.environment.get("DSMT_SLICE", "")

    @cached_property
    def slice(self) -> str:
        """The slice that is meant: the one named, ``DSMT_SLICE``, else the caller's only one.

        Raises:
            Misused: none is named, and there is not exactly one.
        """
        named = self.named_slice
        if named:
            return named
        # A pi or admin may use slices that do not name them.
        own = self.client.whoami()["slices"] or [each["slice"] for each in self.client.slices()]
        if len(own) == 1:
            return own[0]
        if not own:
            raise Misused("no slice is named, and you have none", hint="dsmtc create --slice NAME")
        raise Misused(
            f"no slice is named, and you have {len(own)}: {', '.join(own[:20])}",
            hint="name one with --slice, or set DSMT_SLICE",
        )

    def sign_in(self) -> Login:
        """Log in anew, whatever tokens there are, and act for this account from now on."""
        with self._client("", lambda login: self.keep(login, remember=True)) as client:
            return client.login()

    def sign_out(self) -> bool:
        """End the login of this account here; False when there was none."""
        token = self.tokens.find(self._place, "")
        self.tokens.drop(self._place)
        if not token:
            return False
        credentials = Credentials(self.identity.account, token=token, trust=self._trust)
        with Client(self.planner, credentials, trace=self.out.trace) as client:
            try:
                client.log_out()
            except Unauthenticated:
                return False
        return True

    def keep(self, login: Login, *, remember: bool = False) -> None:
        """Keep the token of a login."""
        trouble = self.tokens.keep(
            self._place,
            login["token"],
            self.typed or self.identity.password,
            remember=remember,
            key=self.identity.key,
        )
        if trouble and remember:
            self.out.story(
                f"this login cannot be kept in {self.home.folder}: {trouble}; each command logs in"
            )

    @property
    def shadowed(self) -> str:
        """What will act in later commands in place of this login; empty: this login will."""
        known = {
            "DSMT_ACCOUNT": self.environment.get("DSMT_ACCOUNT", ""),
            "the account file": self._file.account,
        }
        return next((name for name, who in known.items() if who and who != self.identity.account), "")

    def ask_new_password(self) -> str:
        """Ask twice for a password to set.

        Raises:
            Misused: nobody can be asked, or the two differ.
        """
        if not sys.stdin.isatty():
            raise Misused(
                "the new password is not known, and nobody can be asked",
                hint="DSMT_NEW_PASSWORD, or --new-password-file FILE",
            )
        first = getpass.getpass("New password: ")
        if getpass.getpass("The same again: ") != first:
            raise Misused("the two passwords differ; nothing is changed")
        return first

    def ask_password(self) -> str:
        """Ask for the password of who acts.

        Raises:
            Unauthenticated: nobody can be asked.
        """
        if not (self.asks and sys.stdin.isatty()):
            raise Unauthenticated(
                f"the password of {self.identity.account} is not known, and nobody can be asked",
                hint="--password-file FILE, DSMT_PASSWORD, or the file ~/.dsmt/account",
            )
        return getpass.getpass(f"Password of {self.identity.account}: ")

    def _client(self, token: str, on_login: Callable[[Login], None]) -> Client:
        identity = self.identity
        if key := identity.key:
            sign = partial(_signed, key, identity.account)
            credentials = Credentials(identity.account, "", identity.role, token, sign, self._trust)
        else:
            password = identity.password or self._ask
            credentials = Credentials(identity.account, password, identity.role, token, None, self._trust)
        return Client(self.planner, credentials, on_login=on_login, trace=self.out.trace)

    @cached_property
    def _trust(self) -> Trust:
        return choose_trust(self.common, self.environment, self.home)

    def _ask(self) -> str:
        self.typed = self.ask_password()
        return self.typed

    @property
    def _program(self) -> str:
        """A program's token, which says who acts where nobody is named."""
        named = self.parties.actor or self.common.account_file or self.environment.get("DSMT_ACCOUNT")
        return "" if named else self.environment.get("DSMT_TOKEN", "")

    @property
    def _place(self) -> Place:
        return Place(self.planner, self.identity.account, self.identity.role)

    @cached_property
    def _file(self) -> Identity:
        named = self.common.account_file or self.environment.get("DSMT_ACCOUNT_FILE", "")
        return read_account(Path(named) if named else self.home.account, asked_for=bool(named))

    @cached_property
    def _remembered(self) -> Identity:
        return self.tokens.remembered(self.planner)


def _signed(key: str, account: str, challenge: str) -> str:
    from dsmtc.signing import sign  # noqa: PLC0415 - only who logs in with a key pays for it

    return sign(key, account, challenge)


def password_in(file: str) -> str:
    """The first line of a private file.

    Raises:
        DsmtError: it is missing, empty or not private.
    """
    text = read_secret(Path(file))
    if text is None:
        raise NotFound(f"there is no password file {file}")
    if not (lines := text.splitlines()) or not lines[0]:
        raise Invalid(f"the password file {file} is empty")
    return lines[0]
