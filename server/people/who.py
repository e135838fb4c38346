"""Somebody who is logged in, as the rest of the server sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.database.models import Role


@dataclass(frozen=True)
class Who:
    """Who is logged in with one browser.

    Attributes:
        login_id: the login; two browsers of the same person have two.
        role: what they are.
        name: what they are called.
        instructor_id: the account, of an instructor.
        membership_id, class_id, section_id: the place in a class, of everybody else.
        expires_at: when the login ends by itself.
    """

    login_id: int
    role: Role
    name: str
    expires_at: datetime
    instructor_id: int | None = None
    membership_id: int | None = None
    class_id: int | None = None
    section_id: int | None = None

    @property
    def label(self) -> str:
        """Who this is, by number, for the record of changes."""
        return f"{self.role} {self.instructor_id if self.role is Role.INSTRUCTOR else self.membership_id}"
