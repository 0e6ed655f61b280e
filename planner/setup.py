"""Making an installation: the database, the secrets, and the first account."""

from __future__ import annotations

from dsmt_core.errors import Conflict
from dsmt_core.names import account
from planner.authority.passwords import hash_now
from planner.authority.rights import Role
from planner.config import PlannerConfig
from planner.service.clock import SteadyClock
from planner.service.depot import DepotSecrets
from planner.store import Database, accounts

# The first account may do everything that there is to do; whoever logs in chooses the role.
FIRST_ROLES = (Role.ADMIN, Role.PI, Role.USER)


def initialise(config: PlannerConfig, admin: str, password: str) -> None:
    """Make what a planner needs before its first start; blocks.

    Raises:
        Conflict: there is an account already, or a planner runs on this database.
        Invalid: the name or the password is not legal.
        Unavailable: the database cannot be made.
    """
    person = accounts.Person(account(admin), hash_now(password), tuple(one.value for one in FIRST_ROLES))
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(config.database_url)
    try:
        if database.write_now(accounts.count):
            raise Conflict(
                f"{config.data} is initialised already",
                hint="log in and make further accounts with: dsmtc account add",
            )
        database.write_now(accounts.make, person, now=SteadyClock()())
        DepotSecrets.kept_in(config.depot_secrets)
    finally:
        database.close_now()
