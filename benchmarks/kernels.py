"""How fast the kernels are on this machine, written down.

Run with `python -m benchmarks.kernels [--device numpy|cpu|cuda]`. Measures as `python -m mem_core bench kernels` does,
writes the rows to `benchmarks/kernels.json`, with the machine, versions, date and commit, and the tables to
`benchmarks/README.md`. What was measured before on other devices stays.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mem_core.engine import EngineError
from mem_core.kernels.benchmark import Device, Row, Start, devices_here, measure, report

FOLDER = Path(__file__).parent
RESULTS, PAGE = FOLDER / "kernels.json", FOLDER / "README.md"
BEGINS, ENDS = "<!-- kernels: the tables begin -->", "<!-- kernels: the tables end -->"
TITLES: Mapping[Device, str] = {"cuda": "On a GPU", "cpu": "PyTorch on a CPU", "numpy": "NumPy"}
LIBRARIES = ("torch", "triton", "numpy", "autograd")

Results = dict[str, dict[str, Any]]


def main(arguments: list[str] | None = None) -> int:
    """Measure, write results and page, and return the exit code: 1 if a kernel failed, 2 for bad input."""
    parser = argparse.ArgumentParser(prog="benchmarks.kernels", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--device", choices=TITLES, help="all that are here if left out")
    chosen: Device | None = parser.parse_args(arguments).device
    results: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    failed = False
    for device in [chosen] if chosen else devices_here():
        about = machine(device)
        try:
            run = measure(device)
        except EngineError as error:
            print(f"benchmarks.kernels: {error}", file=sys.stderr)
            return 2
        for text in report.as_text(run):
            print(text, flush=True)
        about["load_after"] = load()
        results[device] = {**about, **run.start.as_plain(), "rows": [row.as_plain() for row in run.rows]}
        failed |= run.failed
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(with_tables(PAGE.read_text(), results))
    return 1 if failed else 0


def machine(device: Device) -> dict[str, Any]:
    """Describe the machine, the versions, the day and the commit."""
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            versions[library] = "none"
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "gpu": _gpu(device),
        "versions": versions,
        "load_before": load(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit(),
    }


def load() -> float:
    """Return how many programs wanted to run during the last minute, this one among them."""
    return round(os.getloadavg()[0], 1)


def commit() -> str:
    """Return the commit the code is at, with -dirty if the code that git knows differs from it; unknown without git."""
    try:
        head = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--", "mem_core", "benchmarks/kernels.py")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-dirty" if changed else head


def with_tables(page: str, results: Results) -> str:
    """Return a page with the tables of the results between its two marks, and nothing else changed.

    Raises:
        ValueError: if the page does not hold both marks, in order and once.
    """
    before, begins, rest = page.partition(BEGINS)
    old, ends, after = rest.partition(ENDS)
    if not begins or not ends or BEGINS in old + after or ENDS in before + after:
        raise ValueError(f"The page needs {BEGINS!r} and below it {ENDS!r}, once each.")
    tables = "\n\n".join(_section(TITLES[device], results[device]) for device in TITLES if device in results)
    return f"{before}{BEGINS}\n\n{tables}\n\n{ENDS}{after}"


def _section(title: str, found: dict[str, Any]) -> str:
    versions = ", ".join(f"{library} {version}" for library, version in found["versions"].items() if version != "none")
    place = found["machine"] if found["gpu"] == "none" else f"{found['gpu']}, {found['machine']}"
    others = "".join(f", {name} {version}" for name, version in found["peers"].items())
    # A processor that others use gives worse figures, and not worse for everyone alike.
    busy = f"load {found['load_before']} before and {found['load_after']} after"
    about = f"{place}, {busy}; {versions}{others}; {found['date']}, commit `{found['commit']}`."
    rows = [Row(**row) for row in found["rows"]]
    return f"### {title}\n\n{about}\n\n{report.markdown(Start.from_plain(found), rows)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _gpu(device: Device) -> str:
    if device != "cuda" or device not in devices_here():
        return "none"
    import torch

    return str(torch.cuda.get_device_name())


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=FOLDER.parent, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
