"""What a learner can change, and the settings of the three tiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.mechanisms.state_space.efficientvim.model import Shape
from mem_core.mechanisms.state_space.efficientvim.training import FULL_EPOCHS, Recipe
from mem_core.nn.hidden_state_mixer_block import IN_STATES, MIXERS, Mixer

RECORDED, MEASURED_HERE = "recorded", "measure here"
MOST_STATES = 49
"""As in the first stage of EfficientViM-M1."""
WIDTHS = (8, 16, 24, 32, 64)
SHOWN_PICTURES = 64
LONGEST_SIDE = 64

PICTURE, MODEL, COST = "The picture", "The model and its training", "Costs and the sweep"


@dataclass(frozen=True)
class HiddenStateMixerSettings(Settings):
    """Settings of one model, one picture looked at, and one comparison of costs."""

    states: int = setting(
        9,
        Whole(
            label="States N",
            help="How many states the 64 tokens are written into. Each remembers one weighted sum of the picture; with "
            "one state all pictures look much alike to the layer.",
            unit="states",
            low=1,
            high=MOST_STATES,
            scale="log",
        ),
    )
    channels: int = setting(
        16,
        Choice(
            label="Channels D",
            help="Numbers a token, and a state, is made of. Mixing them costs D² for everything that is mixed.",
            options=WIDTHS,
        ),
    )
    mixer: str = setting(
        IN_STATES,
        Choice(
            label="Channels are mixed on",
            help="Hidden states: the paper's way, N times D² for each map. Tokens: the way before it, L times D².",
            options=MIXERS,
        ),
    )
    fusion: bool = setting(
        True,
        Switch(
            label="Multi-stage fusion",
            help="Whether the classifier also listens to the states of every block, or to the last tokens alone.",
        ),
    )
    epochs: int = setting(
        4,
        Whole(
            label="Epochs",
            help="How often every picture is seen. Four are quick and reach about 82 % to 85 %; it takes twelve for "
            "the accuracies that the paper's claims are about.",
            unit="epochs",
            low=1,
            high=30,
        ),
    )
    grid: int = setting(
        8,
        Whole(
            label="Grid for the costs",
            help="Side of the square of tokens whose cost is counted; the digits have 8. Raise it, and the cost of "
            "mixing on tokens grows with the area, that of mixing in states not at all.",
            unit="tokens a side",
            low=8,
            high=LONGEST_SIDE,
        ),
    )
    picture: int = setting(
        1,
        Whole(
            group=PICTURE,
            label="Test picture",
            help="Which of the first 64 test pictures the maps are drawn for.",
            low=1,
            high=SHOWN_PICTURES,
        ),
    )
    state: int = setting(
        1,
        Whole(
            group=PICTURE,
            label="State to look at",
            help="Nine states are drawn, this one among them; the words under the maps are about it.",
            low=1,
            high=MOST_STATES,
        ),
    )
    shift: float = setting(
        0.0,
        Number(
            group=PICTURE,
            label="Shift a by",
            help="Added to the learned vector a of the trained model, inside the softmax. Guess first what it changes.",
            low=-20,
            high=20,
            step=1,
        ),
    )
    blocks: int = setting(
        1,
        Whole(
            group=MODEL,
            label="Blocks",
            help="Mixing layers one after another, each with a feed-forward layer, each a stage for the heads.",
            unit="blocks",
            low=1,
            high=3,
        ),
    )
    learning_rate: float = setting(
        4e-3,
        Number(
            group=MODEL,
            label="Learning rate",
            help="The highest of Adam's; it falls along a cosine to zero. Far too high, and the loss never comes down.",
            low=1e-4,
            high=1.0,
            scale="log",
        ),
    )
    sweep: str = setting(
        RECORDED,
        Choice(
            group=COST,
            label="Accuracy over N",
            help="Recorded: what the same code measured once, with D up to 32. Measure here: train fifteen models of "
            "twelve epochs now, which takes about half a minute on a laptop and three to five minutes in a browser.",
            options=(RECORDED, MEASURED_HERE),
        ),
    )
    timed_pictures: int = setting(
        4,
        Whole(
            group=COST,
            label="Pictures at once, timed",
            help="How many pictures the timed layers mix at once. With few, calling takes longer than computing.",
            unit="pictures",
            low=1,
            high=256,
            scale="log",
        ),
    )

    @property
    def recipe(self) -> Recipe:
        """The model of these settings and how it is trained."""
        return self.recipe_for(self.states, self.epochs)

    def recipe_for(self, states: int, epochs: int = FULL_EPOCHS) -> Recipe:
        """Return the same with another number of states, trained to the end unless `epochs` says otherwise."""
        mixer = cast(Mixer, self.mixer)  # its control admits no other
        return Recipe(Shape(self.channels, states, self.blocks, mixer, self.fusion), epochs, self.learning_rate)


PRESETS: Mapping[Tier, HiddenStateMixerSettings] = {
    "browser": HiddenStateMixerSettings(),
    "cpu": HiddenStateMixerSettings(channels=32, blocks=2, epochs=FULL_EPOCHS),
    "gpu": HiddenStateMixerSettings(
        channels=64, states=16, blocks=2, epochs=FULL_EPOCHS, grid=LONGEST_SIDE, sweep=MEASURED_HERE, timed_pictures=64
    ),
}
"""The GPU tier is the same experiment, wider, with the sweep measured and enough pictures timed to fill a GPU."""
