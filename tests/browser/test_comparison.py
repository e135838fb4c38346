"""The page that lays retention curves over one another, as a learner meets it."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TWO = "?with=Scan+filters%2CForgetting+curves"


def open_comparison(page: Page, query: str = TWO) -> None:
    page.goto(f"/compare/{query}")
    expect(page.locator(".lab-status")).to_have_attribute("data-state", "finished", timeout=60_000)
    expect(page.locator("[data-chart] svg")).to_have_count(2)


def test_the_curves_of_two_mechanisms_lie_over_one_another_and_follow_their_controls(page: Page) -> None:
    open_comparison(page)
    names = page.locator("[data-chart='shape'] svg text")
    for name in ("Scan filters (tokens)", "Forgetting curves (days)", "exponential"):
        expect(names.filter(has_text=name)).to_have_count(1)
    described = page.locator("[data-chart='own_clock'] .lab-description")
    before = described.inner_text()
    page.locator("summary", has_text="Scan filters").click()
    length = page.locator("[data-control='test_length'] input[type=text]")
    length.fill("512")
    length.press("Enter")
    expect(described).not_to_have_text(before)
    page.locator("summary", has_text="Forgetting curves").click()
    assert length.input_value() == "512"


def test_another_mechanism_joins_by_its_box_and_the_address_remembers_it(page: Page) -> None:
    open_comparison(page)
    boxes = page.locator("[data-control='with'] input[type=checkbox]")
    other = next(box for box in boxes.all() if not box.is_checked())
    name = str(other.get_attribute("value"))
    other.click()
    expect(page.get_by_role("row").filter(has_text=name)).to_be_visible()
    page.reload()
    expect(page.get_by_role("row").filter(has_text=name)).to_be_visible(timeout=60_000)


def test_fewer_than_two_are_refused_with_a_sentence(page: Page) -> None:
    open_comparison(page)
    page.locator("[data-control='with'] input:checked").first.click()
    expect(page.locator("[data-control='with'] .lab-problem")).to_contain_text("must be at least 2 of")
    expect(page.locator("[data-chart] svg")).to_have_count(2)


def test_a_malformed_link_is_explained(page: Page) -> None:
    page.goto("/compare/?with=nothing")
    expect(page.get_by_role("alert").filter(has_text="This link could not be read")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_comparison_is_accessible_and_fits(page: Page, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    open_comparison(page)
    found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert not found, [one["id"] for one in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
