"""Coming in: join a class, come back with a personal code, log in as an instructor, log out."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.database.models import Instructor, Role
from server.door import limits
from server.door.cookies import CODE_LIFETIME, LOGIN, NEW_CODE, VISIT
from server.door.limits import address_of
from server.door.services import form_of, onward, page, see, services, somebody
from server.people import codes, instructors, logins, members, names
from server.people.logins import LIFETIMES
from server.people.refusals import RefusedError

WRONG_JOIN_CODE = "There is no open class with this code; look at the board again."
WRONG_PERSONAL_CODE = "Nobody has this code; look at it again, or ask your instructor for a new one."
WRONG_PASSWORD = "Name or password is not right."


async def show_join(request: Request) -> Response:
    """Show the form by which a learner joins a class; the link on the board fills in the code."""
    code = request.query_params.get("code", "")[:40]
    return page(request, "join.html", code=code, name="", next=request.query_params.get("next", ""), problem="")


async def join(request: Request) -> Response:
    """Bring a learner into a class and log this browser in."""
    form = await form_of(request)
    here, address = services(request), address_of(request.scope.get("client"))
    code, name, wanted = (form.text(field) for field in ("code", "name", "next"))
    here.limits.count(limits.TRIES_WITH_A_CODE, address)
    here.limits.look(limits.WRONG_CODES, address)
    visit = here.cookies.read(request, VISIT) or ""
    problem = WRONG_JOIN_CODE
    try:
        joined = await here.writing(_join, code, name, visit, here.secret)
    except RefusedError as refused:
        joined, problem = None, str(refused)
    if joined is None:
        if problem == WRONG_JOIN_CODE:
            here.limits.count(limits.WRONG_CODES, address)
        return page(request, "join.html", 400, code=code[:40], name=name[:80], next=wanted, problem=problem)
    token, personal = joined
    response = see("/me")
    _give_login(request, response, token, Role.LEARNER)
    here.cookies.set(response, NEW_CODE, personal, CODE_LIFETIME)
    return response


async def show_return(request: Request) -> Response:
    """Show the form by which somebody comes back with a personal code."""
    return page(request, "return.html", next=request.query_params.get("next", ""), problem="")


async def come_back(request: Request) -> Response:
    """Log this browser in for the owner of a personal code."""
    form = await form_of(request)
    here, address = services(request), address_of(request.scope.get("client"))
    here.limits.count(limits.TRIES_WITH_A_CODE, address)
    here.limits.look(limits.WRONG_CODES, address)
    found = await here.writing(_come_back, form.text("code"), here.secret)
    wanted = form.text("next")
    if found is None:
        here.limits.count(limits.WRONG_CODES, address)
        return page(request, "return.html", 400, next=wanted, problem=WRONG_PERSONAL_CODE)
    token, role = found
    response = see(onward(request, wanted or ("/classes" if role is Role.ASSISTANT else "/")))
    _give_login(request, response, token, role)
    return response


async def show_login(request: Request) -> Response:
    """Show the form by which instructors log in."""
    return page(request, "login.html", name="", next=request.query_params.get("next", ""), problem="")


async def log_in(request: Request) -> Response:
    """Log this browser in for an instructor."""
    form = await form_of(request)
    here, address = services(request), address_of(request.scope.get("client"))
    name, wanted = form.text("name"), form.text("next")
    here.limits.count(limits.PASSWORDS, address)
    here.limits.count(limits.PASSWORDS_OF_ONE, address, codes.hash_of_token(names.typed_key(name)))
    number = await run_in_threadpool(instructors.recognise, here.database, name, form.text("password"))
    if number is None:
        return page(request, "login.html", 400, name=name[:80], next=wanted, problem=WRONG_PASSWORD)
    token = await here.writing(_begin, number)
    response = see(onward(request, wanted or "/classes"))
    _give_login(request, response, token, Role.INSTRUCTOR)
    return response


async def log_out(request: Request) -> Response:
    """End this browser's login, and close the pages it has open."""
    await form_of(request)
    here, who = services(request), somebody(request)
    await here.writing(logins.end, who.login_id)
    here.logins.forget()
    here.connections.look_again(who.login_id)
    response = see("/login" if who.role is Role.INSTRUCTOR else "/return")
    for cookie in (LOGIN, VISIT, NEW_CODE):
        here.cookies.clear(response, cookie)
    return response


ROUTES = [
    Route("/join", show_join),
    Route("/join", join, methods=["POST"]),
    Route("/return", show_return),
    Route("/return", come_back, methods=["POST"]),
    Route("/login", show_login),
    Route("/login", log_in, methods=["POST"]),
    Route("/logout", log_out, methods=["POST"]),
]


def _join(session: Session, code: str, name: str, form: str, secret: str) -> tuple[str, str] | None:
    joined = members.join(session, code, name, form, secret)
    if joined is None:
        return None
    member, personal = joined
    return logins.begin(session, member), personal


def _come_back(session: Session, code: str, secret: str) -> tuple[str, Role] | None:
    member = members.come_back(session, code, secret)
    return (logins.begin(session, member), Role(member.role)) if member is not None else None


def _begin(session: Session, number: int) -> str:
    return logins.begin(session, session.get_one(Instructor, number))


def _give_login(request: Request, response: Response, token: str, role: Role) -> None:
    cookies = services(request).cookies
    cookies.set(response, LOGIN, token, LIFETIMES[role])
    # Forms that were opened before belong to nobody any more, and the next to join here is somebody else.
    cookies.set(response, VISIT, codes.draw_token())
