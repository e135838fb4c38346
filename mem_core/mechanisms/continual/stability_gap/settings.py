"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Choices, Number, SettingsError, Whole, setting
from mem_core.mechanisms.settings import Settings

FINETUNE, REPLAY, ELASTIC, DISTILLATION, PROJECTION = "finetune", "ER", "EWC", "LwF", "GEM"
METHODS = (REPLAY, FINETUNE, ELASTIC, DISTILLATION, PROJECTION)
REMEMBERING = (REPLAY, PROJECTION)
"""The methods that keep examples."""
PAIRS, ROTATIONS = "pairs of digits", "rotated digits"
EVERY, TENTH, ENDS = "every iteration", "every 10 iterations", "only at task ends"

TASKS = {PAIRS: 5, ROTATIONS: 3}
"""How many are learned, one after another."""
EVERYTHING = 3000
"""A memory of this size holds every training picture: 150 places for each of 20 classes, two rotations of ten."""

TRAINING, METHOD_DETAILS = "How it is trained", "More about the methods"


@dataclass(frozen=True)
class GapSettings(Settings):
    """The choices behind one run."""

    method: str = setting(
        REPLAY,
        Choice(
            label="Method",
            help="ER replays old examples, EWC holds weights that mattered, LwF keeps old answers, GEM turns the "
            "step; finetune does nothing against forgetting.",
            options=METHODS,
        ),
    )
    new_weight: float = setting(
        0.5,
        Number(
            label="Weight of the new task",
            help="Share of the loss that the new batch has under ER; the replayed batch has the rest. Lower it: the "
            "gap shrinks.",
            low=0.1,
            high=0.9,
            step=0.05,
        ),
    )
    memory: int = setting(
        200,
        Whole(
            label="Memory",
            unit="pictures",
            help="Kept by ER and GEM, shared equally by the classes seen so far. 3000 holds everything: the gap stays.",
            low=20,
            high=EVERYTHING,
            scale="log",
        ),
    )
    learning_rate: float = setting(
        0.05,
        Choice(
            label="Learning rate",
            help="Of gradient descent with momentum 0.9. Lower it: the fall is slower, and so is the recovery.",
            options=(0.01, 0.05, 0.1),
        ),
    )
    evaluation: str = setting(
        EVERY,
        Choice(
            label="Evaluate",
            help="How often the accuracy is measured. Training is the same; measured at task ends, the gap is unseen.",
            options=(EVERY, TENTH, ENDS),
        ),
    )
    window: int = setting(
        10,
        Whole(
            label="Window",
            unit="evaluations",
            help="Of the windowed forgetting WF: the largest drop within so many evaluations in a row.",
            low=2,
            high=100,
        ),
    )
    tasks: str = setting(
        PAIRS,
        Choice(
            label="Tasks",
            help="Five pairs of digits, each pair two new classes; or all digits in three rotations.",
            options=(PAIRS, ROTATIONS),
        ),
    )
    angle: int = setting(
        60,
        Whole(
            label="Rotation from task to task",
            unit="degrees",
            help="Of rotated digits only. The further each task turns them, the deeper the first fall.",
            low=10,
            high=80,
            step=5,
        ),
    )
    switch: int = setting(
        1,
        Whole(
            label="Switch to look at closely",
            help="Which change of task the close-up shows. Pairs of digits have four, rotations two.",
            low=1,
            high=4,
        ),
    )
    compared: tuple[str, ...] = setting(
        (),
        Choices(
            group=METHOD_DETAILS,
            label="Also train",
            help="Other methods, on the same batches; they are drawn beside the first in the comparison.",
            options=METHODS,
            least=0,
        ),
    )
    stiffness: float = setting(
        100.0,
        Number(
            group=METHOD_DETAILS,
            label="Stiffness of EWC",
            help="How hard EWC pulls weights back to where the last task left them. Where it diverges, lower it.",
            low=1,
            high=300,
            scale="log",
        ),
    )
    epochs: int = setting(
        10,
        Whole(
            group=TRAINING,
            label="Epochs for each task",
            unit="epochs",
            help="How often every picture of a task is seen. With one, there is little time to recover.",
            low=1,
            high=12,
        ),
    )
    batch_size: int = setting(
        64,
        Whole(
            group=TRAINING,
            label="Batch size",
            unit="pictures",
            help="New pictures in a step; ER replays as many old ones beside them.",
            low=16,
            high=256,
            step=16,
        ),
    )
    hidden: int = setting(
        100,
        Whole(
            group=TRAINING,
            label="Hidden units",
            unit="units",
            help="In each of the two hidden layers.",
            low=10,
            high=1000,
            scale="log",
        ),
    )
    networks: int = setting(
        1,
        Whole(
            group=TRAINING,
            label="Networks",
            unit="networks",
            help="Trained side by side from other first weights and in another order; the curves are their mean.",
            low=1,
            high=10,
        ),
    )

    def check_together(self) -> None:
        """Check what depends on more than one setting.

        Raises:
            SettingsError: if the tasks have fewer switches than the one to look at.
        """
        if self.switch >= TASKS[self.tasks]:
            raise SettingsError(
                f"switch is {self.switch}, but {self.tasks} have {TASKS[self.tasks] - 1} switches: lower it."
            )

    @property
    def trained(self) -> tuple[str, ...]:
        """The methods to train, the one that is looked at first."""
        return (self.method, *(other for other in self.compared if other != self.method))


PRESETS: Mapping[Tier, GapSettings] = {
    "browser": GapSettings(),
    "cpu": GapSettings(hidden=400, networks=5, compared=(REPLAY, ELASTIC, DISTILLATION, PROJECTION)),
    "gpu": GapSettings(hidden=1000, networks=10, compared=METHODS),
}
"""The larger tiers train several networks and methods side by side: the same digits, for nothing is downloaded."""
