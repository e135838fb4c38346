"""What a learner can change, and the settings of the three tiers."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.mechanisms.state_space.longmamba.filters import MODES
from mem_core.mechanisms.state_space.longmamba.models import MODELS, RECIPES, TRAINED_LENGTH

LONGEST = 1024
"""Tokens in the longest test sequence, 32 times the trained length."""
TRAIN_HERE = "train here"
MODEL = "The model and the test"


@dataclass(frozen=True)
class ScanFilterSettings(Settings):
    """Settings of one look at a frozen model and its filter."""

    test_length: int = setting(
        256,
        Whole(
            label="Test length S",
            help="How many tokens the model reads. It was trained on 32; watch what is left of the needle as S grows.",
            unit="tokens",
            low=TRAINED_LENGTH,
            high=LONGEST,
            scale="log",
        ),
    )
    mode: str = setting(
        "LongMamba",
        Choice(
            label="Filter",
            help="What happens to the step sizes Δ before the scan. LongMamba skips tokens with a small Δ in global "
            "heads; random skip keeps as many tokens, but by chance; all heads skips in local heads too; norm-scale "
            "shrinks every Δ alike; alpha and bound pick the largest Δ of each sequence instead of using a threshold.",
            options=MODES,
        ),
    )
    theta: float = setting(
        0.05,
        Number(
            label="Global above θ",
            help="A head is global, and may skip tokens, if more than this share of its first token is left after 32 "
            "tokens. At 0.9 hardly a head is global and the filter does nothing.",
            low=1e-12,
            high=0.9,
            scale="log",
        ),
    )
    clamp: float = setting(
        0.10,
        Number(
            label="Clamp C",
            help="Share of the largest Δ that calibration cuts off as outliers. No threshold is above the cut, so "
            "about this share of tokens is always kept. Raised, more fillers pass; too low, needles use up the budget.",
            low=0.03,
            high=0.5,
            step=0.01,
        ),
    )
    needle_position: float = setting(
        0.25,
        Number(
            label="Needle position",
            help="Where the needle stands in the sequence that is drawn: 0 is the start, 1 the end. In training and in "
            "the accuracy test it is anywhere in the first half.",
            low=0.0,
            high=1.0,
            step=0.01,
        ),
    )
    task: str = setting(
        "one needle",
        Choice(
            group=MODEL,
            label="Task",
            help="One needle: the value to remember is the only one, so Δ can know it. Marked value: values lie "
            "everywhere and the one after a marker counts; Δ sees one token at a time and cannot know it.",
            options=tuple(RECIPES),
        ),
    )
    model: int = setting(
        0,
        Choice(
            group=MODEL,
            label="Model",
            help="Which of four models, trained from different random starts.",
            options=MODELS,
        ),
    )
    source: str = setting(
        "shipped",
        Choice(
            group=MODEL,
            label="Weights",
            help="Use the weights that come with the page, or train the same model now (a few seconds).",
            options=("shipped", TRAIN_HERE),
        ),
    )
    sequences: int = setting(
        64,
        Whole(
            group=MODEL,
            label="Test sequences",
            help="How many sequences every accuracy is measured on; more give a steadier curve and take longer.",
            unit="sequences",
            low=16,
            high=1024,
            step=16,
            scale="log",
        ),
    )
    head: int = setting(
        1,
        Whole(
            group=MODEL,
            label="Head for the threshold chart",
            help="Heads are numbered from the one that forgets least at the trained length.",
            low=1,
            high=min(recipe.shape.heads for recipe in RECIPES.values()),
        ),
    )


PRESETS: dict[Tier, ScanFilterSettings] = {
    "browser": ScanFilterSettings(),
    "cpu": ScanFilterSettings(source=TRAIN_HERE, test_length=LONGEST, sequences=256),
    "gpu": ScanFilterSettings(source=TRAIN_HERE, test_length=LONGEST, sequences=1024),
}
