"""The classroom: gallery, notebooks and the classroom's own pages, behind the door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import marimo
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mem_core.lab import runner
from server.app import file_routes, notebook_routes, pages
from server.configuration import Configuration, ConfigurationError
from server.database.connection import Database
from server.door.access import Table
from server.door.answers import TEMPLATES, database_silent, sentence
from server.door.body_size import BodySize
from server.door.forms import StaleFormError
from server.door.guard import Guard
from server.door.headers import SecurityHeaders
from server.door.kernel_sessions import MARIMO_KEEPS_SECONDS
from server.door.limits import TooOftenError
from server.door.services import Services, page, who
from server.logs import keep_session_ids_out
from server.pages import coming_in, own_page, teaching
from server.people.refusals import NotHereError, RefusedError
from server.runs.lane import QueueFullError
from server.runs.learner import learner_of_page
from server.runs.pool_runner import PoolRunner
from server.runs.result_cache import ResultCache
from static import gallery


def classroom(configuration: Configuration, database: Database) -> ASGIApp:
    """Build the application for a class.

    Args:
        configuration: checked before.
        database: open, and of the newest version.
    """
    keep_session_ids_out()
    notebooks = pages()
    services = Services(configuration, database, Table([path for path, _ in notebooks]))
    return behind_the_door(unguarded(notebooks), services)


@contextmanager
def runs_on_workers(configuration: Configuration, seconds_to_finish: float) -> Iterator[None]:
    """Let worker processes compute the runs, and give those under way so long to finish in the end.

    Raises:
        ConfigurationError: results cannot be kept where they should be.
    """
    folder = configuration.results_directory
    try:
        cache = ResultCache(folder, configuration.results_mib)
    except OSError as error:
        raise ConfigurationError(f"results_directory: {folder} cannot be made ({error.strerror}).") from None
    runs = PoolRunner(cache, workers=configuration.run_workers)
    runner.use(runs, learner_of_page)
    try:
        yield
    finally:
        runs.close(seconds_to_finish)


def behind_the_door(app: ASGIApp, services: Services) -> ASGIApp:
    """Put the door before an application: nothing reaches it but what the table of routes lets through."""
    guarded: ASGIApp = BodySize(Guard(app, services))
    guarded = SecurityHeaders(guarded, services.table, services.configuration.secure)
    trusted = [str(network) for network in services.configuration.trusted_proxies]
    return ProxyHeadersMiddleware(guarded, trusted)  # type: ignore[arg-type, return-value]


def unguarded(notebooks: Sequence[tuple[str, Path]]) -> Starlette:
    """Build all pages: where each notebook is served, and its file, come in addition to the classroom's own."""
    # The guard looks at Origin and at whose session it is, before marimo sees anything; marimo's own check lets pages
    # that were loaded from an earlier version of a notebook know that they must be reloaded.
    builder = marimo.create_asgi_app(
        quiet=True, include_code=True, skew_protection=True, session_ttl=MARIMO_KEEPS_SECONDS, show_tracebacks=False
    )
    routes = [
        Route("/", _gallery),
        *file_routes({"classroom.css": TEMPLATES / "classroom.css"}),
        *coming_in.ROUTES,
        *own_page.ROUTES,
        *teaching.ROUTES,
        *notebook_routes(builder, notebooks),
    ]
    return Starlette(routes=routes, exception_handlers=_ANSWERS, lifespan=_end_notebooks)


@asynccontextmanager
async def _end_notebooks(app: Starlette) -> AsyncIterator[None]:
    """Let marimo end its sessions when the server stops: the threads that wait for them would keep the process."""
    yield
    mounts = [route for route in app.routes if isinstance(route, Mount)]
    for notebook in (inner.app for mount in mounts for inner in mount.routes if isinstance(inner, Mount)):
        await notebook.state.session_manager.shutdown()  # type: ignore[attr-defined]


async def _gallery(request: Request) -> Response:
    # The gallery's own template knows nothing of logins; what a class adds goes around it.
    shown = page(request, "bar.html")
    style = '<link rel="stylesheet" href="/static/classroom.css">\n</head>'
    text = gallery.gallery().replace("</head>", style, 1).replace("<body>", f"<body>\n{bytes(shown.body).decode()}", 1)
    answer = HTMLResponse(text)
    answer.raw_headers += [header for header in shown.raw_headers if header[0] == b"set-cookie"]
    return answer


def _refused(request: Request, error: Exception) -> Response:
    return sentence(400, str(error), back=_back(request))


def _not_here(request: Request, error: Exception) -> Response:
    return sentence(404, "There is no such page.", back=_back(request))


def _stale(request: Request, error: Exception) -> Response:
    return sentence(403, "This form is too old, or not from this page; open the page again.", back=_back(request))


def _too_often(request: Request, error: Exception) -> Response:
    seconds = error.seconds if isinstance(error, TooOftenError) else 60
    return sentence(429, str(error), back=request.url.path, headers={"Retry-After": str(seconds)})


def _queue_full(request: Request, error: Exception) -> Response:
    seconds = error.retry_after if isinstance(error, QueueFullError) else 60
    return sentence(429, str(error), headers={"Retry-After": str(seconds)})


def _missing(request: Request, error: Exception) -> Response:
    return sentence(404, "There is no such page.")


def _back(request: Request) -> str:
    """Return the page that a form was sent from, as far as the path tells."""
    parts = request.url.path.split("/")
    if parts[1] == "classes":
        return "/".join(parts[:3]) if who(request) is not None and len(parts) > 3 else "/classes"
    return "/me" if parts[1] == "me" else "/" if parts[1] == "logout" else request.url.path


def _database_silent(request: Request, error: Exception) -> Response:
    return database_silent()


_ANSWERS = {
    OperationalError: _database_silent,
    RefusedError: _refused,
    NotHereError: _not_here,
    StaleFormError: _stale,
    TooOftenError: _too_often,
    QueueFullError: _queue_full,
    404: _missing,
}
