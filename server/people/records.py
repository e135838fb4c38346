"""What is held about one person: to be handed over, or to be erased."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.database.models import AuditEntry, Login, Membership, Role
from server.people import audit, classes, members
from server.people.refusals import NotHereError
from server.people.who import Who


def of_member(session: Session, who: Who, class_id: int, member_id: int) -> dict[str, Any]:
    """Return all that is held about somebody whom `who` teaches.

    Raises:
        NotHereError: there is none of this number, or it is none of their business.
    """
    classes.taught(session, who, class_id)
    return _record(session, members.looked_after(session, who, class_id, member_id))


def own(session: Session, who: Who) -> dict[str, Any]:
    """Return all that is held about somebody, for themselves."""
    member = session.get(Membership, who.membership_id) if who.membership_id is not None else None
    if member is None:
        raise NotHereError
    return _record(session, member)


def erase(session: Session, who: Who, class_id: int, member_id: int) -> None:
    """Delete somebody with everything that hangs on them; the record of changes keeps a number and no name."""
    classes.taught(session, who, class_id)
    member = members.looked_after(session, who, class_id, member_id)
    session.delete(member)
    audit.note(session, who.label, "erased a member", class_id, member=member_id)


def _record(session: Session, member: Membership) -> dict[str, Any]:
    logins = session.scalars(select(Login).where(Login.membership_id == member.id).order_by(Login.id))
    label = f"{Role(member.role)} {member.id}"
    changes = session.scalars(select(AuditEntry).where(AuditEntry.actor == label).order_by(AuditEntry.id))
    return {
        "class": member.school_class.name,
        "section": member.section.name if member.section is not None else None,
        "role": member.role,
        "display_name": member.display_name,
        "joined_at": member.created_at.isoformat(),
        "last_seen_at": member.last_seen_at.isoformat() if member.last_seen_at else None,
        "logins": [
            {"began_at": login.created_at.isoformat(), "ends_at": login.expires_at.isoformat()} for login in logins
        ],
        "changes": [
            {"at": change.at.isoformat(), "action": change.action, "details": change.details} for change in changes
        ],
    }
