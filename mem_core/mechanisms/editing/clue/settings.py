"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, SettingsError, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings

FEEDBACKS = (0, 1, 4)
"""Weights of the correctness feedback; a run trains a reasoner with each."""
NOISIER, FAINTER = "noisier", "fainter"
DISTRACTIONS = (NOISIER, FAINTER)
D_SUCCESS, MARGIN, CONFIDENCE, RANDOM = "distance", "margin", "confidence", "random"
SCORES = (D_SUCCESS, MARGIN, CONFIDENCE, RANDOM)
ALL_LAYERS, ONE_LAYER, RANGE_OF_LAYERS = "all", "one", "range"
MOST_CANDIDATES = 64
MOST_EXPERIENCE = 2000
"""Per class, of 4000 traces: with this setting all are used, as far as the smaller class goes."""
MOST_LAYERS = 8

LOOKING, REASONER = "Where it looks", "The reasoner and its training"
TRAINING_SETTINGS = ("distraction", "kind", "depth", "width", "steps")
"""Those that the reasoner and its traces depend on, beside the feedback and the seed."""


@dataclass(frozen=True)
class ClueSettings(Settings):
    """The choices behind one run."""

    feedback: int = setting(
        0,
        Choice(
            label="Correctness feedback w",
            help="0 trains on right answers alone. Above 0 the reasoner also learns to tell whether it is right: look "
            "at the separation in the last layers.",
            options=FEEDBACKS,
        ),
    )
    distraction: float = setting(
        2.0,
        Number(
            label="Distraction range",
            unit="standard deviations",
            help="Each trace is distracted by its own amount, drawn evenly from 0 to this. More means more wrong "
            "answers. Trains anew.",
            low=0.5,
            high=3,
            step=0.25,
        ),
    )
    candidates: int = setting(
        MOST_CANDIDATES,
        Whole(
            label="Candidates k",
            unit="traces a problem",
            help="How often each problem is thought about. They share the prompt and differ in their distraction.",
            low=4,
            high=MOST_CANDIDATES,
        ),
    )
    vote: int = setting(
        16,
        Whole(
            label="Vote size m",
            unit="candidates",
            help="How many of the best-ranked candidates vote. 1 takes the first one's answer, k lets all vote.",
            low=1,
            high=MOST_CANDIDATES,
        ),
    )
    score: str = setting(
        MARGIN,
        Choice(
            label="Rank by",
            help="Distance to the mean of successes, as in the paper; margin, that minus the distance to the mean of "
            "failures, ours; confidence, the probability of the answer; or at random.",
            options=SCORES,
        ),
    )
    experience: int = setting(
        MOST_EXPERIENCE,
        Whole(
            label="Experience per class",
            unit="traces",
            help="How many past successes, and as many failures, make the two means. At the right end all there are.",
            low=10,
            high=MOST_EXPERIENCE,
            scale="log",
        ),
    )
    subtract: bool = setting(
        True,
        Switch(
            label="Subtract the start state",
            help="On: how far the state moved. Off: where it ended, which is not CLUE.",
        ),
    )
    layer: int = setting(
        4,
        Whole(
            group=LOOKING,
            label="Layer",
            help="The layer whose cloud is drawn, the one that is used with *one*, and the first of a *range*.",
            low=1,
            high=MOST_LAYERS,
        ),
    )
    layers_used: str = setting(
        ALL_LAYERS,
        Choice(
            group=LOOKING,
            label="Layers used",
            help="Whose distances are averaged. The paper uses all.",
            options=(ALL_LAYERS, ONE_LAYER, RANGE_OF_LAYERS),
        ),
    )
    last_layer: int = setting(
        4,
        Whole(group=LOOKING, label="Last layer of the range", help="Used with *range* only.", low=1, high=MOST_LAYERS),
    )
    kind: str = setting(
        NOISIER,
        Choice(
            group=REASONER,
            label="Distracted evidence is",
            help="Noisier: noise of the drawn size is added. Fainter: the picture fades under noise that stays the "
            "same. Trains anew.",
            options=DISTRACTIONS,
        ),
    )
    depth: int = setting(
        4,
        Whole(
            group=REASONER,
            label="Layers",
            help="Hidden layers of the reasoner. Trains anew.",
            low=2,
            high=MOST_LAYERS,
        ),
    )
    width: int = setting(
        48,
        Whole(
            group=REASONER,
            label="Width",
            unit="units",
            help="Units of every hidden layer. Trains anew.",
            low=16,
            high=128,
            step=8,
        ),
    )
    steps: int = setting(
        600,
        Whole(
            group=REASONER,
            label="Training",
            unit="steps",
            help="Batches of 128 traces. Trains anew.",
            low=100,
            high=2000,
            step=100,
        ),
    )
    models: int = setting(
        1,
        Whole(
            group=REASONER,
            label="Reasoners",
            help="How many are trained with each feedback, each on its own split of the pictures. The first is shown; "
            "curves over layers are means.",
            low=1,
            high=5,
        ),
    )

    def check_together(self) -> None:
        """Check what depends on more than one setting.

        Raises:
            SettingsError: if more vote than there are candidates, or a layer is asked for that is not there.
        """
        if self.vote > self.candidates:
            raise SettingsError(
                f"vote is {self.vote}, but there are only {self.candidates} candidates: lower vote or raise candidates."
            )
        if self.layer > self.depth:
            raise SettingsError(
                f"layer is {self.layer}, but the reasoner has {self.depth} layers: lower layer or raise depth."
            )
        if self.layers_used == RANGE_OF_LAYERS and not self.layer <= self.last_layer <= self.depth:
            raise SettingsError(
                f"last_layer is {self.last_layer}, but a range from layer {self.layer} must end at a layer from "
                f"{self.layer} to {self.depth}."
            )

    @property
    def looked_at(self) -> range:
        """Numbers of the layers that are used, counted from 0."""
        if self.layers_used == ALL_LAYERS:
            return range(self.depth)
        last = self.layer if self.layers_used == ONE_LAYER else self.last_layer
        return range(self.layer - 1, last)


_LAPTOP = ClueSettings(models=5)

PRESETS: Mapping[Tier, ClueSettings] = {
    "browser": ClueSettings(),
    "cpu": _LAPTOP,
    "gpu": _LAPTOP.changed(depth=6, layer=6, width=96, steps=1500),
}
"""The laptop trains five reasoners with each feedback; the GPU tier makes them deeper and wider and trains longer."""
