"""The settings of a run, and its presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.data.fact_world import FIRST_NAMES, OBJECTS, RELATIONS
from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Choices, Number, SettingsError, Whole, setting
from mem_core.mechanisms.settings import Settings

PMET, FFN_ONLY, MEMIT, FINE_TUNING = "PMET", "FFN only", "MEMIT", "fine-tuning"
METHODS = (PMET, FFN_ONLY, MEMIT, FINE_TUNING)
SQUARE_ROOT, LINEAR, LAST = "square root", "linear", "all in the last layer"
SPREADS = (SQUARE_ROOT, LINEAR, LAST)
EDITABLE_LAYERS = ("1", "2", "3")
"""Not layer 0: it has only seen the last name, and to change it changes everyone of that name."""
MOST_EDITS = 48

ONE_FACT, EDITING, WORLD = "The edit shown in detail", "More about editing", "The model and its facts"

TRAINING_SETTINGS = ("people", "names", "width", "training_steps", "batch_size", "rate")
"""Those that the model depends on before it is edited."""


@dataclass(frozen=True)
class EditSettings(Settings):
    """The choices behind one run."""

    edits: int = setting(
        8,
        Whole(
            label="Number of edits",
            unit="facts",
            help="How many facts are changed at once, each of another person. More edits damage more other facts.",
            low=1,
            high=MOST_EDITS,
        ),
    )
    method: str = setting(
        PMET,
        Choice(
            label="Method",
            help="PMET lets attention and feed-forward part (FFN) share the change and writes only the FFN's; FFN only "
            "leaves all of it to the FFN; MEMIT aims at the whole layer's output; fine-tuning takes gradient steps.",
            options=METHODS,
        ),
    )
    preservation: float = setting(
        100.0,
        Number(
            label="Preservation λ",
            help="How much the answers to other keys count. Higher keeps other facts and writes less of the new ones.",
            low=1,
            high=1000,
            scale="log",
        ),
    )
    spread: str = setting(
        SQUARE_ROOT,
        Choice(
            label="Spread over the layers",
            help="What share of the change each layer takes: 1/√ or 1/ of the number of layers left, or all at the "
            "end. MEMIT always takes the linear one; fine-tuning has none.",
            options=SPREADS,
        ),
    )
    layers: tuple[str, ...] = setting(
        EDITABLE_LAYERS,
        Choices(
            label="Edited layers",
            help="Whose feed-forward memories are written. The change is aimed at the last of them.",
            options=EDITABLE_LAYERS,
        ),
    )
    person: int = setting(
        1,
        Whole(
            group=ONE_FACT,
            label="Person",
            help="Number of the person in the first edit.",
            low=1,
            high=len(FIRST_NAMES) * len(FIRST_NAMES),
        ),
    )
    relation: str = setting(
        RELATIONS[1].name,
        Choice(
            group=ONE_FACT,
            label="Fact",
            help="What is changed about this person.",
            options=tuple(relation.name for relation in RELATIONS[1:]),
        ),
    )
    new_object: int = setting(
        1,
        Whole(
            group=ONE_FACT,
            label="New answer",
            unit="places after the true one",
            help="Which of the eight answers to this question is wanted. 0 asks for what the model says already.",
            low=0,
            high=OBJECTS - 1,
        ),
    )
    clamp: float = setting(
        3.0,
        Number(
            group=EDITING,
            label="Largest change c",
            unit="times the clean value",
            help="Bound on the length of each change δ. Too low, and the new answer is never reached.",
            low=0.25,
            high=6,
            step=0.25,
        ),
    )
    kl_weight: float = setting(
        1.0,
        Number(
            group=EDITING,
            label="Weight of the KL term κ",
            help="How much it counts that the model goes on saying the same about who the person is.",
            low=0,
            high=2,
            step=0.0625,
        ),
    )
    steps: int = setting(
        30,
        Whole(
            group=EDITING,
            label="Optimisation steps",
            unit="steps",
            help="How long the wanted value is searched for, or for how many steps fine-tuning goes on.",
            low=5,
            high=60,
        ),
    )
    people: int = setting(
        32,
        Whole(
            group=WORLD,
            label="People",
            help="Each has four facts. At most as many edits as people.",
            low=16,
            high=128,
            step=8,
        ),
    )
    names: int = setting(
        12,
        Whole(
            group=WORLD,
            label="First names, and last names",
            help="How many there are of each. Fewer names are shared by more people.",
            low=6,
            high=len(FIRST_NAMES),
        ),
    )
    width: int = setting(
        24,
        Whole(
            group=WORLD,
            label="Width of the model",
            unit="numbers",
            help="Numbers in the residual stream; a feed-forward memory has keys of four times as many.",
            low=16,
            high=64,
            step=4,
        ),
    )
    training_steps: int = setting(
        160,
        Whole(
            group=WORLD,
            label="Training",
            unit="steps",
            help="How long the model learns its facts before it is edited.",
            low=60,
            high=600,
            step=20,
        ),
    )
    batch_size: int = setting(
        96,
        Whole(group=WORLD, label="Batch size", unit="prompts", help="Prompts in a step.", low=32, high=512, step=32),
    )
    rate: float = setting(
        0.008,
        Number(
            group=WORLD,
            label="Peak learning rate",
            help="Of training. Wider models want less.",
            low=0.001,
            high=0.02,
            scale="log",
        ),
    )

    def check_together(self) -> None:
        """Check what depends on more than one setting.

        Raises:
            SettingsError: if there are too few people or too few names for them.
        """
        if self.people > self.names**2:
            raise SettingsError(
                f"people is {self.people}, but {self.names} first and {self.names} last names make only "
                f"{self.names**2} pairs: raise names or lower people."
            )
        for name, number in (("edits", self.edits), ("person", self.person)):
            if number > self.people:
                raise SettingsError(f"{name} is {number}, but there are only {self.people} people: raise people.")

    @property
    def edited_layers(self) -> tuple[int, ...]:
        """The layers as numbers, in increasing order."""
        return tuple(map(int, self.layers))


_LAPTOP = EditSettings(
    people=64, names=16, width=32, batch_size=256, rate=0.004, training_steps=300, edits=32, steps=40
)

PRESETS: Mapping[Tier, EditSettings] = {
    "browser": EditSettings(),
    "cpu": _LAPTOP,
    "gpu": _LAPTOP.changed(people=128, width=48, training_steps=500, batch_size=512, rate=0.003, edits=48),
}
"""The GPU tier teaches a wider model the facts of twice as many people, and changes 48 of them."""
