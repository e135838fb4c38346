"""What a learner can change, and the settings of the three tiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from mem_core.mechanisms.architectures.elm_neuron.recipes import RECIPES, SMALL, STANDARD
from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, SettingsError, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.nn.elm_neuron import ElmShape, ElmTiming, Version

OFF = "off"
DENDRITES = "Dendrites and synapses"
BRANCHES = 4
"""Branches when they are on: three synapses on each in the first experiment."""


@dataclass(frozen=True)
class ElmSettings(Settings):
    """The choices behind one run: one neuron, one delay."""

    tau_max: float = setting(
        100.0,
        Number(
            label="Slowest unit τmax",
            unit="ms",
            help="Time constant of the slowest memory unit. Raise it and the forgetting curve moves to the right.",
            low=2,
            high=500,
            scale="log",
        ),
    )
    tau_min: float = setting(
        1.0,
        Number(
            label="Fastest unit τmin",
            unit="ms",
            help="Time constant of the fastest memory unit; the others lie between, evenly on a logarithmic scale. "
            "A neuron of one unit has only this one.",
            low=1,
            high=20,
            step=0.5,
        ),
    )
    units: int = setting(
        16,
        Whole(
            label="Memory units",
            unit="units",
            help="How many units leak side by side. More of them lift the forgetting curve.",
            low=1,
            high=128,
            scale="log",
        ),
    )
    delay: int = setting(
        40,
        Whole(
            label="Delay D",
            unit="ms",
            help="Time without a burst before the memory is read, or before the second burst comes.",
            low=0,
            high=160,
            step=4,
        ),
    )
    strength: float = setting(
        5.0,
        Number(
            label="Write strength λ",
            help="How strongly the dendrites write. Too small, and the memory hardly moves.",
            low=0.5,
            high=10,
            step=0.5,
        ),
    )
    feedback: bool = setting(
        True,
        Switch(
            label="Dendrites read the memory",
            help="Off, the memory is passive: nothing can be written again before it has leaked away, and each unit "
            "fades as its τ says.",
        ),
    )
    training: str = setting(
        SMALL,
        Choice(
            label="Train on adding two bursts",
            help="Small: 12 channels, 150 steps. Standard: 20 channels, less reliable spikes, 300 steps. Large: 700 "
            "channels and 1000 time steps, as long as two spoken digits; hours without a GPU.",
            options=(OFF, *RECIPES),
        ),
    )
    tau_synapse: float = setting(
        5.0,
        Number(
            group=DENDRITES,
            label="Synapse τs",
            unit="ms",
            help="How long a spike is felt at its synapse. Long ones smear a burst, and carry it over short delays.",
            low=1,
            high=20,
            step=1,
        ),
    )
    version: str = setting(
        "v1",
        Choice(
            group=DENDRITES,
            label="Version",
            help="v1 writes λ(1 − κ) of what the dendrites propose, v2 writes 1 − κ^λ, which is never more than all.",
            options=("v1", "v2"),
        ),
    )
    branches: bool = setting(
        False,
        Switch(
            group=DENDRITES,
            label="Branches",
            help="On, the dendrites see only the sum over each of 4 branches and no longer which synapse was active.",
        ),
    )

    def check_together(self) -> None:
        """Check what depends on more than one setting.

        Raises:
            SettingsError: if the slowest unit is not slower than the fastest.
        """
        if self.tau_max <= self.tau_min:
            raise SettingsError(
                f"tau_max is {self.tau_max:g} ms, but it must be above tau_min, which is {self.tau_min:g} ms."
            )

    def timing(self, tau_max: float | None = None, step: float = 1.0) -> ElmTiming:
        """Return the speeds of the neuron, or of the same neuron with another slowest unit."""
        return ElmTiming(
            tau_min=self.tau_min,
            tau_max=self.tau_max if tau_max is None else tau_max,
            strength=self.strength,
            step=step,
            version=cast(Version, self.version),  # its control admits no other
        )

    def shape(self, channels: int, outputs: int, units: int | None = None) -> ElmShape:
        """Return the sizes of the neuron, or of the same neuron with another number of units."""
        branches = BRANCHES if self.branches else None
        return ElmShape(channels=channels, units=units or self.units, outputs=outputs, branches=branches)

    def tau_maxes(self, others: tuple[float, ...]) -> list[float]:
        """List the neuron's own slowest time constant, and then the others that differ and that it can have."""
        return [
            self.tau_max,
            *(tau for tau in others if tau not in (self.tau_max, self.tau_min) and tau > self.tau_min),
        ]


PRESETS: Mapping[Tier, ElmSettings] = {
    "browser": ElmSettings(),
    "cpu": ElmSettings(training=STANDARD),
    "gpu": ElmSettings(units=100, tau_max=500.0, training="large"),
}
