"""Making an installation: database, secrets, first account; and a way in that always helps."""

from __future__ import annotations

from sqlalchemy import Connection

from dsmt_core.audit import Entry, change_of
from dsmt_core.errors import Conflict
from dsmt_core.names import Site, account
from dsmt_core.names import site as site_name
from planner.authority.passwords import hash_now
from planner.authority.rights import Role
from planner.config import PlannerConfig
from planner.service.clock import SteadyClock
from planner.service.depot import DepotSecrets
from planner.store import Database, accounts, audit, sites
from planner.tls import authority

# The first account may do everything that there is to do; whoever logs in chooses the role.
FIRST_ROLES = (Role.ADMIN, Role.PI, Role.USER)
_ORIGIN = "this machine"


def initialise(config: PlannerConfig, admin: str, password: str, home: str = "") -> bool:
    """Make what a planner needs before its first start; blocks.

    Of an installation that exists, the account is made, or gets its roles and this password: whoever may
    write the database gets in. That is in its audit log.

    Args:
        config: where it is.
        admin: the account.
        password: its password from now on.
        home: the name of the home site of a new installation; empty for ``home``.

    Returns:
        Whether the installation is new.

    Raises:
        Conflict: a planner runs on this database, or there is a home site already.
        Invalid: the name or the password is not legal.
        Unavailable: the database cannot be made.
    """
    person = accounts.Person(account(admin), hash_now(password), tuple(one.value for one in FIRST_ROLES))
    named = site_name(home) if home else None
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = _own(config)
    try:
        new = database.write_now(_let_in, person, named, now=SteadyClock()())
        DepotSecrets.kept_in(config.depot_secrets)
        if new:
            signer = authority.load(config.data) or authority.make(config.data)
            database.write_now(authority.known, signer)
            clients = authority.load(config.data, authority.CLIENTS)
            clients = clients or authority.make(config.data, authority.CLIENTS)
            database.write_now(authority.known, clients, authority.CLIENTS)
    finally:
        database.close_now()
    return new


def _own(config: PlannerConfig) -> Database:
    """The database, which nobody else has now."""
    try:
        return Database(config.database_url)
    except Conflict as error:
        raise Conflict(
            error.message,
            hint="end it, do this again, and start it again: what runs on nodes goes on meanwhile",
        ) from error


def _let_in(connection: Connection, person: accounts.Person, home: Site | None, *, now: float) -> bool:
    """Make the first account, or see to it that this one lets in; whether it is the first."""
    if accounts.count(connection):
        if home:
            raise Conflict(
                "this installation has its home site already",
                hint="leave --site out to make or repair the account alone",
            )
        _repaired(connection, person, now=now)
        return False
    if home:
        sites.name_home(connection, home)
    accounts.make(connection, person, now=now)
    return True


def _repaired(connection: Connection, person: accounts.Person, *, now: float) -> None:
    made = accounts.repair_admin(connection, person, now=now)
    change = {"made": made, "roles": list(person.roles), "password": "set"}
    entry = Entry(
        number=0,
        at_ms=round(now * 1000),
        account="",
        role="",
        origin=_ORIGIN,
        act="account.init",
        about=f"account/{person.account}",
        slice="",
        outcome="done",
        change=change_of(change),
        before="",
    )
    audit.append(connection, entry)
