"""A list of learners from a file: CSV with a column for the name and, if wanted, one for the section."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.database.models import Membership, Role, Section
from server.people import audit, classes, codes, members, names
from server.people.refusals import RefusedError
from server.people.who import Who

MOST_BYTES = 256 * 1024
MOST_LINES = 500
_NAME_COLUMNS = ("name", "display name", "display_name", "student", "learner")
_SECTION_COLUMNS = ("section", "group")


@dataclass(frozen=True)
class Line:
    """What became of one line of the file.

    Attributes:
        number: the line's number in the file, from 1.
        name, section: what it says.
        personal_code: the learner's code if they were added; it is not kept.
        problem: one sentence if they were not.
    """

    number: int
    name: str
    section: str
    personal_code: str = ""
    problem: str = ""


def import_roster(session: Session, who: Who, class_id: int, file: bytes, secret: str) -> list[Line]:
    """Add the learners of a file to a class; a line that cannot be used does not stop the others.

    Raises:
        RefusedError: the file as a whole cannot be read.
        NotHereError: the class is not one that `who` teaches.
    """
    school_class = classes.taught(session, who, class_id)
    sections = {names.key(section.name): section for section in classes.sections(session, who, school_class)}
    rows = _rows(file)
    there = {(member.section_id, names.key(member.display_name)) for member in _learners(session, class_id)}
    lines = [_add(session, number, row, sections, there, secret) for number, row in rows]
    added = sum(1 for line in lines if line.personal_code)
    audit.note(session, who.label, "imported a roster", class_id, added=added, lines=len(lines))
    return lines


def _rows(file: bytes) -> list[tuple[int, dict[str, str]]]:
    if len(file) > MOST_BYTES:
        raise RefusedError(f"The file is larger than {MOST_BYTES // 1024} KB.")
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedError("The file is not UTF-8; save it as “CSV UTF-8”.") from None
    first = text.splitlines()[0] if text.strip() else ""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        columns = [_column(word) for word in next(reader, [])]
        if "name" not in columns:
            raise RefusedError("The first line must name the columns: name, and if wanted section.")
        # A quoted field may span lines; the number is that of the line a row ends on.
        rows = [
            (reader.line_num, dict(zip(columns, row, strict=False)))
            for row in reader
            if any(field.strip() for field in row)
        ]
    except csv.Error:
        raise RefusedError(f"Line {reader.line_num} is not CSV: look at its quotation marks.") from None
    if len(rows) > MOST_LINES:
        raise RefusedError(f"The file has more than {MOST_LINES} lines of names.")
    return rows


def _column(word: str) -> str:
    word = names.key(word.strip())
    return "name" if word in _NAME_COLUMNS else "section" if word in _SECTION_COLUMNS else word


def _learners(session: Session, class_id: int) -> list[Membership]:
    learners = select(Membership).where(Membership.class_id == class_id, Membership.role == Role.LEARNER)
    return list(session.scalars(learners))


def _add(
    session: Session,
    number: int,
    row: dict[str, str],
    sections: dict[str, Section],
    there: set[tuple[int | None, str]],
    secret: str,
) -> Line:
    name, wanted = row.get("name", ""), row.get("section", "").strip()
    try:
        name = names.clean(name)
        section = _choose(sections, wanted)
        if (section.id, names.key(name)) in there:
            raise RefusedError(f"{name} is in section {section.name} already.")
        member = members.add(session, section, Role.LEARNER, name)
    except RefusedError as refused:
        return Line(number, name[: names.LONGEST], wanted[: names.LONGEST], problem=str(refused))
    there.add((section.id, names.key(name)))
    code = members.give_personal_code(member, secret)
    return Line(number, name, section.name, personal_code=codes.show(code))


def _choose(sections: dict[str, Section], wanted: str) -> Section:
    if not wanted:
        if len(sections) > 1:
            raise RefusedError("The section is missing, and the class has several.")
        return next(iter(sections.values()))
    section = sections.get(names.key(" ".join(wanted.split())))
    if section is None:
        raise RefusedError(f"There is no section called {wanted[: names.LONGEST]}.")
    return section
