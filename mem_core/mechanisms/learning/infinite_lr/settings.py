"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, SettingsError, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.training.continual_schedules import COOLDOWN_SHAPES
from mem_core.training.schedules import decay_length

INFINITE, COSINE = "infinite", "cosine"
SCHEDULES = (INFINITE, COSINE)
WORD_PAIRS, DIGITS = "word pairs", "digits"
SAME_DATA, AUTHORS = "same data", "authors"
NO_SWEEP, CONSTANT_SWEEP, PEAK_SWEEP = "off", "constant rate", "peak rate"

TASKS = 3
"""How many are learned, one after another."""
FLOOR_RATIO = 0.01
"""Lowest rate over the peak, at the end of every annealing and every cosine."""
REPLAYED_PART = 0.5
"""Of every batch from the second task on, where earlier examples are kept (authors' code: half new, half old)."""

MORE, TRAINING = "More about the schedules", "What is learned"


@dataclass(frozen=True)
class InfiniteSettings(Settings):
    """The choices behind one run."""

    constant_ratio: float = setting(
        0.15,
        Number(
            label="Constant rate over peak",
            help="The rate that the infinite schedule keeps. Higher learns the new task better and forgets more.",
            low=0.05,
            high=1,
            step=0.05,
        ),
    )
    rewarm_ratio: float = setting(
        1.0,
        Number(
            label="Re-warm peak of the cosine",
            help="How far the cosine warms up again for later tasks, over its first peak. Lower it: the spike shrinks.",
            low=0,
            high=1,
            step=0.05,
        ),
    )
    peak_rate: float = setting(
        0.03,
        Number(
            label="Peak learning rate",
            help="Of both schedules. Word pairs are learned well near 0.03, the digits near 0.001.",
            low=0.0003,
            high=0.1,
            scale="log",
        ),
    )
    overlap: float = setting(
        0.6,
        Number(
            label="Overlap of the languages",
            help="Share of every language that all have in common. More overlap, less to forget. Word pairs only.",
            low=0,
            high=1,
            step=0.05,
        ),
    )
    steps: int = setting(
        400,
        Whole(
            label="Steps for each task",
            unit="steps",
            help="How long each task is learned. The cosine must know this in advance; the infinite schedule need not.",
            low=100,
            high=800,
            step=20,
        ),
    )
    sweep: str = setting(
        NO_SWEEP,
        Choice(
            label="Sweep",
            help="Train more runs side by side, for several constant rates or several peaks; see the last chart.",
            options=(NO_SWEEP, CONSTANT_SWEEP, PEAK_SWEEP),
        ),
    )
    cooldown_fraction: float = setting(
        0.3,
        Number(
            group=MORE,
            label="Cool-down",
            unit="share of a task",
            help="How much of the first task the fall from the peak to the constant rate takes.",
            low=0.05,
            high=0.8,
            step=0.05,
        ),
    )
    cooldown_shape: str = setting(
        "cosine",
        Choice(
            group=MORE,
            label="Shape of the cool-down",
            help="Inverse sqrt falls fast at first and spends longer near the constant rate.",
            options=COOLDOWN_SHAPES,
        ),
    )
    anneal_fraction: float = setting(
        0.2,
        Number(
            group=MORE,
            label="Annealing",
            unit="share of a task",
            help="Last share of every task in which a copy is annealed for the checkpoint.",
            low=0.05,
            high=0.5,
            step=0.05,
        ),
    )
    warmup: int = setting(
        20,
        Whole(
            group=MORE,
            label="Warmup",
            unit="steps",
            help="Steps in which the rate climbs to the peak: once for infinite, in every task for the cosine.",
            low=0,
            high=100,
            step=5,
        ),
    )
    branch: str = setting(
        SAME_DATA,
        Choice(
            group=MORE,
            label="While a copy is annealed, the main branch",
            help="Same data: it trains on, on the same batches. Authors: it waits, and never sees the end of a task.",
            options=(SAME_DATA, AUTHORS),
        ),
    )
    task: str = setting(
        WORD_PAIRS,
        Choice(
            group=TRAINING,
            label="Tasks",
            help="Three languages of word pairs, or three groups of handwritten digits (needs scikit-learn).",
            options=(WORD_PAIRS, DIGITS),
        ),
    )
    replay_share: float = setting(
        0.0,
        Number(
            group=TRAINING,
            label="Replay",
            unit="share of each task",
            help="Share of every earlier task's examples that is kept; half of each later batch then comes from them.",
            low=0,
            high=0.5,
            step=0.05,
        ),
    )
    batch_size: int = setting(
        64,
        Whole(
            group=TRAINING,
            label="Batch size",
            unit="examples",
            help="Smaller batches give noisier gradients, and annealing gains more.",
            low=8,
            high=512,
            scale="log",
        ),
    )
    width: int = setting(
        128,
        Whole(
            group=TRAINING,
            label="Hidden units",
            unit="units",
            help="In each of the two layers of the network that fills in digits. Word pairs do not use it.",
            low=16,
            high=512,
            scale="log",
        ),
    )

    def check_together(self) -> None:
        """Check what depends on more than one setting.

        Raises:
            SettingsError: if annealing would begin before the cool-down has ended.
        """
        taken = self.warmup + self.cooldown_steps + self.anneal_steps
        if taken > self.steps:
            raise SettingsError(
                f"warmup, cooldown_fraction and anneal_fraction take {self.warmup} + {self.cooldown_steps} + "
                f"{self.anneal_steps} steps, but a task has {self.steps}: shorten one of them, for annealing begins "
                f"when the cool-down has ended."
            )

    @property
    def cooldown_steps(self) -> int:
        """Length of the cool-down."""
        return decay_length(self.steps, self.cooldown_fraction)

    @property
    def anneal_steps(self) -> int:
        """Length of each annealing."""
        return decay_length(self.steps, self.anneal_fraction)

    @property
    def replayed(self) -> int:
        """Examples of a batch that come from earlier tasks, from the second task on."""
        return round(REPLAYED_PART * self.batch_size) if self.replay_share else 0


_LAPTOP = InfiniteSettings(task=DIGITS, peak_rate=0.001, steps=600, batch_size=128, warmup=30)

PRESETS: Mapping[Tier, InfiniteSettings] = {
    "browser": InfiniteSettings(),
    "cpu": _LAPTOP,
    "gpu": _LAPTOP.changed(width=512, steps=800, batch_size=512),
}
"""The GPU tier fills in the same digits with a wider network, larger batches and longer tasks."""
