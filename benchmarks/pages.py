"""How long a learner waits after moving a control, and what that costs the server.

Run with `python -m benchmarks.pages [SLUG ...] [--json]`. For each notebook, at default settings, a slider is moved one
step by key, which also counts as letting it go, and the page is watched until the chart's description and its picture
have both changed. The same moves are then made in `plain_notebook.py`, which rebuilds its charts with Altair.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median

import psutil
from playwright.sync_api import Page

from benchmarks.real_browser import chromium, quantile, serving
from mem_core.__main__ import OneSentenceParser
from mem_core.mechanisms import catalog

MOVES = 8
"""To each side of the default value; every slider here has room for as many."""
SETTLE_MILLISECONDS = 400
LONGEST_MILLISECONDS = 60_000

# Which slider is moved, and which chart is watched.
WATCHED = {
    "memorybank": ("days", "store_size"),
    "river-valley": ("peak_rate", "loss"),
    "grokking-li2": ("weight_decay", "accuracy"),
    "longmamba": ("test_length", "accuracy"),
    "scan-kernels": ("decay", "states"),
    "infinite-lr": ("overlap", "first_task"),
    "titans": ("step_size", "ages"),
    "elm-neuron": ("tau_max", "forgetting"),
    "grok-or-not": ("corruption", "accuracy"),
    "few-shot-memory": ("new_rate", "retention"),
    "efficientvim": ("states", "costs"),
    "mixture-of-memories": ("items", "answer"),
    "synaptic-dampening": ("alpha", "sweep"),
    "hebbian-projection": ("size_factor", "first_task"),
    "stability-gap": ("new_weight", "curves"),
    "pmet": ("preservation", "lengths"),
    "clue": ("vote", "votes"),
    "a-memguard": ("trigger_weight", "attack"),
    "halumem": ("accept_interference", "scores"),
    "memory-in-llms": ("after_snapshot", "ageing"),
}

# Note the time of each key, then look at every frame until what the chart shows is different from before.
_WATCH = """chart => {
  const look = () => {
    const figure = document.querySelector(`[data-chart='${chart}']`);
    const svg = [...(figure?.querySelectorAll('*') ?? [])].map(e => e.shadowRoot?.querySelector('svg')).find(s => s)
      ?? figure?.querySelector('svg');
    const marks = svg?.querySelector('.mark-line path, .mark-symbol path, .mark-rect path')?.getAttribute('d');
    return figure && marks ? figure.querySelector('.lab-description').textContent + marks : null;
  };
  window.waitAfterKey = () => new Promise(done => {
    const before = look();
    let pressed = null;
    addEventListener('keydown', () => { pressed = performance.now(); }, { once: true, capture: true });
    const watch = () => {
      const now = look();
      if (pressed !== null && now !== null && now !== before) done(performance.now() - pressed);
      else requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
  });
}"""


@dataclass(frozen=True)
class Waits:
    """What one notebook measured; times in milliseconds, CPU per move."""

    mechanism: str
    median_ms: float
    p95_ms: float
    cached_median_ms: float
    server_cpu_ms: float
    plain_server_cpu_ms: float

    @property
    def cpu_ratio(self) -> float:
        """Our server CPU per move, as a share of the plain notebook's."""
        return self.server_cpu_ms / self.plain_server_cpu_ms


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the notebooks and print a table, or JSON with --json."""
    parser = OneSentenceParser(prog="pages", description="How long a learner waits after moving a control.")
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="all mechanisms if left out")
    parser.add_argument("--json", action="store_true", help="one object a line")
    options = parser.parse_args(arguments)
    unknown = [slug for slug in options.slugs if slug not in WATCHED]
    if unknown:
        parser.error(f"There is no page called {unknown[0]!r}; there are {', '.join(WATCHED)}.")
    heads = ("mechanism", "median", "p95", "cached", "server CPU", "plain CPU", "ratio")
    if not options.json:
        print("milliseconds from a control's release to the new chart, and of server CPU per move")
        print(f"{heads[0]:<16}" + "".join(f"{head:>12}" for head in heads[1:]))
    for slug in options.slugs or catalog.slugs():
        waits = measure(slug)
        if options.json:
            print(json.dumps(asdict(waits) | {"cpu_ratio": waits.cpu_ratio}), flush=True)
        else:
            times = (waits.median_ms, waits.p95_ms, waits.cached_median_ms)
            costs = (waits.server_cpu_ms, waits.plain_server_cpu_ms)
            print(f"{slug:<16}" + "".join(f"{value:>12.0f}" for value in times + costs) + f"{waits.cpu_ratio:>12.2f}")
    return 0


def measure(slug: str) -> Waits:
    """Move one notebook's slider to both sides of its default."""
    name, chart = WATCHED[slug]
    with serving("server", "solo") as (address, process), _page() as page:
        page.goto(f"{address}/{catalog.load(slug).family}/{slug}/")
        page.locator(".lab-status[data-state=finished]").wait_for(timeout=LONGEST_MILLISECONDS)
        page.wait_for_timeout(2000)
        page.evaluate(_WATCH, chart)
        page.locator(".lab-panel details").evaluate_all("folds => folds.forEach(fold => { fold.open = true; })")
        page.locator(f".lab-panel [data-control='{name}'] input[type=range]").focus()
        # Out and back on both sides of the default: out is new each time, back has been run already.
        right, right_cpu = _moves(page, "ArrowRight", process.pid)
        back, _ = _moves(page, "ArrowLeft", process.pid)
        left, left_cpu = _moves(page, "ArrowLeft", process.pid)
        again, _ = _moves(page, "ArrowRight", process.pid)
    new, cached = right + left, back + again
    cpu = (right_cpu + left_cpu) / 2
    return Waits(slug, median(new), quantile(new, 0.95), median(cached), cpu, plain_cpu(slug, name))


def plain_cpu(slug: str, name: str) -> float:
    """Make the same moves in the plain notebook and return its server's CPU per move, in milliseconds."""
    os.environ |= {"PLAIN_SLUG": slug, "PLAIN_SETTING": name}
    module = ("marimo", "run", "benchmarks/plain_notebook.py", "--headless", "--no-token")
    with serving(*module) as (address, process), _page() as page:
        page.goto(address)
        page.locator(".moved").wait_for(timeout=LONGEST_MILLISECONDS)
        page.wait_for_timeout(2000)
        slider = page.get_by_role("slider").first
        slider.focus()
        before = _cpu(process.pid)
        for _ in range(MOVES):
            shown = page.locator(".moved").inner_text()
            page.keyboard.press("ArrowRight")
            page.wait_for_function(
                "shown => document.querySelector('.moved')?.textContent !== shown",
                arg=shown,
                timeout=LONGEST_MILLISECONDS,
            )
            page.wait_for_timeout(SETTLE_MILLISECONDS)
        return 1000 * (_cpu(process.pid) - before) / MOVES


def _moves(page: Page, key: str, pid: int) -> tuple[list[float], float]:
    """Press a key several times; return the waits and the server's CPU per move, both in milliseconds."""
    before = _cpu(pid)
    waits = []
    for _ in range(MOVES):
        waiting = page.evaluate_handle("() => { window.waited = window.waitAfterKey(); }")
        page.keyboard.press(key)
        waits.append(float(page.evaluate("() => window.waited")))
        page.locator(".lab-status[data-state=finished]").wait_for(timeout=LONGEST_MILLISECONDS)
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        waiting.dispose()
    return waits, 1000 * (_cpu(pid) - before) / MOVES


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@contextmanager
def _page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        yield page
        page.close()


if __name__ == "__main__":
    sys.exit(main())
