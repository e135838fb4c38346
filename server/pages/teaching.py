"""Teaching: open a class, show its codes, and look after those who are in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

import segno
from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.database.models import Membership, Role, SchoolClass, Section
from server.door.access import CLASS, PERSON
from server.door.services import download, form_of, page, see, services, somebody
from server.people import classes, codes, members, records, roster
from server.people.refusals import RefusedError
from server.people.who import Who

Given = ParamSpec("Given")


async def show_classes(request: Request) -> Response:
    """List the classes somebody teaches or assists in."""
    return page(request, "classes.html", classes=await services(request).reading(classes.visible, somebody(request)))


async def open_class(request: Request) -> Response:
    """Open a class."""
    form = await form_of(request)
    named = [line for line in form.text("sections").splitlines() if line.strip()]
    here = services(request)
    opened = await here.writing(classes.create, somebody(request), form.text("name"), named)
    return see(f"/classes/{opened.id}")


async def show_class(request: Request) -> Response:
    """Show a class: the codes for the board, and who is in it."""
    values = await services(request).reading(_class, somebody(request), request.path_params["class_id"])
    for section in values["sections"]:
        section["link"] = f"{services(request).configuration.public_url}/join?{urlencode({'code': section['code']})}"
        section["picture"] = qr_code(section["link"], f"QR code of the link to join {section['name']}")
        section["code"] = codes.show(section["code"])
    return page(request, "class.html", **values)


async def archive(request: Request) -> Response:
    """Archive a class."""
    await form_of(request)
    return await _change(request, classes.archive)


async def reopen(request: Request) -> Response:
    """Open an archived class again."""
    await form_of(request)
    return await _change(request, classes.reopen)


async def add_section(request: Request) -> Response:
    """Add a section."""
    form = await form_of(request)
    return await _change(request, classes.add_section, form.text("name"))


async def replace_join_code(request: Request) -> Response:
    """Replace the code of a section."""
    await form_of(request)
    return await _change(request, classes.replace_join_code, request.path_params["section_id"])


async def add_assistant(request: Request) -> Response:
    """Add an assistant and show the code by which they come in."""
    form = await form_of(request)
    here, section = services(request), form.text("section")
    if not section.isdecimal() or len(section) > 9:
        raise RefusedError("Choose the section of the assistant.")
    class_id = request.path_params["class_id"]
    added, code = await here.writing(
        members.add_assistant, somebody(request), class_id, int(section), form.text("name"), here.secret
    )
    return page(request, "new_code.html", name=added.display_name, code=codes.show(code), back=f"/classes/{class_id}")


async def import_roster(request: Request) -> Response:
    """Add the learners of a file and report on each of its lines."""
    form = await form_of(request)
    file = form.file("file")
    here, class_id = services(request), request.path_params["class_id"]
    lines = await here.writing(roster.import_roster, somebody(request), class_id, file, here.secret)
    return page(request, "roster.html", lines=lines, back=f"/classes/{class_id}")


async def show_member(request: Request) -> Response:
    """Show one member of a class."""
    return page(
        request, "member.html", **await services(request).reading(_member, somebody(request), *_numbers(request))
    )


async def new_code(request: Request) -> Response:
    """Give a member a new personal code and show it."""
    await form_of(request)
    here, (class_id, member_id) = services(request), _numbers(request)
    who = somebody(request)
    name = (await here.reading(members.looked_after, who, class_id, member_id)).display_name
    code = await here.writing(members.replace_personal_code, who, class_id, member_id, here.secret)
    here.people_changed()
    return page(request, "new_code.html", name=name, code=codes.show(code), back=f"/classes/{class_id}")


async def record(request: Request) -> Response:
    """Hand over what is held about a member."""
    class_id, member_id = _numbers(request)
    held = await services(request).reading(records.of_member, somebody(request), class_id, member_id)
    return download(f"member-{member_id}", held)


async def erase(request: Request) -> Response:
    """Erase a member, if the box beside the button is ticked."""
    form = await form_of(request)
    if form.text("sure") != "yes":
        raise RefusedError("Nothing was erased: tick the box to say that you are sure.")
    return await _change(request, records.erase, request.path_params["member_id"])


ROUTES = [
    Route("/classes", show_classes),
    Route("/classes", open_class, methods=["POST"]),
    Route(CLASS, show_class),
    Route(CLASS + "/archive", archive, methods=["POST"]),
    Route(CLASS + "/reopen", reopen, methods=["POST"]),
    Route(CLASS + "/sections", add_section, methods=["POST"]),
    Route(CLASS + "/sections/{section_id:number}/code", replace_join_code, methods=["POST"]),
    Route(CLASS + "/assistants", add_assistant, methods=["POST"]),
    Route(CLASS + "/roster", import_roster, methods=["POST"]),
    Route(PERSON, show_member),
    Route(PERSON + "/code", new_code, methods=["POST"]),
    Route(PERSON + "/record", record),
    Route(PERSON + "/erase", erase, methods=["POST"]),
]


def qr_code(link: str, words: str) -> Markup:
    """Return a link as a picture for a phone's camera, dark on light in either mode so that cameras read it."""
    drawn = segno.make(link, micro=False, error="m")
    return Markup(drawn.svg_inline(scale=6, border=4, dark="#000000", light="#ffffff", title=words, omitsize=True))


async def _change(
    request: Request,
    change: Callable[Concatenate[Session, Who, int, Given], object],
    *given: Given.args,
    **named: Given.kwargs,
) -> Response:
    here, class_id = services(request), request.path_params["class_id"]
    await here.writing(change, somebody(request), class_id, *given, **named)
    here.people_changed()
    return see(f"/classes/{class_id}")


def _numbers(request: Request) -> tuple[int, int]:
    return request.path_params["class_id"], request.path_params["member_id"]


def _class(session: Session, who: Who, class_id: int) -> dict[str, Any]:
    school_class = classes.find(session, who, class_id)
    sections = [_section(session, who, section) for section in classes.sections(session, who, school_class)]
    return {"school_class": school_class, "sections": sections, "teaches": who.role is Role.INSTRUCTOR}


def _section(session: Session, who: Who, section: Section) -> dict[str, Any]:
    return {
        "id": section.id,
        "name": section.name,
        "code": classes.join_code(session, section),
        "learners": [member for member in section.members if member.role == Role.LEARNER],
        "assistants": [member for member in section.members if member.role == Role.ASSISTANT],
    }


def _member(session: Session, who: Who, class_id: int, member_id: int) -> dict[str, Any]:
    member: Membership = members.looked_after(session, who, class_id, member_id)
    school_class: SchoolClass = member.school_class
    section = member.section.name if member.section is not None else ""
    return {
        "member": member,
        "school_class": school_class,
        "section": section,
        "teaches": who.role is Role.INSTRUCTOR,
    }
