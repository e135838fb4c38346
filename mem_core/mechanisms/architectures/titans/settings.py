"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, SettingsError, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.nn.neural_memory import DEPTHS, Gates

AFTER, BEFORE = "after writing", "before writing"
EVEN, LINEAR = "even", "linear"
SHIPPED, TRAIN_HERE = "shipped", "train here"

STREAM, DEPTH, OUTER = "The stream", "Is depth worth it?", "Learned gates"

LARGEST_MEMORIES = 60_000_000
"""Weights of all memories of one run, 240 MB in float32; their surprise and their steps are as large again."""


@dataclass(frozen=True)
class TitansSettings(Settings):
    """The choices behind one run: how the memory is written, what it reads, and two side experiments."""

    step_size: float = setting(
        0.1,
        Number(
            label="Step size θ",
            help="How far one token moves the memory. At 0.5 a single layer without momentum stores a pair exactly; "
            "above 1 it diverges. Two layers need about 0.01.",
            low=0.01,
            high=1.0,
            scale="log",
        ),
    )
    momentum: float = setting(
        0.8,
        Number(
            label="Surprise decay η",
            help="How much of the surprise lasts to the next token. A token's whole step is about θ/(1 − η), so more "
            "momentum also means larger steps.",
            low=0.0,
            high=0.95,
            step=0.05,
        ),
    )
    forget: float = setting(
        0.05,
        Number(
            label="Forget gate α",
            help="Share of the memory that every token takes away. At 0 it overfills; too high, and what was just "
            "stored is gone before it is read.",
            low=0.001,
            high=0.5,
            scale="log",
            also=(0.0,),
        ),
    )
    pairs: int = setting(
        120,
        Whole(
            label="Pairs",
            unit="tokens",
            help="How many pairs of a key and a value are read, one a token. Far more than the key's width, and "
            "something has to go.",
            low=16,
            high=16_384,
            scale="log",
        ),
    )
    shown: float = setting(
        1.0,
        Number(
            label="Weights shown after",
            unit="share of the stream",
            help="When to look at the weights: 0 after the first token, 1 at the end.",
            low=0.0,
            high=1.0,
            step=0.01,
        ),
    )
    burst: bool = setting(
        False,
        Switch(
            label="Surprise burst",
            help="Makes one value four times as long. Watch how long its surprise lasts, and what it overwrites.",
        ),
    )
    burst_place: float = setting(
        0.5,
        Number(
            group=STREAM,
            label="Place of the burst",
            unit="share of the stream",
            help="Where the long value stands: 0 is the first pair, 1 the last.",
            low=0.0,
            high=1.0,
            step=0.01,
        ),
    )
    depth: int = setting(
        1,
        Choice(
            group=STREAM,
            label="Layers of the memory",
            help="One layer is a matrix and starts empty. Two layers, with a hidden width of four times the key's, "
            "start random and need a much smaller θ and less forgetting.",
            options=DEPTHS,
        ),
    )
    chunk: int = setting(
        1,
        Choice(
            group=STREAM,
            label="Chunk",
            unit="tokens",
            help="Within a chunk every gradient is taken at the memory before it, so that all can be computed at once. "
            "Tokens of one chunk cannot correct one another.",
            options=(1, 4, 16, 64),
        ),
    )
    read: str = setting(
        AFTER,
        Choice(
            group=STREAM,
            label="Read",
            help="Whether the memory is read after the last token was written or before it. The paper leaves this "
            "open; before, the newest pair is not known yet.",
            options=(AFTER, BEFORE),
        ),
    )
    width: int = setting(
        16,
        Choice(
            group=STREAM,
            label="Width",
            unit="numbers",
            help="Numbers in a key and in a value. A matrix of this width stores about as many pairs without error, "
            "if their keys are orthogonal.",
            options=(8, 16, 32, 64, 128, 256),
        ),
    )
    streams: int = setting(
        20,
        Whole(
            group=STREAM,
            label="Streams",
            unit="streams",
            help="Every number is the mean over so many independent streams; more give smoother curves.",
            low=1,
            high=100,
        ),
    )
    target: str = setting(
        EVEN,
        Choice(
            group=DEPTH,
            label="What the value is of its key",
            help="Even: v depends on |k|, the same for k and −k, which no matrix can represent. Linear: a matrix "
            "can, and depth only costs time.",
            options=(EVEN, LINEAR),
        ),
    )
    depth_pairs: int = setting(
        1000,
        Whole(
            group=DEPTH,
            label="Pairs of the lesson",
            unit="pairs",
            help="How many pairs one layer and two layers learn from, before both are tested on pairs they never saw.",
            low=200,
            high=4000,
            step=100,
        ),
    )
    trained: str = setting(
        SHIPPED,
        Choice(
            group=OUTER,
            label="Weights of the trained layer",
            help="Use the weights that come with the page, or train the layer now (a quarter of a minute on a laptop).",
            options=(SHIPPED, TRAIN_HERE),
        ),
    )

    def check_together(self) -> None:
        """Check what depends on more than one setting.

        Raises:
            SettingsError: for a chunk longer than the stream, or memories that would not fit.
        """
        if self.chunk > self.pairs:
            raise SettingsError(f"chunk is {self.chunk}, but it must be at most the number of pairs, {self.pairs}.")
        layers = 1 if self.depth == 1 else 2 * HIDDEN_FACTOR
        if SWEPT_FORGET_COUNT * self.streams * layers * self.width**2 > LARGEST_MEMORIES:
            raise SettingsError(
                f"streams is {self.streams} at width {self.width} and depth {self.depth}, but the memories of one run "
                f"may have at most {LARGEST_MEMORIES} weights: lower streams or width."
            )

    @property
    def gates(self) -> Gates:
        """The gates of the memory, as set."""
        return Gates(forget=self.forget, momentum=self.momentum, step_size=self.step_size)


HIDDEN_FACTOR = 4
"""Hidden width of a deep memory over the width of a key."""
SWEPT_FORGET = (0.0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Forget gates of the sweep."""
SWEPT_FORGET_COUNT = 1 + len(SWEPT_FORGET)
"""Memories of one curve of the sweep: the one that is set is added."""
SWEPT_MOMENTUM = (0.0, 0.4, 0.8, 0.9)
"""Surprise decays of the sweep, a curve for each."""

PRESETS: Mapping[Tier, TitansSettings] = {
    "browser": TitansSettings(),
    "cpu": TitansSettings(streams=100, depth_pairs=1600, trained=TRAIN_HERE),
    "gpu": TitansSettings(width=256, pairs=4096, chunk=64, depth_pairs=4000, trained=TRAIN_HERE),
}
"""The GPU tier reads 4096 pairs of width 256 in chunks of 64."""
