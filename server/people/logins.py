"""Logins: a browser keeps a token, the database its hash, both end on time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from server.database.connection import Database
from server.database.models import Instructor, Login, Membership, Role
from server.database.times import now
from server.people import codes
from server.people.who import Who

LIFETIMES = {
    Role.INSTRUCTOR: timedelta(hours=12),
    Role.ASSISTANT: timedelta(hours=12),
    Role.LEARNER: timedelta(days=180),
}
"""A learner comes back on the same device all term; who can change things logs in every day."""
REMEMBERED_SECONDS = 5.0
"""How long an answer of the database is used again; another process's logout is noticed within this time."""
REMEMBERED = 2000


def begin(session: Session, person: Instructor | Membership) -> str:
    """Log somebody in and return the token for their browser."""
    token = codes.draw_token()
    login = Login(token_hash=codes.hash_of_token(token))
    if isinstance(person, Instructor):
        login.instructor_id, role = person.id, Role.INSTRUCTOR
    else:
        login.membership_id, role = person.id, Role(person.role)
        person.last_seen_at = now()
    login.expires_at = now() + LIFETIMES[role]
    session.add(login)
    session.execute(delete(Login).where(Login.expires_at < now()))
    return token


def end(session: Session, login_id: int) -> None:
    """Log one browser out."""
    session.execute(delete(Login).where(Login.id == login_id))


class Logins:
    """Who holds which token, with the last few seconds' answers at hand.

    Args:
        database: where logins are kept.
        clock: seconds that never go back.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._remembered: OrderedDict[str, tuple[float, Who]] = OrderedDict()
        self._changes = 0
        self._lock = threading.Lock()

    def recall(self, token: str) -> Who | None:
        """Return who holds a token if that was asked a moment ago, without asking the database."""
        with self._lock:
            since, who = self._remembered.get(codes.hash_of_token(token), (0.0, None))
        fresh = who is not None and self._clock() - since < REMEMBERED_SECONDS and who.expires_at > now()
        return who if fresh else None

    def find(self, token: str) -> Who | None:
        """Return who holds a token; None if it is unknown or ended, or its class is archived."""
        hashed = codes.hash_of_token(token)
        asked_after = self._changes
        with self._database.reading() as session:
            who = _who(session, hashed)
        with self._lock:
            self._remembered.pop(hashed, None)
            if who is not None and asked_after == self._changes:  # else the answer may be older than the change
                self._remembered[hashed] = (self._clock(), who)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return who

    def forget(self) -> None:
        """Ask the database anew from now on; called whenever somebody's place has changed."""
        with self._lock:
            self._remembered.clear()
            self._changes += 1


def _who(session: Session, token_hash: str) -> Who | None:
    found = session.scalar(
        select(Login)
        .where(Login.token_hash == token_hash, Login.expires_at > now())
        .options(joinedload(Login.instructor), joinedload(Login.membership).joinedload(Membership.school_class))
    )
    if found is None:
        return None
    if found.instructor is not None:
        person = found.instructor
        return Who(found.id, Role.INSTRUCTOR, person.name, found.expires_at, instructor_id=person.id)
    member = found.membership
    if member is None or member.school_class.archived_at is not None:
        return None
    return Who(
        found.id,
        Role(member.role),
        member.display_name,
        found.expires_at,
        membership_id=member.id,
        class_id=member.class_id,
        section_id=member.section_id,
    )
