"""The door as those meet it who come in: join, return, login, logout, and every way to get that wrong."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from server.database.models import JoinCode, Membership
from server.door import limits
from server.door.cookies import LOGIN, NEW_CODE, VISIT, Cookies
from server.people import codes, instructors

ELSEWHERE = "https://evil.example"


def _personal_code(browser: TestClient) -> str:
    return re.findall(r'class="code big">([\w-]+)<', browser.get("/me").text)[0]


def test_a_learner_joins_sees_their_code_once_and_comes_back_elsewhere_with_it(room: Any) -> None:
    here = room.learner("Lea")
    code = _personal_code(here)
    assert 'class="code big"' not in here.get("/me").text
    there = room.browser()
    assert room.post(there, "/return", code=code.lower().replace("-", " ")).headers["location"] == "/"
    assert "Lea" in there.get("/me").text
    assert "Lea" in here.get("/me").text  # both devices stay logged in


def test_the_link_on_the_board_fills_in_the_code(room: Any) -> None:
    page = room.ada.get("/classes/1").text
    link = re.findall(r'href="https://lab.example.org(/join\?code=\w+)"', page)[0]
    assert f'value="{room.code()}"' in room.browser().get(link).text


def test_another_code_of_ones_own_ends_the_old_one(room: Any) -> None:
    browser = room.learner("Lea")
    old = _personal_code(browser)
    new = re.findall(r'class="code big">([\w-]+)<', room.post(browser, "/me/code", "/me").text)[0]
    assert room.post(room.browser(), "/return", code=old).status_code == 400
    assert room.post(room.browser(), "/return", code=new).status_code == 303


def test_logging_out_ends_the_login_in_the_database_too(room: Any) -> None:
    browser = room.learner("Lea")
    token = browser.cookies[f"__Host-{LOGIN}"]
    assert room.post(browser, "/logout", "/me").headers["location"] == "/return"
    assert browser.get("/me").status_code == 303
    thief = room.browser()
    thief.cookies.set(f"__Host-{LOGIN}", token)
    assert thief.get("/me").status_code == 303


def test_whoever_joins_next_in_the_same_browser_is_somebody_else(room: Any) -> None:
    browser = room.learner("Lea")
    room.post(browser, "/logout", "/me")
    room.post(browser, "/join", code=room.code(), name="Leo")
    assert "Leo" in browser.get("/me").text
    assert room.number("Lea") != room.number("Leo")


def test_a_join_form_sent_twice_is_one_learner(room: Any) -> None:
    browser = room.browser()
    sent = {"form": room.form(browser), "code": room.code(), "name": "Lea"}
    visit = browser.cookies[f"__Host-{VISIT}"]
    browser.post("/join", data=sent)
    again = room.browser()
    again.cookies.set(f"__Host-{VISIT}", visit)
    assert again.post("/join", data=sent).status_code == 303
    with room.database.reading() as session:
        assert len(session.scalars(select(Membership).where(Membership.display_name == "Lea")).all()) == 1


# Cookies


@pytest.mark.parametrize("which", [LOGIN, VISIT, NEW_CODE])
def test_every_cookie_is_for_this_host_over_https_and_not_for_scripts(room: Any, which: str) -> None:
    browser = room.browser()
    answers = [
        browser.get("/join"),
        browser.post("/join", data={"form": room.form(browser), "code": room.code(), "name": "A"}),
    ]
    set_here = [
        header for answer in answers for header in answer.headers.get_list("set-cookie") if f"-{which}=" in header
    ]
    assert set_here
    for header in set_here:
        assert header.startswith("__Host-")
        parts = {part.strip().lower() for part in header.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not [part for part in parts if part.startswith("domain")]


def test_no_other_cookie_is_set_by_any_page(room: Any) -> None:
    browser = room.learner("Lea")
    browser.get("/")
    browser.get(room.NOTEBOOK + "/")
    assert set(browser.cookies) <= {f"__Host-{which}" for which in (LOGIN, VISIT, NEW_CODE)}


def test_over_plain_http_on_loopback_the_names_have_no_prefix() -> None:
    assert Cookies(secure=False).name(LOGIN) == "memory-lab"


def test_a_cookie_sent_twice_or_too_long_is_none(room: Any) -> None:
    browser = room.learner("Lea")
    name, token = f"__Host-{LOGIN}", browser.cookies[f"__Host-{LOGIN}"]
    for cookie in (f"{name}={token}; {name}=x", f"{name}=x; {name}={token}", f"{name}={'x' * 5000}", f"{name}="):
        assert room.browser().get("/me", headers={"cookie": cookie}).status_code == 303, cookie[:60]
    assert room.browser().get("/me", headers={"cookie": f"other=1; {name}={token}"}).status_code == 200


# Forms from elsewhere


def test_nothing_changes_without_the_forms_token(room: Any) -> None:
    foreign = room.form(room.bob, "/classes")
    for token in ({}, {"form": ""}, {"form": "0" * 64}, {"form": foreign}, {"form": "ü"}):
        answer = room.ada.post("/classes", data={"name": "Forged", **token})
        assert answer.status_code == 403
        assert "too old" in answer.text
    assert "Forged" not in room.ada.get("/classes").text


def test_a_form_opened_before_logging_in_changes_nothing_after(room: Any) -> None:
    browser = room.browser()
    early = room.form(browser)
    room.post(browser, "/join", code=room.code(), name="Lea")
    assert browser.post("/me/code", data={"form": early}).status_code == 403


def test_a_page_from_elsewhere_cannot_send_a_form_even_with_its_token(room: Any) -> None:
    token = room.form(room.ada, "/classes")
    for origin in (ELSEWHERE, "null", "http://lab.example.org", "https://lab.example.org:444", ""):
        answer = room.ada.post("/classes", data={"form": token, "name": "Forged"}, headers={"origin": origin})
        assert answer.status_code == 403, origin
    assert "Forged" not in room.ada.get("/classes").text


def test_a_change_that_does_not_say_where_it_comes_from_is_refused(room: Any) -> None:
    token = room.form(room.ada, "/classes")
    del room.ada.headers["origin"]
    assert room.ada.post("/classes", data={"form": token, "name": "Forged"}).status_code == 403
    assert room.ada.get("/classes").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "", "lab.example.org:8080", "lab.example.org.evil.example"])
def test_another_host_name_is_not_answered(room: Any, host: str) -> None:
    assert room.ada.get("/classes", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", ""])
def test_a_change_that_is_no_form_is_refused(room: Any, kind: str) -> None:
    token = room.form(room.ada, "/classes")
    body = f'{{"form": "{token}", "name": "Forged"}}'
    assert room.ada.post("/classes", content=body, headers={"content-type": kind}).status_code == 403


# Guessing


def test_a_code_that_leads_nowhere_gets_the_same_answer_whatever_the_reason(room: Any) -> None:
    replaced = room.code()
    with room.database.reading() as session:
        section = session.scalars(select(JoinCode.section_id).where(JoinCode.code == replaced)).one()
    room.post(room.ada, f"/classes/1/sections/{section}/code", "/classes/1")
    archived = room.code(class_id=2)
    room.post(room.bob, "/classes/2/archive", "/classes/2")
    browser, pages = room.browser(), set()
    for code in ("BCDFGHJK", replaced, archived, codes.draw_personal_code(), "x'; DROP TABLE join_codes; --"):
        answer = room.post(browser, "/join", code=code, name="Lea")
        pages.add((answer.status_code, answer.text.replace(html.escape(code, quote=False).replace("'", "&#39;"), "")))
    assert len(pages) == 1
    assert next(iter(pages))[0] == 400


def test_a_personal_code_of_nobody_and_of_an_archived_class_get_the_same_answer(room: Any) -> None:
    learner = room.learner("Leo", class_id=2)
    code = _personal_code(learner)
    room.post(room.bob, "/classes/2/archive", "/classes/2")
    browser = room.browser()
    answers = [room.post(browser, "/return", code=word) for word in (code, codes.draw_personal_code(), "")]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, checks = room.browser(), []
    real = instructors._matches
    monkeypatch.setattr(instructors, "_matches", lambda *given: checks.append(given) or real(*given))
    answers = [room.post(browser, "/login", name=name, password="not the password") for name in ("Ada", "Eve")]
    texts = {answer.text.replace("Ada", "").replace("Eve", "") for answer in answers}
    assert (len(texts), len(checks)) == (1, 2)


def test_guessing_codes_is_stopped_and_says_when_to_go_on(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRONG_CODES", limits.RateLimitItemPerMinute(3, namespace="few"))
    guessing = room.browser("192.0.2.66")
    form = room.form(guessing)
    sent = {"form": form, "code": "BCDFGHJK", "name": "A"}
    assert [guessing.post("/join", data=sent).status_code for _ in range(4)] == [400, 400, 400, 429]
    # By way of the other form, and with a right code too, so that the answer says nothing.
    stopped = guessing.post("/return", data={"form": form, "code": "x"})
    assert stopped.status_code == 429
    assert 0 < int(stopped.headers["retry-after"]) <= 60
    assert guessing.post("/join", data={**sent, "code": room.code()}).status_code == 429
    # Others go on.
    room.learner("Lea", address="192.0.2.67")


def test_a_class_behind_one_address_joins_in_a_minute(room: Any) -> None:
    for number in range(100):
        room.learner(f"Learner {number}", address="198.51.100.1")


def test_guessing_passwords_is_stopped_for_a_name_however_it_is_spelt(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PASSWORDS_OF_ONE", limits.RateLimitItemPerHour(3, namespace="few"))
    guessing = room.browser("192.0.2.66")
    form = room.form(guessing)
    statuses = [
        guessing.post("/login", data={"form": form, "name": name, "password": "x" * 12}).status_code
        for name in ("Ada", " ada ", "ＡＤＡ", "ADA", "Eve")
    ]
    assert statuses == [400, 400, 400, 429, 400]
    # The real Ada comes from elsewhere and is not locked out.
    assert room.post(room.browser("192.0.2.67"), "/login", name="Ada", password=room.PASSWORD).status_code == 303


def test_guessing_many_names_is_stopped_too(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PASSWORDS", limits.RateLimitItemPerMinute(3, namespace="few-in-all"))
    guessing = room.browser("192.0.2.66")
    form = room.form(guessing)
    sent = [{"form": form, "name": name, "password": "x" * 12} for name in "ABCD"]
    assert [guessing.post("/login", data=fields).status_code for fields in sent] == [400, 400, 400, 429]


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        (("192.0.2.1", 1), "192.0.2.1"),
        (("2001:db8:1:2:3::4", 1), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.1", 1), "192.0.2.1"),
        (("unix", 1), "unknown"),
        (None, "unknown"),
    ],
)
def test_a_client_is_counted_by_what_it_cannot_change(client: tuple[str, int] | None, counted: str) -> None:
    assert limits.address_of(client) == counted


def test_a_forwarded_address_is_believed_from_a_configured_proxy_only(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WRONG_CODES", limits.RateLimitItemPerMinute(1, namespace="one"))

    def guess(peer: str, forwarded: str) -> int:
        browser = room.browser(peer)
        sent = {"form": room.form(browser), "code": "BCDFGHJK", "name": "A"}
        status: int = browser.post("/join", data=sent, headers={"x-forwarded-for": forwarded}).status_code
        return status

    assert [guess("10.0.0.1", "203.0.113.1"), guess("10.0.0.1", "203.0.113.1")] == [400, 429]
    assert guess("10.0.0.1", "203.0.113.2") == 400
    # What somebody puts before the address that the proxy saw is not believed.
    assert guess("10.0.0.1", "203.0.113.9, 203.0.113.1") == 429
    assert [guess("192.0.2.5", "203.0.113.3"), guess("192.0.2.5", "203.0.113.4")] == [400, 429]


# Where one is sent


@pytest.mark.parametrize(
    "wanted",
    [
        ELSEWHERE,
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/join?next=//evil.example",
        "/classes/1\r\nLocation: https://evil.example",
        "/%0d%0aset-cookie:x=1",
        "/@evil.example",
        " //evil.example",
        "/logout",
        "/nothing",
        "/ü",
    ],
)
def test_a_link_cannot_send_somebody_elsewhere_after_coming_in(room: Any, wanted: str) -> None:
    browser = room.browser()
    answer = room.post(browser, "/login", name="Ada", password=room.PASSWORD, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("wanted", ["/classes/1", "/classes", "/continual/stability-gap/?seed=3", "/?x=1"])
def test_the_page_that_was_asked_for_comes_after_coming_in(room: Any, wanted: str) -> None:
    browser = room.browser()
    turned_away = browser.get(wanted).headers["location"]
    assert turned_away.startswith(("/login?next=", "/join?next="))
    page = browser.get(turned_away.replace("/join", "/login")).text
    assert f'name="next" value="{wanted}"' in page
    answer = room.post(browser, "/login", name="Ada", password=room.PASSWORD, next=wanted)
    assert answer.headers["location"] == wanted


# What people call themselves

NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_a_name_is_escaped_wherever_it_stands(room: Any) -> None:
    name, section = NASTY[:55], "{{ 7 * 7 }}</h2><b>"
    room.post(room.ada, "/classes/1/sections", "/classes/1", name=section)
    room.post(room.ada, "/classes", "/classes", name=f"<i>{name}"[:60])
    learner = room.learner(name, section=section)
    number = room.number(name)
    pages = {
        path: browser.get(path).text
        for browser, path in (
            (learner, "/"),
            (learner, "/me"),
            (room.ada, "/classes"),
            (room.ada, "/classes/1"),
            (room.ada, "/classes/3"),
            (room.ada, f"/classes/1/members/{number}"),
        )
    }
    pages["new code"] = room.post(room.ada, f"/classes/1/members/{number}/code", "/classes/1").text
    for path, text in pages.items():
        assert not re.search(r"<script|<img src=x|<b>|<i>|\b49\b", text), path
        assert "&lt;" in text, path


@pytest.mark.parametrize("field", ["code", "name", "next"])
def test_what_was_typed_comes_back_escaped(room: Any, field: str) -> None:
    text = room.post(room.browser(), "/join", **{"code": "x", "name": "A", field: NASTY}).text
    assert "<script" not in text
    assert "&lt;script" in text or field == "code"  # a code is shown as far as one goes
    assert "<script" not in room.browser().get(f"/join?{field}={NASTY}").text


def test_a_name_that_is_refused_says_why_and_keeps_what_was_typed(room: Any) -> None:
    answer = room.post(room.browser(), "/join", code=room.code(), name="--")
    assert (answer.status_code, "needs at least one letter" in answer.text) == (400, True)
    assert f'value="{room.code()}"' in answer.text


def test_a_locked_database_is_a_sentence_and_no_half_change(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = room.learner("Lea")
    token = room.form(browser, "/me")

    def locked(*given: object) -> None:
        raise OperationalError("select", {}, Exception("database is locked"))

    monkeypatch.setattr("server.people.members.renew_own_code", locked)
    answer = browser.post("/me/code", data={"form": token})
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)
    room.services.logins.forget()
    monkeypatch.setattr(room.services.logins, "find", locked)
    assert browser.get("/me").status_code == 503
    assert "locked" not in answer.text


@pytest.mark.parametrize("typed", ["A\x00", "A\ud800"])
@pytest.mark.parametrize("path", ["/join", "/login", "/return"])
def test_what_no_keyboard_types_is_refused_before_anything_looks_at_it(room: Any, typed: str, path: str) -> None:
    browser = room.browser()
    body = f"form={room.form(browser)}&name={typed}&code={typed}&password=x".encode(errors="surrogatepass")
    kind = {"content-type": "application/x-www-form-urlencoded"}
    status = browser.post(path, content=body, headers=kind).status_code
    assert status in ((403,) if "\x00" in typed else (400, 403))
