"""Make the recorded sweep: python -m mem_core.mechanisms.state_space.efficientvim.record [--engine numpy]."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from mem_core.engine import Engine, select
from mem_core.mechanisms.state_space.efficientvim.recording import (
    CHANNELS,
    FILE,
    SEEDS,
    STATES,
    Measured,
    Recording,
    dump,
)
from mem_core.mechanisms.state_space.efficientvim.settings import PRESETS, HiddenStateMixerSettings
from mem_core.mechanisms.state_space.efficientvim.training import FULL_EPOCHS, final_score, pictures

COMMAND = "python -m mem_core.mechanisms.state_space.efficientvim.record"


def sweep(engine: Engine, settings: HiddenStateMixerSettings) -> Iterator[Measured]:
    """Train a model for every number of channels, of states, and every seed."""
    data = pictures(engine)
    for channels in CHANNELS:
        for states in STATES:
            recipe = settings.changed(channels=channels).recipe_for(states)
            for seed in SEEDS:
                yield Measured(channels, states, seed, final_score(engine, recipe, seed, *data).accuracy)


def main() -> None:
    """Train all models and write the recording."""
    parser = argparse.ArgumentParser(description="Record the accuracy over states and channels for this mechanism.")
    parser.add_argument("--engine", default="numpy", help="auto, numpy, torch or cuda")
    parser.add_argument("--file", type=Path, default=Path(__file__).with_name(FILE), help="where the recording goes")
    options = parser.parse_args()
    engine, settings = select(options.engine), PRESETS["browser"].changed(epochs=FULL_EPOCHS)
    measured = []
    for one in sweep(engine, settings):
        measured.append(one)
        sys.stdout.write(f"D={one.channels} N={one.states} seed {one.seed}: {one.accuracy:.3f}\n")
        sys.stdout.flush()
    texts = {name: settings.formatted()[name] for name in ("mixer", "fusion", "blocks", "epochs", "learning_rate")}
    command = f"{COMMAND} --engine {options.engine}"
    recording = Recording(date.today().isoformat(), engine.badge, command, texts, tuple(measured))
    options.file.write_text(dump(recording), encoding="utf-8")


if __name__ == "__main__":
    main()
