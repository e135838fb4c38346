"""One's own page: who I am here, my personal code, and what is held about me."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.database.models import Membership
from server.door.cookies import NEW_CODE
from server.door.services import download, form_of, page, services, somebody
from server.people import codes, members, records
from server.people.refusals import NotHereError
from server.people.who import Who


async def show(request: Request) -> Response:
    """Show who somebody is here, and right after joining their personal code, once."""
    here = services(request)
    code = here.cookies.read(request, NEW_CODE)
    response = await _me(request, codes.read(code) if code is not None else "")
    if code is not None:
        here.cookies.clear(response, NEW_CODE)
    return response


async def new_code(request: Request) -> Response:
    """Draw a new personal code and show it."""
    await form_of(request)
    here = services(request)
    return await _me(request, await here.writing(members.renew_own_code, somebody(request), here.secret))


async def record(request: Request) -> Response:
    """Hand over what is held about somebody."""
    return download("my-record", await services(request).reading(records.own, somebody(request)))


ROUTES = [
    Route("/me", show),
    Route("/me/code", new_code, methods=["POST"]),
    Route("/me/record", record),
]


async def _me(request: Request, code: str) -> Response:
    class_name, section = await services(request).reading(_place, somebody(request))
    return page(request, "me.html", class_name=class_name, section=section, code=codes.show(code))


def _place(session: Session, who: Who) -> tuple[str, str]:
    member = session.get(Membership, who.membership_id)
    if member is None or member.section is None:
        raise NotHereError
    return member.school_class.name, member.section.name
