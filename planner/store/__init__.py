"""What must survive: one database, one function for each question and each change.

Every function of this room takes a `sqlalchemy.Connection` inside a transaction that `Database` opened,
so a change is stored whole or not at all, and it is stored before anybody is told of it. SQL stays here.
"""

from planner.store.database import Database

__all__ = ["Database"]
