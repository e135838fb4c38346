"""The ASGI application: the gallery at the root, every notebook under its family, the comparison beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import marimo
from marimo._server.asgi import ASGIAppBuilder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from mem_core.lab import runner
from mem_core.lab.page import select_engine
from mem_core.mechanisms import catalog
from server.origin import OwnPagesOnly
from static import gallery, pictures

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
PUBLIC_FILES = ("gallery.css", "icon.svg")


def solo() -> Starlette:
    """Build the application for one person at their own machine: no login, loopback only."""
    builder = marimo.create_asgi_app(quiet=True, include_code=True)
    routes = [
        Route("/", _gallery),
        *file_routes(),
        *notebook_routes(builder, pages()),
    ]
    return Starlette(routes=routes, middleware=[Middleware(OwnPagesOnly, hosts=LOOPBACK)])


def file_routes(more: Mapping[str, Path] = MappingProxyType({})) -> list[BaseRoute]:
    """Return the routes of styles, icon and pictures, with further static files by name."""
    files = {name: gallery.FOLDER / name for name in PUBLIC_FILES} | dict(more)

    async def static_file(request: Request) -> Response:
        file = files.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("There is no such file here.", status_code=404)
        return FileResponse(file, headers={"Cache-Control": "max-age=3600"})

    return [Route("/static/{name}", static_file), Route("/pictures/{slug}.svg", _picture)]


def notebook_routes(builder: ASGIAppBuilder, notebooks: Sequence[tuple[str, Path]]) -> list[BaseRoute]:
    """Return the routes of notebooks: where each is served, and its file; marimo serves them as its builder says."""
    for path, file in notebooks:
        builder = builder.with_app(path=path, root=str(file))
    return [*[Route(path, _with_slash) for path, _ in notebooks], Mount("/", builder.build())]


def notebook_file(family: str, slug: str) -> Path:
    """Return the file of a mechanism's notebook."""
    return NOTEBOOKS / family / f"{slug.replace('-', '_')}.py"


def pages() -> list[tuple[str, Path]]:
    """List where each notebook is served, and its file."""
    of_mechanisms = [
        (f"/{mechanism.family}/{mechanism.slug}", notebook_file(mechanism.family, mechanism.slug))
        for mechanism in catalog.load_all()
    ]
    return [*of_mechanisms, ("/compare", NOTEBOOKS / "compare.py")]


async def _gallery(request: Request) -> Response:
    return HTMLResponse(gallery.gallery())


async def _with_slash(request: Request) -> Response:
    return RedirectResponse(request.url.replace(path=request.url.path + "/"))


async def _picture(request: Request) -> Response:
    try:
        svg = await run_in_threadpool(_draw, request.path_params["slug"])
    except catalog.CatalogError as error:
        return PlainTextResponse(str(error), status_code=404)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


def _draw(slug: str) -> str:
    mechanism = catalog.load(slug)
    # On its page's own engine, so that the page finds the run made already. Each picture takes a turn of its own, or
    # the gallery would ask for more than one learner may.
    engine = select_engine(mechanism)
    request = runner.Request(slug, mechanism.presets["browser"], 0, engine, learner=f"picture of {slug}")
    *_, last = runner.chosen().frames(request)
    return pictures.picture(mechanism, last.tables)
