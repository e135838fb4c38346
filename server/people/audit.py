"""The record of what was changed, and by whom."""

from __future__ import annotations

from sqlalchemy.orm import Session

from server.database.models import AuditEntry

COMMAND_LINE = "command line"


def note(session: Session, actor: str, action: str, class_id: int | None = None, **details: int | str) -> None:
    """Record a change, in the transaction that makes it.

    Args:
        session: the transaction.
        actor: who made it, by number.
        action: what it was.
        class_id: the class it was made in.
        details: numbers of what was changed; no names and no secrets, which would outlive their owners here.
    """
    session.add(AuditEntry(actor=actor, action=action, class_id=class_id, details=details))
