"""What a learner can change, and the settings of the three tiers."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.mechanisms.controls import Choice, Number, Whole, setting
from mem_core.mechanisms.settings import Settings

NETWORK = "The network and its training"
CUTTING = "Cutting neurons out"
MODULI = (23, 31, 37, 41, 47, 97)
WIDTHS = (64, 96, 128, 192, 256, 500)
NONE, DECAY, DROPOUT, BATCH_NORM = "none", "weight decay", "dropout", "BatchNorm"
LOW, HIGH = "low IPR", "high IPR"
ALL_PAIRS = "all"
OFF, DECAY_MAP, DATA_MAP = "off", "decay and corruption", "data and corruption"


@dataclass(frozen=True)
class CorruptionSettings(Settings):
    """Settings of one training run on modular addition with wrong labels among the right ones."""

    weight_decay: float = setting(
        0.0,
        Number(
            label="Weight decay",
            help="How strongly all weights are pulled to zero. Somewhere between 5 and 10 the network gives up the "
            "wrong labels and keeps the rule; near 20 it cannot keep anything.",
            low=0,
            high=25,
            step=0.5,
        ),
    )
    corruption: float = setting(
        0.2,
        Number(
            label="Wrong labels ξ",
            unit="of the training pairs",
            help="Which part of the training pairs gets a label drawn at random. Watch whether the network "
            "believes them.",
            low=0,
            high=0.9,
            step=0.01,
        ),
    )
    data_share: float = setting(
        0.7,
        Number(
            label="Training share α",
            unit="of all pairs",
            help="Which part of all additions is trained on; the others are the test. With few, only memorising is "
            "left.",
            low=0.1,
            high=0.9,
            step=0.05,
        ),
    )
    steps: int = setting(
        200,
        Whole(
            label="Training steps",
            unit="steps",
            help="How long to train; each step looks at all training pairs.",
            low=50,
            high=2000,
            step=50,
        ),
    )
    prune_share: float = setting(
        0.0,
        Number(
            group=CUTTING,
            label="Neurons cut out",
            unit="of all neurons",
            help="Which part of the trained network's neurons is set to zero, without training again.",
            low=0,
            high=1,
            step=0.05,
        ),
    )
    prune_from: str = setting(
        LOW,
        Choice(
            group=CUTTING,
            label="Cut first",
            help="Neurons without a period (low IPR), or the most periodic ones (high IPR).",
            options=(LOW, HIGH),
        ),
    )
    regulariser: str = setting(
        DECAY,
        Choice(
            group=NETWORK,
            label="Regulariser",
            help="What keeps the network from memorising. Only the one chosen acts, the others' settings are ignored.",
            options=(NONE, DECAY, DROPOUT, BATCH_NORM),
        ),
    )
    dropout: float = setting(
        0.1,
        Number(
            group=NETWORK,
            label="Dropout",
            unit="of the neurons",
            help="Which part of the neurons is silent at each step, drawn anew; acts if dropout is the regulariser.",
            low=0,
            high=0.3,
            step=0.01,
        ),
    )
    batch: str = setting(
        ALL_PAIRS,
        Choice(
            group=NETWORK,
            label="Pairs in a step",
            unit="pairs",
            help="All training pairs at once, or batches drawn anew; BatchNorm shows its effect with 64 pairs and "
            "1000 steps.",
            options=(ALL_PAIRS, "256", "64", "32"),
        ),
    )
    modulus: int = setting(
        37,
        Choice(
            group=NETWORK,
            label="Modulus p",
            help="The network adds two numbers from 0 to p − 1 on a clock face with p hours.",
            options=MODULI,
        ),
    )
    hidden: int = setting(
        128,
        Choice(
            group=NETWORK,
            label="Neurons N",
            unit="neurons",
            help="Size of the hidden layer. With many neurons for few pairs, memorising alone is easy.",
            options=WIDTHS,
        ),
    )
    phase_map: str = setting(
        OFF,
        Choice(
            group=NETWORK,
            label="Phase map",
            help="After the run, train many networks: 7 weight decays × 4 corruptions, or 17 training shares × 19 "
            "corruptions at the run's own weight decay (long).",
            options=(OFF, DECAY_MAP, DATA_MAP),
        ),
    )

    @property
    def acting_decay(self) -> float:
        """The weight decay that acts: none unless it is the regulariser."""
        return self.weight_decay if self.regulariser == DECAY else 0.0

    @property
    def acting_dropout(self) -> float:
        """The dropout that acts: none unless it is the regulariser."""
        return self.dropout if self.regulariser == DROPOUT else 0.0


BROWSER = CorruptionSettings()
CPU = CorruptionSettings(modulus=47, hidden=256, data_share=0.8, phase_map=DECAY_MAP)
GPU = CorruptionSettings(
    modulus=97, hidden=500, data_share=0.5, corruption=0.35, weight_decay=5.0, steps=2000, phase_map=DATA_MAP
)
"""One of the four panels of the paper's Fig. 3(a), that of decay 5; set the decay to 0, 15 or 20 for the others."""
