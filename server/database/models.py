"""The tables: who there is, which class they are in, how they come in, and what was changed by whom.

Nothing here can be turned back into a secret: passwords are argon2 hashes, personal codes and login tokens are hashes
of long random words. A join code is no secret; it stands on the board.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from server.database.times import UtcDateTime, now

NAME_LENGTH = 80
HASH_LENGTH = 64
"""Characters of a SHA-256 hash in hexadecimal."""

# Names that do not depend on the database, so that a migration can name what it changes.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite would give the number of somebody erased to the next who comes; PostgreSQL never does.
_NUMBERS_ONCE = {"sqlite_autoincrement": True}


class Role(StrEnum):
    """What somebody is in a class."""

    INSTRUCTOR = "instructor"
    ASSISTANT = "assistant"
    LEARNER = "learner"


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=NAMING)


class Instructor(Base):
    """Somebody with a name and a password, who may open classes."""

    __tablename__ = "instructors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_key: Mapped[str] = mapped_column(String(NAME_LENGTH * 3), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class SchoolClass(Base):
    """A class; it has at least one section."""

    __tablename__ = "classes"
    __table_args__ = (_NUMBERS_ONCE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sections: Mapped[list[Section]] = relationship(back_populates="school_class", order_by="Section.id")


class Section(Base):
    """A part of a class: the learners one assistant looks after."""

    __tablename__ = "sections"
    __table_args__ = (UniqueConstraint("class_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    school_class: Mapped[SchoolClass] = relationship(back_populates="sections")
    join_codes: Mapped[list[JoinCode]] = relationship(back_populates="section", order_by="JoinCode.id")
    members: Mapped[list[Membership]] = relationship(back_populates="section", order_by="Membership.display_name")


class JoinCode(Base):
    """The code on the board by which learners enter a section, until it is replaced."""

    __tablename__ = "join_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    section: Mapped[Section] = relationship(back_populates="join_codes")


class Membership(Base):
    """Somebody's place in a class: an instructor's by account, an assistant's or a learner's by personal code."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("class_id", "instructor_id"),
        UniqueConstraint("class_id", "joined_with"),
        CheckConstraint("(role = 'instructor') = (instructor_id IS NOT NULL)", "account_of_instructor"),
        CheckConstraint("(role = 'instructor') = (section_id IS NULL)", "section_of_others"),
        CheckConstraint("role IN ('instructor', 'assistant', 'learner')", "role"),
        _NUMBERS_ONCE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"), index=True)
    section_id: Mapped[int | None] = mapped_column(ForeignKey("sections.id", ondelete="CASCADE"), index=True)
    instructor_id: Mapped[int | None] = mapped_column(ForeignKey("instructors.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(16))
    display_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    personal_code_hash: Mapped[str | None] = mapped_column(String(HASH_LENGTH), unique=True)
    joined_with: Mapped[str | None] = mapped_column(String(HASH_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    school_class: Mapped[SchoolClass] = relationship()
    section: Mapped[Section | None] = relationship(back_populates="members")


class Login(Base):
    """One browser that somebody is logged in with; the browser holds the token, this its hash."""

    __tablename__ = "logins"
    __table_args__ = (
        CheckConstraint("(instructor_id IS NULL) <> (membership_id IS NULL)", "one_person"),
        _NUMBERS_ONCE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(HASH_LENGTH), unique=True)
    instructor_id: Mapped[int | None] = mapped_column(ForeignKey("instructors.id", ondelete="CASCADE"), index=True)
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    instructor: Mapped[Instructor | None] = relationship()
    membership: Mapped[Membership | None] = relationship()


class AuditEntry(Base):
    """Something that was changed, by whom. It names people by number, so erasing somebody leaves no name behind."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    actor: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(40))
    class_id: Mapped[int | None] = mapped_column(index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
