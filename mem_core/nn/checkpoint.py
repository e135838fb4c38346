"""Parameters as a file: nested dicts of arrays in NumPy's `.npz` format, the same for every engine."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from mem_core.engine import Engine

SEPARATOR = "/"
"""Between the keys of nested dicts, in the names inside the file."""


def save(engine: Engine, params: dict[str, Any], path: Path) -> None:
    """Write nested dicts of arrays as float32; the same parameters give the same bytes.

    Raises:
        ValueError: if a key holds the separator.
    """
    with path.open("wb") as file:
        np.savez_compressed(file, **_flat(engine, params))


def load(engine: Engine, content: bytes) -> dict[str, Any]:
    """Read what `save` wrote, from the bytes of the file, into arrays of the engine."""
    params: dict[str, Any] = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        for name in stored.files:
            *folders, key = name.split(SEPARATOR)
            place = params
            for folder in folders:
                place = place.setdefault(folder, {})
            place[key] = engine.asarray(stored[name])
    return params


def _flat(engine: Engine, params: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in params.items():
        if SEPARATOR in key:
            raise ValueError(f"the key {key!r} holds {SEPARATOR!r}, which separates keys in the file.")
        if isinstance(value, dict):
            found |= _flat(engine, value, f"{prefix}{key}{SEPARATOR}")
        else:
            found[prefix + key] = engine.to_numpy(value).astype(np.float32)
    return found
