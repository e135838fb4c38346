"""A real server and a real Chromium for the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.real_browser import serving

# A page of a dozen charts takes its time on two cores that run the tests' other worker too.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Start the solo server on a free port and return its address."""
    with serving("server", "solo") as (address, _):
        yield address


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """Open an empty page whose errors fail the test."""
    opened = browser.new_page(base_url=site, viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert not errors, errors
