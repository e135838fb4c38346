"""What instructors and assistants do with a class, as their pages do it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from server.database.connection import Database
from server.database.models import AuditEntry, Membership

from .conftest import Room


def _roster(room: Any, file: bytes, name: str = "names.csv") -> Any:
    data = {"form": room.form(room.ada, "/classes/1")}
    return room.ada.post("/classes/1/roster", data=data, files={"file": (name, file, "text/csv")})


def test_a_class_has_a_code_a_link_and_a_picture_of_it_for_each_section(room: Any) -> None:
    page = room.ada.get("/classes/1").text
    for section in ("Red", "Blue"):
        code = room.code(section=section)
        assert f"{code[:4]}-{code[4:]}" in page
        assert f'href="{room.ORIGIN}/join?code={code}"' in page
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 2
    assert pictures[0] != pictures[1]
    assert all(re.search(r"<title>QR code of the link to join (Red|Blue)</title>", picture) for picture in pictures)


def test_a_replaced_code_no_longer_leads_in_and_the_new_one_does(room: Any) -> None:
    old = room.code()
    room.post(room.ada, "/classes/1/sections/1/code", "/classes/1")
    assert room.post(room.browser(), "/join", code=old, name="Lea").status_code == 400
    assert room.code() != old
    room.learner("Lea")


def test_an_assistant_sees_their_own_section_only(room: Any) -> None:
    room.learner("Lea")
    room.learner("Leo", section="Blue")
    ann = room.assistant("Ann")
    page = ann.get("/classes/1").text
    assert ("Lea" in page, "Leo" in page, room.code()[:4] in page) == (True, False, True)
    assert room.code(section="Blue")[:4] not in page
    assert "Add an assistant" not in page
    assert ann.get(f"/classes/1/members/{room.number('Lea')}").status_code == 200
    assert ann.get(f"/classes/1/members/{room.number('Leo')}").status_code == 404
    answer = room.post(ann, f"/classes/1/members/{room.number('Leo')}/code", "/me")
    assert answer.status_code == 404


def test_a_roster_reports_on_each_line_and_its_codes_let_people_in(room: Any) -> None:
    answer = _roster(room, "\ufeffName;Section\nZoë;Red\n李雷;blue\nEve;Green\nZoë;red\n;Red\n".encode())
    rows = re.findall(r"<tr><td>(\d+)</td><td>(.*?)</td><td>(.*?)</td>\s*<td>(.*?)</td></tr>", answer.text)
    assert [(number, name, section) for number, name, section, _ in rows[:2]] == [
        ("2", "Zoë", "Red"),
        ("3", "李雷", "Blue"),
    ]
    assert ["Not added" in told for *_, told in rows] == [False, False, True, True, True]
    assert "There is no section called Green." in rows[2][3]
    code = re.findall(r">([\w-]+)<", rows[0][3])[0]
    browser = room.browser()
    assert room.post(browser, "/return", code=code).status_code == 303
    assert "Zoë" in browser.get("/me").text


@pytest.mark.parametrize("file", [b"", b"\xff\xfe", b"name\n" + b"A\n" * 501, b"x" * 300_000])
def test_a_roster_that_cannot_be_used_is_a_sentence_and_adds_nobody(room: Any, file: bytes) -> None:
    assert _roster(room, file).status_code == 400
    with room.database.reading() as session:
        assert not session.scalars(select(Membership).where(Membership.role == "learner")).all()


def test_a_file_with_a_nasty_name_or_none_at_all_is_a_sentence(room: Any) -> None:
    assert _roster(room, b"name\n<script>alert(1)</script>\n", name='"><script>.csv').status_code == 200
    assert "<script" not in _roster(room, b"name\n<script>alert(1)</script>\n", name='"><script>.csv').text
    assert room.post(room.ada, "/classes/1/roster", "/classes/1").status_code == 400
    assert room.post(room.ada, "/classes/1/roster", "/classes/1", file="no file").status_code == 400


def test_what_is_held_about_a_learner_is_handed_over_to_them_and_to_who_teaches_them(room: Any) -> None:
    lea = room.learner("Lea")
    own = lea.get("/me/record")
    theirs = room.ada.get(f"/classes/1/members/{room.number('Lea')}/record")
    assert own.json() == theirs.json()
    assert own.json()["display_name"] == "Lea"
    assert own.headers["content-disposition"] == 'attachment; filename="my-record.json"'
    assert "hash" not in json.dumps(own.json())


def test_erasing_needs_to_be_sure_and_leaves_nothing_of_a_learner(room: Any) -> None:
    lea = room.learner("Lea")
    number = room.number("Lea")
    assert "tick the box" in room.post(room.ada, f"/classes/1/members/{number}/erase", "/classes/1").text
    assert lea.get("/me").status_code == 200
    answer = room.post(room.ada, f"/classes/1/members/{number}/erase", "/classes/1", sure="yes")
    assert answer.headers["location"] == "/classes/1"
    assert lea.get("/me").status_code == 303
    assert "Lea" not in room.ada.get("/classes/1").text


def test_an_archived_class_says_so_and_can_be_opened_again(room: Any) -> None:
    room.post(room.ada, "/classes/1/archive", "/classes/1")
    assert "This class is archived" in room.ada.get("/classes/1").text
    assert "archived" in room.ada.get("/classes").text
    room.post(room.ada, "/classes/1/reopen", "/classes/1")
    assert "This class is archived" not in room.ada.get("/classes/1").text


@pytest.mark.parametrize("section", ["", "x", "99", "3", "-1", "1" * 30, "1.5", "²"])
def test_an_assistant_needs_a_section_of_the_class(room: Any, section: str) -> None:
    """Section 3 is another class's."""
    answer = room.post(room.ada, "/classes/1/assistants", "/classes/1", name="Ann", section=section)
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize("number", ["99999999999999999999999999", "9223372036854775808", "2147483648", "0"])
def test_a_number_that_no_database_has_is_not_found(room: Any, number: str) -> None:
    for path in (f"/classes/{number}", f"/classes/1/members/{number}", f"/classes/1/members/{number}/record"):
        assert room.ada.get(path).status_code == 404
    assert room.post(room.ada, f"/classes/1/sections/{number}/code", "/classes/1").status_code == 404


def test_the_classroom_works_the_same_on_postgresql(postgresql: Database, pages: Starlette) -> None:
    room = Room(postgresql, pages)
    room.learner("Lea")
    ann = room.assistant("Ann")
    assert "Lea" in ann.get("/classes/1").text
    for number in ("99999999999999999999999999", "2147483648"):
        assert room.ada.get(f"/classes/1/members/{number}").status_code == 404
        assert room.ada.get(f"/classes/{number}").status_code == 404
        assert room.post(room.ada, f"/classes/1/sections/{number}/code", "/classes/1").status_code == 404
    assert room.post(room.browser(), "/join", code="x\x00y", name="A").status_code == 403
    assert room.post(room.browser(), "/join", code=room.code(), name="A\x00").status_code == 403
    assert room.post(room.browser(), "/login", name="A\x00", password="x").status_code == 403
    room.post(room.ada, f"/classes/1/members/{room.number('Lea')}/erase", "/classes/1", sure="yes")
    with postgresql.reading() as session:
        assert [entry.action for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))][
            -1
        ] == "erased a member"
