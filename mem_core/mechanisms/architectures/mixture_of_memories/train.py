"""Make the shipped weights: python -m mem_core.mechanisms.architectures.mixture_of_memories.train [--engine torch]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mem_core.engine import Engine, select
from mem_core.mechanisms.architectures.mixture_of_memories.settings import MixtureSettings
from mem_core.mechanisms.architectures.mixture_of_memories.training import AS_SHIPPED, FILE, trained
from mem_core.nn import checkpoint

FOLDER = Path(__file__).parent / "weights"
SEED = 0


def make(engine: Engine, settings: MixtureSettings, folder: Path) -> Path:
    """Train a layer for each kind of memory and write weights and losses; return the file."""
    layers: dict[str, Any] = {}
    for arm in settings.layer_arms:
        updates = list(trained(settings, engine, SEED, arm))
        losses = engine.asarray([update.loss for update in updates])
        layers[arm] = {"params": updates[-1].params, "losses": losses}
    checkpoint.save(engine, layers, folder / FILE)
    return folder / FILE


def main() -> None:
    """Train all layers once."""
    parser = argparse.ArgumentParser(description="Train the layers that are shipped with this mechanism.")
    parser.add_argument("--engine", default="auto", help="auto, numpy, torch or cuda")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the file goes")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{make(select(options.engine), AS_SHIPPED, options.folder)}\n")


if __name__ == "__main__":
    main()
