"""Instructors: accounts with a name and a password."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.database.connection import Database
from server.database.models import Instructor, Login
from server.people import audit, names
from server.people.refusals import RefusedError

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
"""Hashing takes time with the length; nobody types more."""

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106 for 64 MiB
# Each check takes 64 MiB and most of a core for some ten milliseconds: two at a time, whoever else knocks.
_at_once = threading.BoundedSemaphore(2)


def save(session: Session, name: str, password: str, actor: str = audit.COMMAND_LINE) -> Instructor:
    """Add an instructor, or give the one of that name a new password and end their logins.

    Raises:
        RefusedError: the name or the password cannot be used.
    """
    name = names.clean(name)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise RefusedError(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    found = _named(session, name)
    if found is None:
        found = Instructor(name=name, name_key=names.key(name), password_hash=_hasher.hash(password))
        session.add(found)
    else:
        found.password_hash = _hasher.hash(password)
        session.execute(delete(Login).where(Login.instructor_id == found.id))
    session.flush()
    audit.note(session, actor, "saved an instructor", instructor=found.id)
    return found


def count(session: Session) -> int:
    """Count the instructors."""
    return session.scalar(select(func.count()).select_from(Instructor)) or 0


def recognise(database: Database, name: str, password: str) -> int | None:
    """Return the number of the instructor with this name and password, or None.

    An unknown name takes as long as a wrong password, so that the time does not say which names there are.
    """
    with database.reading() as session:
        found = _named(session, name)
        number, stored = (found.id, found.password_hash) if found is not None else (None, _nobodys_hash())
    with _at_once:
        right = _matches(stored, password[: LONGEST_PASSWORD + 1])
    return number if right else None


def _named(session: Session, name: str) -> Instructor | None:
    return session.scalar(select(Instructor).where(Instructor.name_key == names.typed_key(name)))


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("a password that nobody has, because it is longer than any that is accepted " * 4)
