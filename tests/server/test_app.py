from __future__ import annotations

import re
import socket

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mem_core.mechanisms import catalog
from server import __main__ as command
from server.app import notebook_file, solo

AT = "http://127.0.0.1"


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(solo(), base_url=AT)


def test_the_gallery_links_every_mechanism_and_shows_its_picture(client: TestClient) -> None:
    page = client.get("/").text
    for mechanism in catalog.load_all():
        assert f'href="/{mechanism.family}/{mechanism.slug}/"' in page
        assert f'src="/pictures/{mechanism.slug}.svg"' in page
        assert mechanism.paper.arxiv in page
    for name in catalog.FAMILY_NAMES.values():
        assert name in page


@pytest.mark.parametrize("slug", catalog.slugs())
def test_every_mechanism_has_a_notebook_that_opens(client: TestClient, slug: str) -> None:
    family = catalog.load(slug).family
    assert notebook_file(family, slug).is_file()
    assert client.get(f"/{family}/{slug}/").status_code == 200
    moved = client.get(f"/{family}/{slug}?seed=3", follow_redirects=False)
    assert moved.headers["location"].endswith(f"/{family}/{slug}/?seed=3")


def test_the_comparison_opens_from_the_gallery(client: TestClient) -> None:
    assert 'href="/compare/"' in client.get("/").text
    assert client.get("/compare/").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("slug", catalog.slugs())
def test_the_picture_is_drawn_from_a_real_run(client: TestClient, slug: str) -> None:
    svg = client.get(f"/pictures/{slug}.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert len(re.findall(r"\d+\.\d,\d+\.\d|<circle", svg.text)) > 8
    assert "nan" not in svg.text


def test_an_unknown_picture_file_or_page_is_a_plain_404(client: TestClient) -> None:
    for path in ("/pictures/nothing.svg", "/static/gallery.py", "/static/..%2fgallery.py", "/learning/nothing/"):
        assert client.get(path).status_code == 404, path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": AT}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": ""}, 403),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:2718"}, 200),
    ],
)
def test_only_its_own_pages_are_answered(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.get("/", headers=headers).status_code == status


def test_a_foreign_page_cannot_open_a_kernel_websocket(client: TestClient) -> None:
    mechanism = catalog.load_all()[0]
    address = f"/{mechanism.family}/{mechanism.slug}/ws?session_id=s_abcdef"
    with pytest.raises(WebSocketDisconnect) as refused:  # noqa: SIM117 - the connection is made on entering
        with client.websocket_connect(address, headers={"host": "127.0.0.1", "origin": "http://evil.example"}):
            pass
    assert refused.value.code == 1008


def test_a_port_in_use_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert command.main(["solo", "--port", str(port)]) == 2
    assert capsys.readouterr().err == f"server: Port {port} is in use; choose another with --port.\n"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        command.main(["solo", f"--port={port}"])
    assert refused.value.code == 2
    assert "must be a whole number from 1 to 65535" in capsys.readouterr().err
