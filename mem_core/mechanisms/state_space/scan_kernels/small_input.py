"""The small input that is looked into: its decays and its values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.state_space.scan_kernels.settings import CONSTANT, ONE_PULSE, PULSES, RANDOM, ScanSettings


@dataclass(frozen=True)
class SmallInput:
    """One sequence of one channel.

    Attributes:
        a: decays (1,L,1), in [0, 1].
        b: inputs (1,L,1).
    """

    a: Array
    b: Array

    @property
    def length(self) -> int:
        """L, in tokens."""
        return int(self.b.shape[1])


def small_input(settings: ScanSettings, engine: Engine, seed: int) -> SmallInput:
    """Make the input: a_t = decay^Δ_t with Δ_t = exp(variation · z_t), z_t standard normal; b_t by its kind."""
    noise = philox(seed, "step sizes").standard_normal(settings.length)
    decays = [settings.decay ** math.exp(settings.variation * z) for z in noise.tolist()]
    return SmallInput(_column(engine, decays), _column(engine, _values(settings, seed)))


def _values(settings: ScanSettings, seed: int) -> list[float]:
    length = settings.length
    if settings.kind == RANDOM:
        return [float(value) for value in philox(seed, "input").standard_normal(length)]
    pulses = {CONSTANT: range(length), ONE_PULSE: (0,), PULSES: (0, length // 2)}[settings.kind]
    return [1.0 if token in pulses else 0.0 for token in range(length)]


def _column(engine: Engine, values: list[float]) -> Array:
    return engine.asarray([[[value] for value in values]])
