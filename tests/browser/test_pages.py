"""Every notebook as a learner meets it: opened from the gallery, moved, read, restored."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from mem_core.mechanisms import catalog

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SLUGS = catalog.slugs()
RUN_MILLISECONDS = 60_000
"""Long enough for the longest default run on two busy cores."""
SETTLE_MILLISECONDS = 1000
"""The cells of one change are shown one after the other; by then the last has come."""


@dataclass(frozen=True)
class Move:
    """A control whose change every chart reader would notice, and the chart that shows it."""

    control: str
    chart: str


MOVES = {
    "memorybank": Move("tau", "store_size"),
    "river-valley": Move("peak_rate", "loss"),
    "grokking-li2": Move("weight_decay", "accuracy"),
    "longmamba": Move("test_length", "accuracy"),
    "scan-kernels": Move("length", "tree_steps"),
    "infinite-lr": Move("constant_ratio", "first_task"),
    "titans": Move("forget", "ages"),
    "elm-neuron": Move("tau_max", "forgetting"),
    "grok-or-not": Move("weight_decay", "accuracy"),
    "few-shot-memory": Move("new_rate", "retention"),
    "efficientvim": Move("states", "sweep"),
    "mixture-of-memories": Move("items", "answer"),
    "synaptic-dampening": Move("alpha", "sweep"),
    "hebbian-projection": Move("size_factor", "matrix"),
    "stability-gap": Move("new_weight", "curves"),
    "pmet": Move("edits", "facts"),
    "clue": Move("vote", "votes"),
    "a-memguard": Move("n_poison", "attack"),
    "halumem": Move("miss", "scores"),
    "memory-in-llms": Move("after_snapshot", "ageing"),
}

# A setting, and a value of it, after which a claim of this very run reads differently; None is a click on a box.
CLAIM_MOVES = {
    "memorybank": ("hold_out", None),
    "river-valley": ("peak_rate", "4"),
    "grokking-li2": ("weight_decay", "0.001"),
    "longmamba": ("test_length", "512"),
    "scan-kernels": ("length", "32"),
    "infinite-lr": ("constant_ratio", "1"),
    "titans": ("step_size", "0.5"),
    "elm-neuron": ("delay", "80"),
    "grok-or-not": ("weight_decay", "10"),
    "few-shot-memory": ("new_rate", "0.015"),
    "efficientvim": ("timed_pictures", "8"),
    "mixture-of-memories": ("memories", "2"),
    "synaptic-dampening": ("alpha", "12"),
    "hebbian-projection": ("step", "0.001"),
    "stability-gap": ("new_weight", "0.9"),
    "pmet": ("edits", "16"),
    "clue": ("experience", "10"),
    "a-memguard": ("n_poison", "8"),
    "halumem": ("corrupt", "0.5"),
    "memory-in-llms": ("after_snapshot", "0.5"),
}


def open_notebook(page: Page, slug: str, query: str = "") -> None:
    page.goto(f"/{catalog.load(slug).family}/{slug}/{query}")
    wait_for_the_end(page)
    expect(page.locator("[data-chart] svg")).to_have_count(len(catalog.load(slug).charts), timeout=RUN_MILLISECONDS)
    expect(page.locator(".lab-panel [data-control='seed']")).to_be_visible()  # the controls are there, folds and all


def wait_for_the_end(page: Page) -> None:
    expect(page.locator(".lab-status")).to_have_attribute("data-state", "finished", timeout=RUN_MILLISECONDS)


def control(page: Page, name: str) -> Locator:
    """Find a control, unfolding the group that it is in."""
    found = page.locator(f".lab-panel [data-control='{name}']")
    fold = page.locator(f".lab-panel details:not([open]):has([data-control='{name}']) summary")
    if fold.count():
        fold.click()
    return found


def slider(page: Page, name: str) -> Locator:
    return control(page, name).locator("input[type=range]")


def entry(page: Page, name: str) -> Locator:
    return control(page, name).locator("input[type=text]")


def place(page: Page, name: str) -> float:
    """Return where a slider stands, as a share of its width."""
    moved = slider(page, name)
    return int(moved.input_value()) / int(moved.get_attribute("max") or 1)


def drag(page: Page, name: str, start: float, end: float) -> None:
    """Drag a slider with the mouse from one share of its width to another."""
    moved = slider(page, name)
    moved.scroll_into_view_if_needed()
    box = moved.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()


def described(page: Page, chart: str) -> Locator:
    return page.locator(f"[data-chart='{chart}'] .lab-description")


def drawn(page: Page, chart: str) -> str:
    return page.locator(f"[data-chart='{chart}'] svg").first.inner_html()


def expect_another_drawing(page: Page, chart: str, before: str) -> None:
    """Vega draws after the words beside the chart have changed, in its own time."""
    page.wait_for_function(
        "([chart, before]) => document.querySelector(`[data-chart='${chart}'] svg`)?.innerHTML !== before",
        arg=[chart, before],
        timeout=RUN_MILLISECONDS,
    )


def claims(page: Page) -> str:
    return page.locator(".lab-claims").inner_text()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_notebook_opens_from_the_gallery_with_all_its_charts_claims_and_the_exercise(page: Page, slug: str) -> None:
    mechanism = catalog.load(slug)
    page.goto("/")
    page.get_by_role("link", name=mechanism.name).click()
    wait_for_the_end(page)
    for chart in mechanism.charts:
        expect(
            page.locator(f"[data-chart='{chart.key}'] svg.marks, [data-chart='{chart.key}'] svg").first
        ).to_be_visible()
        assert described(page, chart.key).inner_text().endswith(".")
    for claim in mechanism.claims:
        expect(page.locator(f"[data-claim='{claim.key}']")).to_be_visible()
    expect(page.get_by_role("button", name="Check my answer")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("arXiv")).first).to_be_visible()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_key_on_a_slider_changes_chart_description_and_claims(page: Page, slug: str) -> None:
    move = MOVES[slug]
    open_notebook(page, slug)
    before = described(page, move.chart).inner_text(), drawn(page, move.chart)
    moved = slider(page, move.control)
    moved.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(described(page, move.chart)).not_to_have_text(before[0], timeout=RUN_MILLISECONDS)
    wait_for_the_end(page)
    expect_another_drawing(page, move.chart, before[1])
    assert moved.get_attribute("aria-valuetext").startswith(entry(page, move.control).input_value())  # type: ignore[union-attr]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_changed_setting_changes_what_the_run_says_of_the_claims(page: Page, slug: str) -> None:
    open_notebook(page, slug)
    before = claims(page)
    name, value = CLAIM_MOVES[slug]
    changed = control(page, name)
    if value is None:
        changed.locator("input[type=checkbox]").click()
    else:
        changed.locator("input[type=text]").fill(value)
        changed.locator("input[type=text]").press("Enter")
    expect(page.locator(".lab-claims")).not_to_have_text(before, timeout=RUN_MILLISECONDS, use_inner_text=True)
    wait_for_the_end(page)
    verdicts = page.locator(".lab-claims .lab-badge")
    expect(verdicts).not_to_have_count(0)  # the table is drawn anew with the last frame
    assert set(verdicts.all_inner_texts()) <= {"✓ holds", "✗ not here", "–"}


@pytest.mark.parametrize("slug", SLUGS)
def test_a_drag_with_the_mouse_changes_the_chart(page: Page, slug: str) -> None:
    move = MOVES[slug]
    open_notebook(page, slug)
    before, value = described(page, move.chart).inner_text(), entry(page, move.control).input_value()
    drag(page, move.control, 0.45, 0.3 if place(page, move.control) > 0.5 else 0.6)
    assert entry(page, move.control).input_value() != value
    expect(described(page, move.chart)).not_to_have_text(before, timeout=RUN_MILLISECONDS)
    wait_for_the_end(page)


def test_a_slider_let_go_where_it_stood_runs_with_the_value_it_then_shows(page: Page) -> None:
    open_notebook(page, "synaptic-dampening")
    assert entry(page, "alpha").input_value() == "3"  # between two places of the slider
    drag(page, "alpha", 0.4, place(page, "alpha"))
    value = entry(page, "alpha").input_value()
    assert value != "3"
    expect(page).to_have_url(re.compile(f"alpha={re.escape(value)}"))


@pytest.mark.parametrize("slug", SLUGS)
def test_the_address_restores_controls_seed_and_result(page: Page, slug: str) -> None:
    move = MOVES[slug]
    open_notebook(page, slug)
    slider(page, move.control).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    entry(page, "seed").fill("5")
    entry(page, "seed").press("Enter")
    expect(page).to_have_url(re.compile("seed=5"))
    expect(page.locator(".lab-link")).to_have_attribute("href", re.compile("seed=5"))  # the status is that run's
    wait_for_the_end(page)
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    value, words, address = entry(page, move.control).input_value(), described(page, move.chart).inner_text(), page.url
    assert f"{move.control}=" in address
    page.goto("about:blank")
    page.goto(address)
    wait_for_the_end(page)
    assert entry(page, move.control).input_value() == value
    assert entry(page, "seed").input_value() == "5"
    expect(described(page, move.chart)).to_have_text(words)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("slug", ["gallery", *SLUGS])
def test_axe_finds_nothing_serious_and_nothing_overflows(
    browser: Browser, site: str, slug: str, width: int, scheme: str
) -> None:
    page = browser.new_page(base_url=site, viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    if slug == "gallery":
        page.goto("/")
    else:
        open_notebook(page, slug)
    found = Axe().run(page).response["violations"]
    serious = [(item["id"], item["nodes"][0]["html"]) for item in found if item["impact"] in ("serious", "critical")]
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.close()
    assert not serious
    assert overflow <= 0


@pytest.mark.parametrize(
    ("text", "words"), [("1e9", "must be"), ("nan", "must be"), ("", "is empty"), ("x", "must be")]
)
def test_a_typed_value_that_cannot_be_used_is_explained_and_the_result_stays(page: Page, text: str, words: str) -> None:
    move = MOVES["river-valley"]
    open_notebook(page, "river-valley")
    before = described(page, move.chart).inner_text()
    field = entry(page, move.control)
    field.fill(text)
    field.press("Enter")
    problem = control(page, move.control).locator(".lab-problem")
    expect(problem).to_contain_text(words)
    expect(problem).to_contain_text("a number from")
    assert described(page, move.chart).inner_text() == before


def test_settings_that_do_not_fit_together_are_explained_and_the_result_stays(page: Page) -> None:
    open_notebook(page, "river-valley")
    before = described(page, "loss").inner_text()
    field = entry(page, "budgets")
    field.fill("900,500,100")
    field.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="budgets is '900,500,100'")).to_contain_text(
        "increasing whole numbers"
    )
    assert described(page, "loss").inner_text() == before
    field.fill("400,1000,2000")
    field.press("Enter")
    expect(page.locator(".lab-callout.danger")).to_have_count(0)


@pytest.mark.parametrize("query", ["?seed=abc", "?tau=99", "?nonsense=1", "?days=%00"])
def test_a_malformed_link_is_explained_and_the_page_starts_from_its_defaults(page: Page, query: str) -> None:
    open_notebook(page, "memorybank", query)
    expect(page.get_by_role("alert").filter(has_text="This link could not be read")).to_be_visible()
    assert entry(page, "tau").input_value() == "1"


def test_a_pinned_run_stays_beside_the_next_one_and_can_be_removed(page: Page) -> None:
    open_notebook(page, "river-valley")
    lines = page.locator("[data-chart='loss'] svg .mark-line path")
    expect(lines).not_to_have_count(0)
    once = lines.count()
    page.get_by_role("button", name="Pin this run").click()
    entry(page, "peak_rate").fill("4")
    entry(page, "peak_rate").press("Enter")
    expect(lines).to_have_count(2 * once)
    page.get_by_role("button", name="Remove what is pinned").click()
    expect(lines).to_have_count(once)


def test_a_long_run_shows_its_progress_can_be_stopped_and_keeps_what_it_had(page: Page) -> None:
    # Some 40 s of work here: on no machine is it over before the button has been found.
    page.goto("/learning/grokking-li2/?modulus=31&hidden=512&networks=15&steps=1000")
    expect(page.get_by_role("progressbar", name="Progress of the run")).to_be_visible()
    expect(described(page, "accuracy")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".lab-status")).to_have_attribute("data-state", "stopped")
    expect(page.locator(".lab-status")).to_contain_text("Stopped in")
    assert described(page, "accuracy").inner_text()


def test_the_numbers_behind_a_chart_can_be_read_and_downloaded(page: Page) -> None:
    open_notebook(page, "river-valley")
    page.wait_for_timeout(SETTLE_MILLISECONDS)  # numbers are asked for by a name that a chart's next frame changes
    page.get_by_role("button", name="Numbers").first.click()
    expect(page.get_by_role("region", name=re.compile("^Table")).first).to_contain_text("step")
    with page.expect_download() as download:
        page.get_by_text("as CSV").first.click()
    text = download.value.path().read_text()
    assert "step" in text.splitlines()[0]
    assert len(text.splitlines()) > 20


def test_claims_that_need_more_runs_are_measured_on_a_button(page: Page) -> None:
    open_notebook(page, "river-valley")
    waiting = page.locator("[data-claim]").filter(has_text=re.compile(r"needs \d+ run"))
    assert waiting.count() > 0
    page.get_by_role("button", name=re.compile("^Measure the other")).click()
    expect(waiting).to_have_count(0, timeout=RUN_MILLISECONDS)
    expect(page.locator("[data-claim]").filter(has_text=re.compile("measuring"))).to_have_count(
        0, timeout=RUN_MILLISECONDS
    )


def test_a_learners_own_measurements_are_fitted_and_a_broken_file_is_explained(page: Page) -> None:
    open_notebook(page, "memorybank")
    before = described(page, "fit_curves").inner_text()
    field = control(page, "measurements").locator("textarea")
    field.fill("delay_hours,retention\n1,0.9\n24,0.7\n48,0.6\n96,0.55\n240,0.5\n480,0.45\n")
    field.blur()
    expect(described(page, "fit_curves")).not_to_have_text(before, timeout=RUN_MILLISECONDS)
    after = described(page, "fit_curves").inner_text()
    field.fill("delay_hours,retention\n1,0.9\n24,much\n")
    field.blur()
    expect(page.get_by_role("alert").filter(has_text="line 3")).to_be_visible()
    assert described(page, "fit_curves").inner_text() == after


def test_an_uploaded_file_that_is_too_large_is_refused_in_the_page(page: Page) -> None:
    open_notebook(page, "memorybank")
    upload = control(page, "measurements").locator("input[type=file]")
    rows = b"delay_days,retention\n" + b"1,0.5\n" * 1_700_000
    upload.set_input_files({"name": "big.csv", "mimeType": "text/csv", "buffer": rows})
    problem = control(page, "measurements").locator(".lab-problem")
    expect(problem).to_contain_text("10.2 MB, but it must be at most 200 kB")


@pytest.mark.parametrize("slug", SLUGS)
def test_an_answer_is_graded_on_a_fresh_run(page: Page, slug: str) -> None:
    open_notebook(page, slug)
    page.get_by_role("button", name="Check my answer").click()
    verdict = page.get_by_role("status").filter(has_text=re.compile("^(Correct|Not yet)"))
    expect(verdict).to_be_visible(timeout=2 * RUN_MILLISECONDS)


def test_the_same_run_can_be_compared_on_every_engine(page: Page) -> None:
    open_notebook(page, "longmamba")
    page.get_by_role("button", name="Run these settings on numpy and torch").click()
    row = page.get_by_role("row").filter(has_text="torch")
    expect(row).to_be_visible(timeout=RUN_MILLISECONDS)
    assert float(row.get_by_role("cell").nth(2).inner_text().split(" ")[0]) < 0.01
