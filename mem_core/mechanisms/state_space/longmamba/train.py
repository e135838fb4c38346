"""Make the shipped weights: python -m mem_core.mechanisms.state_space.longmamba.train [--engine torch]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mem_core.engine import Engine, select
from mem_core.mechanisms.state_space.longmamba.models import MODELS, RECIPES, Task, trained
from mem_core.nn import checkpoint

FOLDER = Path(__file__).parent / "weights"


def make(engine: Engine, task: Task, seed: int, folder: Path) -> Path:
    """Train one model and write its weights and losses; return the file."""
    updates = list(trained(engine, task, seed))
    path = folder / f"{RECIPES[task].file}{seed}.npz"
    losses = engine.asarray([update.loss for update in updates])
    checkpoint.save(engine, {"params": updates[-1].params, "losses": losses}, path)
    return path


def main() -> None:
    """Train every model of both tasks."""
    parser = argparse.ArgumentParser(description="Train the models that are shipped with this mechanism.")
    parser.add_argument("--engine", default="auto", help="auto, numpy, torch or cuda")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files go")
    options = parser.parse_args()
    engine = select(options.engine)
    options.folder.mkdir(parents=True, exist_ok=True)
    for task in RECIPES:
        for seed in MODELS:
            sys.stdout.write(f"{make(engine, task, seed, options.folder)}\n")


if __name__ == "__main__":
    main()
