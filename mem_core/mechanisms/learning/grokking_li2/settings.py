"""What a learner can change, and the settings of the three tiers."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.data.modular_arithmetic import training_count
from mem_core.mechanisms.controls import Choice, Number, SettingsError, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings

MORE = "More networks, other starts"
MODULI = (11, 13, 17, 19, 23, 24, 29, 31, 41, 71, 127)
WIDTHS = (64, 128, 256, 512, 2048)
LARGEST_ACTIVATIONS = 65_000_000
"""Numbers in one layer of activations, N·n·K: about the paper's 15 networks at M = 71, a quarter of a gigabyte."""


@dataclass(frozen=True)
class GrokkingSettings(Settings):
    """Settings of one training run on modular addition."""

    modulus: int = setting(
        23,
        Choice(
            label="Modulus M",
            help="The network learns to add two numbers from 0 to M − 1 on a clock face with M hours.",
            options=MODULI,
        ),
    )
    hidden: int = setting(
        256, Choice(label="Hidden units K", help="How many units the hidden layer has.", options=WIDTHS)
    )
    train_share: float = setting(
        0.6,
        Number(
            label="Training share",
            help="Which part of all M × M additions the network is shown; the others are the test.",
            unit="of all pairs",
            low=0.2,
            high=0.95,
            step=0.01,
        ),
    )
    weight_decay: float = setting(
        3e-4,
        Number(
            label="Weight decay η",
            help="How strongly all weights are pulled to zero at every step. It is what keeps the hidden layer "
            "learning after everything is memorised.",
            low=5e-5,
            high=2e-2,
            scale="log",
            also=(0.0,),
        ),
    )
    learning_rate: float = setting(
        0.01,
        Number(
            label="Learning rate",
            help="How far one step of the Adam optimizer moves.",
            low=5e-4,
            high=2e-2,
            scale="log",
        ),
    )
    steps: int = setting(
        220,
        Whole(
            label="Training steps",
            help="How long to train; each step looks at all training pairs.",
            unit="steps",
            low=50,
            high=1000,
            step=10,
        ),
    )
    output_scale: float = setting(
        1.0,
        Choice(
            group=MORE,
            label="Output weights at the start",
            help="Factor on the output layer's random starting weights; 0 starts it at zero.",
            options=(0.0, 0.1, 1.0),
        ),
    )
    networks: int = setting(
        1,
        Whole(
            group=MORE,
            label="Networks",
            help="How many networks to train side by side, each with its own pairs and starting weights.",
            low=1,
            high=15,
        ),
    )
    stop_when_grokked: bool = setting(
        False,
        Switch(
            group=MORE,
            label="Stop once it groks",
            help="End training as soon as every network has 99 % of the test pairs right.",
        ),
    )
    boundary_map: str = setting(
        "off",
        Choice(
            group=MORE,
            label="Boundary map",
            help="After the run, train many small networks with other moduli and training shares to find where "
            "grokking begins. Small: 3 moduli, 10 shares, 2 networks each. Full: 4 moduli, 10 shares, 3 networks each.",
            options=("off", "small", "full"),
        ),
    )

    def check_together(self) -> None:
        """Refuse runs whose activations would not fit into a small computer's memory."""
        numbers = self.networks * training_count(self.modulus, self.train_share) * self.hidden
        if numbers > LARGEST_ACTIVATIONS:
            raise SettingsError(
                f"modulus {self.modulus}, train_share {self.train_share:g}, hidden {self.hidden} and networks "
                f"{self.networks} need {numbers / 1e6:.0f} million activations, but at most "
                f"{LARGEST_ACTIVATIONS / 1e6:.0f} million are allowed; lower one of them."
            )


BROWSER = GrokkingSettings()
CPU = GrokkingSettings(modulus=31, hidden=512, train_share=0.5, steps=600, boundary_map="small")
GPU = GrokkingSettings(
    modulus=71, hidden=2048, train_share=0.4, weight_decay=2e-4, learning_rate=1e-3, steps=400, networks=15
)
"""The paper's Fig. 3; 40 % of 71² are its 2016 pairs. It names no learning rate there: this is its code's default."""
