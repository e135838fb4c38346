"""Classes, their sections and the codes on the board."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.database.models import Instructor, JoinCode, Login, Membership, Role, SchoolClass, Section
from server.database.times import now
from server.people import audit, codes, names
from server.people.refusals import NotHereError, RefusedError
from server.people.who import Who

MOST_SECTIONS = 40


def create(session: Session, who: Who, name: str, sections: Sequence[str] = ()) -> SchoolClass:
    """Open a class with sections, one if none are named, and a join code for each."""
    instructor = session.get(Instructor, who.instructor_id) if who.role is Role.INSTRUCTOR else None
    if instructor is None:
        raise NotHereError
    school_class = SchoolClass(name=names.clean(name, "class's name"))
    session.add(school_class)
    session.flush()
    session.add(
        Membership(
            class_id=school_class.id,
            instructor_id=instructor.id,
            role=Role.INSTRUCTOR,
            display_name=instructor.name,
        )
    )
    audit.note(session, who.label, "opened a class", school_class.id)
    for section in sections or ["Everyone"]:
        add_section(session, who, school_class.id, section)
    return school_class


def visible(session: Session, who: Who) -> list[SchoolClass]:
    """List the classes somebody teaches or assists in, newest first."""
    mine = Membership.instructor_id == who.instructor_id
    if who.role is not Role.INSTRUCTOR:
        mine = (Membership.id == who.membership_id) & (Membership.role == Role.ASSISTANT)
    joined = select(SchoolClass).join(Membership, Membership.class_id == SchoolClass.id).where(mine)
    return list(session.scalars(joined.order_by(SchoolClass.id.desc())))


def find(session: Session, who: Who, class_id: int) -> SchoolClass:
    """Return a class that somebody teaches or assists in.

    Raises:
        NotHereError: there is none of this number, or it is somebody else's.
    """
    for school_class in visible(session, who):
        if school_class.id == class_id:
            return school_class
    raise NotHereError


def taught(session: Session, who: Who, class_id: int) -> SchoolClass:
    """Return a class that somebody teaches, to change it.

    Raises:
        NotHereError: as for `find`, and also if they only assist in it.
    """
    if who.role is not Role.INSTRUCTOR:
        raise NotHereError
    return find(session, who, class_id)


def sections(session: Session, who: Who, school_class: SchoolClass) -> list[Section]:
    """List the sections of a class that somebody may see: all of them, or the one they assist in."""
    mine = select(Section).where(Section.class_id == school_class.id).order_by(Section.id)
    if who.role is not Role.INSTRUCTOR:
        mine = mine.where(Section.id == who.section_id)
    return list(session.scalars(mine))


def add_section(session: Session, who: Who, class_id: int, name: str) -> Section:
    """Add a section, with a join code of its own."""
    school_class = taught(session, who, class_id)
    name = names.clean(name, "section's name")
    there = [section.name for section in sections(session, who, school_class)]
    if names.key(name) in map(names.key, there):
        raise RefusedError(f"There is a section called {name} already.")
    if len(there) >= MOST_SECTIONS:
        raise RefusedError(f"A class has at most {MOST_SECTIONS} sections.")
    section = Section(class_id=class_id, name=name)
    session.add(section)
    session.flush()
    session.add(JoinCode(section_id=section.id, code=codes.draw_join_code()))
    audit.note(session, who.label, "added a section", class_id, section=section.id)
    return section


def join_code(session: Session, section: Section) -> str:
    """Return the code by which learners enter a section now."""
    newest = select(JoinCode.code).where(JoinCode.section_id == section.id, JoinCode.ended_at.is_(None))
    return session.scalars(newest.order_by(JoinCode.id.desc())).first() or ""


def replace_join_code(session: Session, who: Who, class_id: int, section_id: int) -> None:
    """End a section's code and draw a new one."""
    section = _section(session, taught(session, who, class_id), section_id)
    for code in section.join_codes:
        code.ended_at = code.ended_at or now()
    session.add(JoinCode(section_id=section.id, code=codes.draw_join_code()))
    audit.note(session, who.label, "replaced a join code", class_id, section=section_id)


def archive(session: Session, who: Who, class_id: int) -> None:
    """Close a class: its codes and its members' logins end; nothing is deleted."""
    school_class = taught(session, who, class_id)
    school_class.archived_at = school_class.archived_at or now()
    members = select(Membership.id).where(Membership.class_id == class_id)
    session.execute(delete(Login).where(Login.membership_id.in_(members)))
    audit.note(session, who.label, "archived a class", class_id)


def reopen(session: Session, who: Who, class_id: int) -> None:
    """Open an archived class again; learners come back with their personal codes."""
    taught(session, who, class_id).archived_at = None
    audit.note(session, who.label, "reopened a class", class_id)


def size(session: Session, class_id: int) -> int:
    """Count the members of a class."""
    return session.scalar(select(func.count()).where(Membership.class_id == class_id)) or 0


def _section(session: Session, school_class: SchoolClass, section_id: int) -> Section:
    section = session.get(Section, section_id)
    if section is None or section.class_id != school_class.id:
        raise NotHereError
    return section
