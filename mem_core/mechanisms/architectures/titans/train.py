"""Make the shipped weights: python -m mem_core.mechanisms.architectures.titans.train [--engine torch]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mem_core.engine import Engine, select
from mem_core.mechanisms.architectures.titans.outer import FILE, trained
from mem_core.nn import checkpoint

FOLDER = Path(__file__).parent / "weights"
SEED = 0


def make(engine: Engine, folder: Path) -> Path:
    """Train the layer and write its weights and losses; return the file."""
    updates = list(trained(engine, SEED))
    losses = engine.asarray([update.loss for update in updates])
    checkpoint.save(engine, {"params": updates[-1].params, "losses": losses}, folder / FILE)
    return folder / FILE


def main() -> None:
    """Train the layer once."""
    parser = argparse.ArgumentParser(description="Train the layer that is shipped with this mechanism.")
    parser.add_argument("--engine", default="auto", help="auto, numpy, torch or cuda")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the file goes")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{make(select(options.engine), options.folder)}\n")


if __name__ == "__main__":
    main()
