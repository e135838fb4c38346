"""Learners and assistants: how they come in, come back, and are looked after."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.database.models import JoinCode, Login, Membership, Role, SchoolClass, Section
from server.people import audit, classes, codes, names
from server.people.refusals import NotHereError, RefusedError
from server.people.who import Who

MOST_MEMBERS = 500
"""Members of one class; somebody who has the code could otherwise fill the disk."""


def enterable(session: Session, code: str) -> Section | None:
    """Return the section a join code leads to, or None: unknown, replaced and archived are the same to who asks."""
    return session.scalar(
        select(Section)
        .join(JoinCode, JoinCode.section_id == Section.id)
        .join(SchoolClass, SchoolClass.id == Section.class_id)
        .where(JoinCode.code == codes.read(code), JoinCode.ended_at.is_(None), SchoolClass.archived_at.is_(None))
    )


def join(session: Session, code: str, name: str, form: str, secret: str) -> tuple[Membership, str] | None:
    """Bring a learner into a section, and give them a personal code.

    Args:
        session: the transaction.
        code: the join code as typed.
        name: how the learner wants to be called.
        form: what tells one opened form from another: a form sent twice is still one learner.
        secret: the key of personal codes.

    Returns:
        The learner and their personal code, which is not kept; None if the code leads nowhere.

    Raises:
        RefusedError: the name cannot be used, or the class is full.
    """
    section = enterable(session, code)
    if section is None:
        return None
    name = names.clean(name)
    session.refresh(section, with_for_update=True)  # a form sent twice at once waits here for its twin
    sent_before = select(Membership).where(
        Membership.class_id == section.class_id, Membership.joined_with == codes.hash_of_token(form)
    )
    member = session.scalar(sent_before)
    if member is None:
        member = add(session, section, Role.LEARNER, name)
        member.joined_with = codes.hash_of_token(form)
        audit.note(session, f"learner {member.id}", "joined", section.class_id, section=section.id)
    return member, give_personal_code(member, secret)


def come_back(session: Session, code: str, secret: str) -> Membership | None:
    """Return whose personal code this is, or None; in an archived class it is nobody's."""
    hashed = codes.hash_of_personal_code(codes.read(code), secret)
    return session.scalar(
        select(Membership)
        .join(SchoolClass, SchoolClass.id == Membership.class_id)
        .where(Membership.personal_code_hash == hashed, SchoolClass.archived_at.is_(None))
    )


def add(session: Session, section: Section, role: Role, name: str) -> Membership:
    """Add somebody to a section.

    Raises:
        RefusedError: the class is full.
    """
    if classes.size(session, section.class_id) >= MOST_MEMBERS:
        raise RefusedError(f"This class is full: it has {MOST_MEMBERS} members.")
    member = Membership(class_id=section.class_id, section_id=section.id, role=role, display_name=name)
    session.add(member)
    session.flush()
    return member


def give_personal_code(member: Membership, secret: str) -> str:
    """Draw a personal code and return it; an earlier one no longer works."""
    code = codes.draw_personal_code()
    member.personal_code_hash = codes.hash_of_personal_code(code, secret)
    return code


def looked_after(session: Session, who: Who, class_id: int, member_id: int) -> Membership:
    """Return a member whom somebody teaches, or a learner of the section they assist in.

    Raises:
        NotHereError: there is none of this number, or it is none of their business.
    """
    school_class = classes.find(session, who, class_id)
    member = session.get(Membership, member_id)
    if member is None or member.class_id != school_class.id or member.role == Role.INSTRUCTOR:
        raise NotHereError
    mine = who.role is Role.INSTRUCTOR or (member.role == Role.LEARNER and member.section_id == who.section_id)
    if not mine:
        raise NotHereError
    return member


def replace_personal_code(session: Session, who: Who, class_id: int, member_id: int, secret: str) -> str:
    """Give somebody who lost theirs a new personal code, and end their logins: the old code may be in other hands."""
    member = looked_after(session, who, class_id, member_id)
    session.execute(delete(Login).where(Login.membership_id == member.id))
    audit.note(session, who.label, "gave a new personal code", class_id, member=member.id)
    return give_personal_code(member, secret)


def renew_own_code(session: Session, who: Who, secret: str) -> str:
    """Give somebody a new personal code at their own wish."""
    member = session.get(Membership, who.membership_id) if who.membership_id is not None else None
    if member is None:
        raise NotHereError
    audit.note(session, who.label, "drew a new personal code", member.class_id)
    return give_personal_code(member, secret)


def add_assistant(
    session: Session, who: Who, class_id: int, section_id: int, name: str, secret: str
) -> tuple[Membership, str]:
    """Add an assistant to a section and return them with their personal code."""
    school_class = classes.taught(session, who, class_id)
    for section in classes.sections(session, who, school_class):
        if section.id == section_id:
            member = add(session, section, Role.ASSISTANT, names.clean(name))
            audit.note(session, who.label, "added an assistant", class_id, member=member.id, section=section_id)
            return member, give_personal_code(member, secret)
    raise NotHereError
