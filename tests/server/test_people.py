from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.database.connection import Database
from server.database.models import AuditEntry, Instructor, Login, Membership, Role, SchoolClass
from server.database.times import now
from server.people import classes, codes, instructors, logins, members, names, records, roster
from server.people.refusals import NotHereError, RefusedError
from server.people.who import Who

SECRET = "s" * 40
PASSWORD = "correct horse battery staple"
RIGHT_OF = "\u202e"
"""Turns the direction of writing: a name with it can look like another."""


class School:
    """Two instructors, each with a class of two sections, an assistant and a learner in each section."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.logins = logins.Logins(database)
        with database.writing() as session:
            instructors.save(session, "Ada", PASSWORD)
            instructors.save(session, "Bob", PASSWORD)
        self.ada, self.bob = self.instructor("Ada"), self.instructor("Bob")
        self.memory = self._open(self.ada, "Memory")
        self.vision = self._open(self.bob, "Vision")

    def instructor(self, name: str) -> Who:
        with self.database.writing() as session:
            account = session.scalars(select(Instructor).where(Instructor.name == name)).one()
            token = logins.begin(session, account)
        return self.who(token)

    def who(self, token: str) -> Who:
        found = self.logins.find(token)
        assert found is not None
        return found

    def _open(self, who: Who, name: str) -> int:
        with self.database.writing() as session:
            return classes.create(session, who, name, ["Red", "Blue"]).id

    def code(self, class_id: int, section: int = 0) -> str:
        who = self.ada if class_id == self.memory else self.bob
        with self.database.reading() as session:
            found = classes.sections(session, who, classes.find(session, who, class_id))[section]
            return classes.join_code(session, found)

    def learner(self, class_id: int, name: str, section: int = 0) -> tuple[Who, str]:
        with self.database.writing() as session:
            joined = members.join(session, self.code(class_id, section), name, codes.draw_token(), SECRET)
            assert joined is not None
            member, personal = joined
            token = logins.begin(session, member)
        return self.who(token), personal

    def assistant(self, section: int = 0) -> Who:
        with self.database.writing() as session:
            found = classes.sections(session, self.ada, classes.find(session, self.ada, self.memory))[section]
            member, _ = members.add_assistant(session, self.ada, self.memory, found.id, "Ann", SECRET)
            token = logins.begin(session, member)
        return self.who(token)

    def do(self, action: Callable[[Session], object]) -> None:
        with self.database.writing() as session:
            action(session)


@pytest.fixture
def school(database: Database) -> School:
    return School(database)


def test_an_instructor_is_recognised_by_name_and_password(database: Database) -> None:
    with database.writing() as session:
        number = instructors.save(session, "Ada  Lovelace", PASSWORD).id
    assert instructors.recognise(database, " ada lovelace ", PASSWORD) == number
    assert instructors.recognise(database, "Ada Lovelace", PASSWORD + "!") is None
    assert instructors.recognise(database, "Nobody", PASSWORD) is None


def test_an_unknown_name_costs_the_same_check_as_a_wrong_password(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    with database.writing() as session:
        instructors.save(session, "Ada", PASSWORD)
    monkeypatch.setattr(instructors, "_matches", lambda stored, password: bool(checked.append(stored)))
    instructors.recognise(database, "Ada", "wrong")
    instructors.recognise(database, "Nobody", "wrong")
    assert [stored.split("$")[:4] for stored in checked] == [checked[0].split("$")[:4]] * 2


def test_passwords_are_kept_as_argon2id_of_64_mib_by_default() -> None:
    from argon2 import PasswordHasher, Type

    real = PasswordHasher()
    assert (real.type, real.memory_cost, real.time_cost) == (Type.ID, 65536, 3)


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 201])
def test_a_password_of_the_wrong_length_is_refused(database: Database, password: str) -> None:
    with pytest.raises(RefusedError, match="12 to 200"), database.writing() as session:
        instructors.save(session, "Ada", password)


def test_a_new_password_ends_the_old_logins(school: School) -> None:
    with school.database.writing() as session:
        ada = instructors.save(session, "Ada", "another good password", school.ada.label)
        assert session.query(Login).filter(Login.instructor_id == ada.id).count() == 0
    assert instructors.recognise(school.database, "Ada", PASSWORD) is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Zoë   Q ", "Zoë Q"), ("Zoe\u0308", "Zoë"), ("<b>Eve</b>", "<b>Eve</b>"), ("李雷", "李雷"), ("=1+1", "=1+1")],
)
def test_a_name_is_kept_in_one_form_and_otherwise_as_typed(typed: str, kept: str) -> None:
    assert names.clean(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "   ", "--", "a" * 61, f"Eve{RIGHT_OF}", "a\x00b", "a\x1bb", "\u200b", "\U000e0041a"]
)
def test_a_name_that_is_none_or_hides_something_is_refused(typed: str) -> None:
    with pytest.raises(RefusedError):
        names.clean(typed)


def test_codes_are_long_random_and_read_however_typed() -> None:
    drawn = {codes.draw_join_code() for _ in range(500)} | {codes.draw_personal_code() for _ in range(500)}
    assert len(drawn) == 1000
    assert all(set(code) <= set(codes.ALPHABET) for code in drawn)
    code = codes.draw_personal_code()
    assert codes.read(f" {codes.show(code).lower()} ") == code


def test_a_learner_joins_by_code_and_comes_back_by_personal_code(school: School) -> None:
    who, personal = school.learner(school.memory, "Lea")
    assert (who.role, who.name, who.class_id) == (Role.LEARNER, "Lea", school.memory)
    with school.database.reading() as session:
        back = members.come_back(session, codes.show(personal).lower(), SECRET)
        assert back is not None
        assert back.id == who.membership_id
        assert members.come_back(session, codes.draw_personal_code(), SECRET) is None
        assert members.come_back(session, personal, "t" * 40) is None


def test_no_code_or_token_stands_in_the_database(school: School) -> None:
    who, personal = school.learner(school.memory, "Lea")
    with school.database.writing() as session:
        token = logins.begin(session, session.get_one(Membership, who.membership_id))
    with school.database.reading() as session:
        rows = [str(vars(row)) for table in (Membership, Login, AuditEntry, Instructor) for row in session.query(table)]
    assert not [row for row in rows if personal in row or token in row or PASSWORD in row]


def test_a_code_that_leads_nowhere_is_none_whatever_the_reason(school: School) -> None:
    old = school.code(school.memory)
    with school.database.writing() as session:
        section = classes.sections(session, school.ada, classes.find(session, school.ada, school.memory))[0]
        classes.replace_join_code(session, school.ada, school.memory, section.id)
    vision = school.code(school.vision)
    school.do(lambda session: classes.archive(session, school.bob, school.vision))
    for code in ("", "BCDFGHJK", old, vision):
        with school.database.writing() as session:
            assert members.join(session, code, "Lea", "form", SECRET) is None
    with school.database.writing() as session:
        assert members.join(session, school.code(school.memory), "Lea", "form", SECRET) is not None


def test_a_form_sent_twice_is_one_learner(school: School) -> None:
    with school.database.writing() as session:
        first = members.join(session, school.code(school.memory), "Lea", "form", SECRET)
    with school.database.writing() as session:
        second = members.join(session, school.code(school.memory), "Lea", "form", SECRET)
    assert first is not None
    assert second is not None
    assert first[0].id == second[0].id


def test_a_form_sent_twice_at_once_is_one_learner(school: School) -> None:
    found: list[int] = []
    code = school.code(school.memory)

    def join() -> None:
        with school.database.writing() as session:
            joined = members.join(session, code, "Lea", "form", SECRET)
            assert joined is not None
            found.append(joined[0].id)

    threads = [threading.Thread(target=join) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 5
    assert len(set(found)) == 1


def test_a_full_class_says_so(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MOST_MEMBERS", 2)
    school.learner(school.memory, "Lea")
    with pytest.raises(RefusedError, match="full"):
        school.learner(school.memory, "Leo")


def test_an_archived_class_lets_nobody_in_until_it_is_reopened(school: School) -> None:
    who, personal = school.learner(school.memory, "Lea")
    school.do(lambda session: classes.archive(session, school.ada, school.memory))
    with school.database.reading() as session:
        assert members.come_back(session, personal, SECRET) is None
        assert session.query(Login).filter(Login.membership_id == who.membership_id).count() == 0
    school.do(lambda session: classes.reopen(session, school.ada, school.memory))
    with school.database.reading() as session:
        assert members.come_back(session, personal, SECRET) is not None


def test_logins_end_on_time_and_at_logout(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    with school.database.writing() as session:
        account = session.get_one(Instructor, school.ada.instructor_id)
        token, other = logins.begin(session, account), logins.begin(session, account)
    assert school.logins.find(token) is not None
    assert school.logins.recall(token) is not None
    school.do(lambda session: logins.end(session, school.who(token).login_id))
    assert school.logins.find(token) is None
    assert school.logins.recall(token) is None
    later = now() + logins.LIFETIMES[Role.INSTRUCTOR] + timedelta(seconds=1)
    monkeypatch.setattr(logins, "now", lambda: later)
    assert school.logins.recall(other) is None
    assert school.logins.find(other) is None


def test_what_was_just_asked_is_remembered_for_seconds_only(school: School) -> None:
    seconds = [0.0]
    remembering = logins.Logins(school.database, clock=lambda: seconds[0])
    with school.database.writing() as session:
        token = logins.begin(session, session.get_one(Instructor, school.ada.instructor_id))
    assert remembering.recall(token) is None
    remembering.find(token)
    assert remembering.recall(token) is not None
    seconds[0] = logins.REMEMBERED_SECONDS
    assert remembering.recall(token) is None


def test_nobody_sees_or_changes_a_class_that_is_not_theirs(school: School) -> None:
    learner, _ = school.learner(school.memory, "Lea")
    assistant = school.assistant()
    for stranger in (school.bob, learner):
        with school.database.reading() as session, pytest.raises(NotHereError):
            classes.find(session, stranger, school.memory)
    for stranger in (school.bob, learner, assistant):
        for change in (
            lambda session, who: classes.archive(session, who, school.memory),
            lambda session, who: classes.reopen(session, who, school.memory),
            lambda session, who: classes.add_section(session, who, school.memory, "Green"),
            lambda session, who: classes.replace_join_code(session, who, school.memory, 1),
            lambda session, who: members.add_assistant(session, who, school.memory, 1, "Eve", SECRET),
            lambda session, who: records.erase(session, who, school.memory, learner.membership_id),
            lambda session, who: records.of_member(session, who, school.memory, learner.membership_id),
            lambda session, who: roster.import_roster(session, who, school.memory, b"name\nEve", SECRET),
        ):
            with pytest.raises(NotHereError), school.database.writing() as session:
                change(session, stranger)
    for no_instructor in (learner, assistant):
        with pytest.raises(NotHereError), school.database.writing() as session:
            classes.create(session, no_instructor, "Mine")


def test_an_instructor_cannot_reach_into_another_class_by_way_of_their_own(school: School) -> None:
    elsewhere, _ = school.learner(school.vision, "Leo")
    with school.database.reading() as session:
        foreign = classes.sections(session, school.bob, classes.find(session, school.bob, school.vision))[0].id
    for change in (
        lambda session: records.erase(session, school.ada, school.memory, elsewhere.membership_id),
        lambda session: records.of_member(session, school.ada, school.memory, elsewhere.membership_id),
        lambda session: members.replace_personal_code(
            session, school.ada, school.memory, elsewhere.membership_id, SECRET
        ),
        lambda session: members.add_assistant(session, school.ada, school.memory, foreign, "Eve", SECRET),
        lambda session: classes.replace_join_code(session, school.ada, school.memory, foreign),
    ):
        with pytest.raises(NotHereError), school.database.writing() as session:
            change(session)


def test_an_assistant_looks_after_the_learners_of_one_section(school: School) -> None:
    mine, old = school.learner(school.memory, "Lea", section=0)
    other, _ = school.learner(school.memory, "Leo", section=1)
    assistant = school.assistant(section=0)
    with school.database.reading() as session:
        seen = classes.sections(session, assistant, classes.find(session, assistant, school.memory))
        assert [section.name for section in seen] == ["Red"]
    with school.database.writing() as session:
        members.replace_personal_code(session, assistant, school.memory, mine.membership_id or 0, SECRET)
    with school.database.reading() as session:
        assert members.come_back(session, old, SECRET) is None
        assert session.query(Login).filter(Login.membership_id == mine.membership_id).count() == 0
    for not_theirs in (other.membership_id or 0, assistant.membership_id or 0):
        with pytest.raises(NotHereError), school.database.writing() as session:
            members.replace_personal_code(session, assistant, school.memory, not_theirs, SECRET)


def test_sections_have_names_of_their_own(school: School) -> None:
    with pytest.raises(RefusedError, match="already"), school.database.writing() as session:
        classes.add_section(session, school.ada, school.memory, " RED ")


def test_a_roster_reports_every_line(school: School) -> None:
    school.learner(school.memory, "Lea")
    file = "\ufeffSection;Name\r\nred;Zoë\r\n;Tim\r\nGreen;Tom\r\nBlue;\r\n\r\nRed;lea\r\nBLUE;Lea\r\nRed;Zoë\r\n"
    with school.database.writing() as session:
        report = roster.import_roster(session, school.ada, school.memory, file.encode(), SECRET)
    assert [(line.number, line.name, line.section, bool(line.personal_code)) for line in report] == [
        (2, "Zoë", "Red", True),
        (3, "Tim", "", False),
        (4, "Tom", "Green", False),
        (5, "", "Blue", False),
        (7, "lea", "Red", False),
        (8, "Lea", "Blue", True),
        (9, "Zoë", "Red", False),
    ]
    assert [bool(line.problem) for line in report] == [not line.personal_code for line in report]
    with school.database.reading() as session:
        back = members.come_back(session, report[0].personal_code, SECRET)
        assert back is not None
        assert back.display_name == "Zoë"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "must name the columns"),
        (b"Zo\xeb", "not UTF-8"),
        (b"first,last\nA,B", "must name the columns"),
        (b'name\n"Zo', "not CSV"),
        (b"name\n" + b"x" * 300_000, "larger than 256 KB"),
        (b"name\n" + b"A\n" * 501, "more than 500 lines"),
    ],
)
def test_a_roster_that_cannot_be_read_is_one_sentence(school: School, file: bytes, words: str) -> None:
    with pytest.raises(RefusedError, match=words), school.database.writing() as session:
        roster.import_roster(session, school.ada, school.memory, file, SECRET)


def test_a_learner_is_handed_over_and_erased_without_a_trace_of_the_name(school: School) -> None:
    who, personal = school.learner(school.memory, "Lea")
    member_id = who.membership_id or 0
    with school.database.reading() as session:
        record = records.of_member(session, school.ada, school.memory, member_id)
        assert record == records.own(session, who)
    assert (record["display_name"], record["section"], len(record["logins"])) == ("Lea", "Red", 1)
    assert [change["action"] for change in record["changes"]] == ["joined"]
    school.do(lambda session: records.erase(session, school.ada, school.memory, member_id))
    with school.database.reading() as session:
        assert session.get(Membership, member_id) is None
        assert members.come_back(session, personal, SECRET) is None
        assert session.query(Login).filter(Login.membership_id == member_id).count() == 0
        assert not [entry for entry in session.query(AuditEntry) if "Lea" in str(entry.details)]


def test_every_change_is_recorded_with_who_made_it(school: School) -> None:
    learner, _ = school.learner(school.memory, "Lea")
    school.do(lambda session: classes.archive(session, school.ada, school.memory))
    with school.database.reading() as session:
        entries = session.query(AuditEntry).filter(AuditEntry.class_id == school.memory).order_by(AuditEntry.id)
        noted = [(entry.actor, entry.action) for entry in entries]
    assert noted == [
        (school.ada.label, "opened a class"),
        (school.ada.label, "added a section"),
        (school.ada.label, "added a section"),
        (learner.label, "joined"),
        (school.ada.label, "archived a class"),
    ]


def test_deleting_a_class_takes_everything_of_it_along(school: School) -> None:
    school.learner(school.memory, "Lea")
    with school.database.writing() as session:
        session.execute(SchoolClass.__table__.delete().where(SchoolClass.id == school.memory))
    with school.database.reading() as session:
        assert session.query(Membership).filter(Membership.class_id == school.memory).count() == 0
