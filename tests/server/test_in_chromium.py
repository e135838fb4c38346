"""The classroom in a real browser: what the headers forbid does not run, and a notebook works all the same."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from benchmarks.real_browser import ROOT, free_port
from server.first_start import RESULTS_NAME, initialise

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME, PASSWORD = "Ada", "correct horse battery staple"
NOTEBOOK = "/agents/memorybank/"
START_SECONDS = 60
RUN_MILLISECONDS = 60_000
NARROW = {"width": 400, "height": 800}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("class")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Start a classroom of its own and give its address."""
    public_url = f"http://127.0.0.1:{free_port()}"
    file = initialise(folder, public_url, None, NAME, PASSWORD)
    process = subprocess.Popen([sys.executable, "-m", "server", "serve", "--config", str(file)], cwd=ROOT)
    try:
        _wait_for(public_url, process)
        yield public_url
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def ada(browser: Browser, address: str) -> Iterator[Page]:
    """Give the page of an instructor who has opened a class."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Name").fill("How networks remember")
    page.get_by_label("Sections, one a line").fill("Red\nBlue")
    page.get_by_role("button", name="Open the class").click()
    expect(page.get_by_role("heading", name="Red")).to_be_visible()
    yield page
    context.close()


@pytest.fixture
def learner(browser: Browser, address: str, ada: Page) -> Iterator[Page]:
    """Give the page of a learner who has just followed the link on the board; errors in it fail the test."""
    context = browser.new_context(base_url=address)
    page = _join(context, ada.locator(".link a").first.get_attribute("href") or "")
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


def test_a_learner_joins_by_the_link_and_sees_the_gallery(learner: Page) -> None:
    expect(learner.locator(".code.big")).to_have_text(re.compile(r"^[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$"))
    learner.get_by_role("link", name="To the gallery").click()
    expect(learner.get_by_role("navigation", name="Classroom")).to_contain_text("Lea")
    expect(learner.locator(".cards .card").first).to_be_visible()


def test_a_notebook_runs_moves_and_comes_back_behind_the_door(learner: Page) -> None:
    closed: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400:
            closed.append(f"{response.status} {response.request.method} {response.url}")

    learner.on("response", note)
    learner.goto(NOTEBOOK)
    _wait_for_the_end(learner)
    described = learner.locator("[data-chart='store_size'] .lab-description")
    before = described.inner_text()
    fold = learner.locator(".lab-panel details:not([open]):has([data-control='tau']) summary")
    if fold.count():
        fold.click()
    learner.locator(".lab-panel [data-control='tau'] input[type=range]").focus()
    for _ in range(5):
        learner.keyboard.press("ArrowRight")
    expect(described).not_to_have_text(before, timeout=RUN_MILLISECONDS)
    expect(learner).to_have_url(re.compile("tau="))
    learner.reload()
    _wait_for_the_end(learner)
    assert closed == []


def test_a_run_is_computed_by_a_worker_and_kept_on_disk(learner: Page, folder: Path) -> None:
    kept = set((folder / RESULTS_NAME).rglob("*.frame"))
    learner.goto(f"{NOTEBOOK}?seed=4321")
    _wait_for_the_end(learner)
    deadline = time.monotonic() + START_SECONDS
    while not (set((folder / RESULTS_NAME).rglob("*.frame")) - kept):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_file_that_a_notebook_offers_can_be_saved(learner: Page) -> None:
    learner.goto(NOTEBOOK)
    _wait_for_the_end(learner)
    learner.wait_for_timeout(1000)  # numbers are asked for by a name that a chart's next frame changes
    learner.get_by_role("button", name="Numbers").first.click()
    with learner.expect_download() as saved:
        learner.get_by_text("as CSV").first.click()
    assert len(saved.value.path().read_text().splitlines()) > 2


@pytest.mark.parametrize("path", ["/me", "/", NOTEBOOK])
def test_a_script_that_is_put_into_a_page_does_not_run(browser: Browser, address: str, ada: Page, path: str) -> None:
    context = browser.new_context(base_url=address)
    page = _join(context, ada.locator(".link a").first.get_attribute("href") or "")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(path)
    if path == NOTEBOOK:
        _wait_for_the_end(page)
    page.evaluate(
        """() => {
            const put = html => document.body.insertAdjacentHTML('beforeend', html);
            put('<img src="/nothing-here.png" onerror="window.ran = 1">');
            put('<iframe srcdoc="<script>parent.ran = 2</script>"></iframe>');
            put('<a id="bad" href="javascript:window.ran = 3">x</a>');
            document.getElementById('bad').click();
            put('<svg onload="window.ran = 4"></svg>');
            put('<form action="https://evil.example/" method="post"><button id="send">x</button></form>');
            document.getElementById('send').click();
        }"""
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran") is None
    assert page.url == address + path
    assert len([text for text in said if "Content Security Policy" in text]) >= 3
    context.close()


@pytest.mark.parametrize("viewport", [NARROW, {"width": 1280, "height": 900}], ids=["narrow", "wide"])
def test_our_pages_are_accessible_and_fit_the_screen(
    browser: Browser, ada: Page, learner: Page, viewport: dict[str, int]
) -> None:
    ada.set_viewport_size(viewport)  # type: ignore[arg-type]
    learner.set_viewport_size(viewport)  # type: ignore[arg-type]
    member = ada.locator(".rows a").first.get_attribute("href") if ada.locator(".rows a").count() else None
    pages = [(learner, path) for path in ("/", "/me", "/join", "/return", "/login")]
    pages += [(ada, path) for path in ("/classes", "/classes/1", member or "/classes")]
    for page, path in pages:
        page.goto(path)
        found = [violation for violation in Axe().run(page).response["violations"] if violation["impact"] != "minor"]
        assert not found, (path, [(violation["id"], violation["nodes"][0]["html"]) for violation in found])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    ada.goto("/classes/1")


def _join(context: BrowserContext, link: str) -> Page:
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Your name").fill("Lea")
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/me")
    return page


def _wait_for_the_end(page: Page) -> None:
    expect(page.locator(".lab-status")).to_have_attribute("data-state", "finished", timeout=RUN_MILLISECONDS)
    expect(page.locator("[data-chart='store_size'] svg")).to_be_visible(timeout=RUN_MILLISECONDS)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{address}/join")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"The classroom at {address} did not start.")
