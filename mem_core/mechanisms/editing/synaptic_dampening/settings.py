"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, Whole, setting
from mem_core.mechanisms.settings import Settings

DIGIT, RANDOM_ROWS = "a digit", "random rows"
PER_ROW, AS_RELEASED = "per row", "as released"
ALL_LAYERS, FIRST_LAYER, LAST_LAYER = "all", "first", "last"
DENSE, CONVOLUTIONAL = "dense", "convolutional"

LARGEST_ALPHA = 12.0
"""Above the ceiling of 10 or so that a tenth of the rows can reach."""

NETWORK, RIVALS = "The network that remembers", "The other methods"


@dataclass(frozen=True)
class DampeningSettings(Settings):
    """The choices behind one run."""

    alpha: float = setting(
        3.0,
        Number(
            label="Selection α",
            help="A weight is selected if it matters more than α times as much for the rows to forget as for all rows. "
            "Lower selects more. Above the ceiling 1/f nothing is selected.",
            low=0.1,
            high=LARGEST_ALPHA,
            scale="log",
        ),
    )
    dampening: float = setting(
        0.5,
        Number(
            label="Dampening λ",
            help="A selected weight is multiplied by λ over its ratio of importances, or by 1 if that is more. "
            "Lower shrinks harder; which weights are selected does not change.",
            low=0.05,
            high=2,
            scale="log",
        ),
    )
    digit: int = setting(
        3,
        Whole(label="Digit to forget", help="All its training rows are to be forgotten.", low=0, high=9),
    )
    forget: str = setting(
        DIGIT,
        Choice(
            label="Forget",
            help="Every row of a digit, or rows drawn at random: the hard case, for no weight serves them alone.",
            options=(DIGIT, RANDOM_ROWS),
        ),
    )
    rows: int = setting(
        100,
        Whole(
            label="Random rows", unit="rows", help="How many, if random rows are forgotten.", low=10, high=300, step=10
        ),
    )
    importance: str = setting(
        PER_ROW,
        Choice(
            label="Importance",
            help="Per row: squared gradients of single rows, the Fisher information. As released: the squared gradient "
            "of mini-batches of 64, as the paper's code has it; the ceiling 1/f no longer holds.",
            options=(PER_ROW, AS_RELEASED),
        ),
    )
    layers: str = setting(
        ALL_LAYERS,
        Choice(
            label="Dampen layers",
            help="The last layer alone can silence an answer without touching what the first has learned.",
            options=(ALL_LAYERS, FIRST_LAYER, LAST_LAYER),
        ),
    )
    epochs: int = setting(
        30,
        Whole(group=NETWORK, label="Training", unit="epochs", help="How often every row is seen.", low=5, high=100),
    )
    weight_decay: float = setting(
        0.005,
        Number(
            group=NETWORK,
            label="Weight decay",
            help="Pulls all weights towards zero. Without it the network fits every row, gradients vanish, and a few "
            "hard rows carry the whole importance.",
            low=0,
            high=0.02,
            step=0.0005,
        ),
    )
    learning_rate: float = setting(
        0.05,
        Number(
            group=NETWORK,
            label="Learning rate",
            help="Of gradient descent with momentum 0.9.",
            low=0.005,
            high=0.5,
            scale="log",
        ),
    )
    network: str = setting(
        DENSE,
        Choice(
            group=NETWORK,
            label="Network",
            help="Two dense layers, or two 3 × 3 convolutions and a dense layer, which takes much longer.",
            options=(DENSE, CONVOLUTIONAL),
        ),
    )
    hidden: int = setting(
        64,
        Whole(
            group=NETWORK,
            label="Hidden units",
            unit="units",
            help="Of the dense network. The convolutions have 16 and 32 channels.",
            low=16,
            high=512,
            scale="log",
        ),
    )
    networks: int = setting(
        1,
        Whole(
            group=NETWORK,
            label="Networks",
            unit="networks",
            help="Trained side by side, each on a split of its own. The chart of every digit is the mean over all; the "
            "other charts show the first.",
            low=1,
            high=10,
        ),
    )
    fine_tune_epochs: int = setting(
        2,
        Whole(
            group=RIVALS,
            label="Fine-tuning",
            unit="epochs",
            help="Further training on the rows to keep, and hope that the others fade.",
            low=1,
            high=20,
        ),
    )
    ascent_steps: int = setting(
        5,
        Whole(
            group=RIVALS,
            label="Gradient ascent",
            unit="steps",
            help="Steps that raise the loss on the rows to forget.",
            low=1,
            high=20,
        ),
    )
    ascent_rate: float = setting(
        0.1,
        Number(
            group=RIVALS,
            label="Rate of gradient ascent",
            help="How long its steps are.",
            low=0.005,
            high=0.5,
            scale="log",
        ),
    )


PRESETS: Mapping[Tier, DampeningSettings] = {
    "browser": DampeningSettings(),
    "cpu": DampeningSettings(network=CONVOLUTIONAL, networks=5),
    "gpu": DampeningSettings(hidden=512, networks=10),
}
