"""The ASGI application: the gallery at the root, every notebook under its family, the comparison beside them."""

from __future__ import annotations

from pathlib import Path

import marimo
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from mem_core.engine import select
from mem_core.lab import runner
from mem_core.mechanisms import catalog
from server.origin import OwnPagesOnly
from static import gallery, pictures

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
PUBLIC_FILES = ("gallery.css", "icon.svg")


def solo() -> Starlette:
    """Build the application for one person at their own machine: no login, loopback only."""
    routes = [
        Route("/", _gallery),
        Route("/static/{name}", _static_file),
        Route("/pictures/{slug}.svg", _picture),
        *[Route(path, _with_slash) for path, _ in _pages()],
        Mount("/", _notebooks()),
    ]
    return Starlette(routes=routes, middleware=[Middleware(OwnPagesOnly, hosts=LOOPBACK)])


def notebook_file(family: str, slug: str) -> Path:
    """Return the file of a mechanism's notebook."""
    return NOTEBOOKS / family / f"{slug.replace('-', '_')}.py"


def _pages() -> list[tuple[str, Path]]:
    """List the notebooks and where each is served."""
    of_mechanisms = [
        (f"/{mechanism.family}/{mechanism.slug}", notebook_file(mechanism.family, mechanism.slug))
        for mechanism in catalog.load_all()
    ]
    return [*of_mechanisms, ("/compare", NOTEBOOKS / "compare.py")]


def _notebooks() -> ASGIApp:
    builder = marimo.create_asgi_app(quiet=True, include_code=True)
    for path, file in _pages():
        builder = builder.with_app(path=path, root=str(file))
    return builder.build()


async def _gallery(request: Request) -> Response:
    return HTMLResponse(gallery.gallery())


async def _with_slash(request: Request) -> Response:
    return RedirectResponse(request.url.replace(path=request.url.path + "/"))


async def _static_file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in PUBLIC_FILES:
        return PlainTextResponse(f"There is no file called {name!r} here.", status_code=404)
    return FileResponse(gallery.FOLDER / name, headers={"Cache-Control": "max-age=3600"})


async def _picture(request: Request) -> Response:
    try:
        svg = await run_in_threadpool(_draw, request.path_params["slug"])
    except catalog.CatalogError as error:
        return PlainTextResponse(str(error), status_code=404)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


def _draw(slug: str) -> str:
    mechanism = catalog.load(slug)
    request = runner.Request(slug, mechanism.presets["browser"], 0, select())
    *_, last = runner.chosen().frames(request)
    return pictures.picture(mechanism, last.tables)
