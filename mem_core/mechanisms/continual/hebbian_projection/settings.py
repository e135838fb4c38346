"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mem_core.data.digits import SIDE
from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Choices, Number, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings

NONE, HEBBIAN, PCA = "none", "Hebbian", "exact PCA"
PROTECTIONS = (NONE, HEBBIAN, PCA)
INPUT, HIDDEN_1, HIDDEN_2 = "input", "hidden 1", "hidden 2"
LAYERS = (INPUT, HIDDEN_1, HIDDEN_2)
"""Named by what their weights hear: each has a subspace of its own."""
TIME_MEAN, EVERY_STEP = "the mean over time", "every time step"

PIXELS = SIDE * SIDE
FIRST_INPUT_ROWS, LATER_INPUT_ROWS = 20, 12
"""Subspace neurons of the input for the first task and for each later one."""
LATER_HIDDEN_ROWS = 0.5
"""Of those of a hidden layer for the first task."""
MANY_TASKS = 4
"""From here on every task gets fewer rows, or the subspaces would be full too early."""
FEWER_INPUT_ROWS, FEWER_HIDDEN_ROWS = 10, 0.75
MOST_TASKS = 5

CIRCUIT, TRAINING, SHOWN = "More about the lateral circuit", "What is learned", "What is shown"


@dataclass(frozen=True)
class ProjectionSettings(Settings):
    """The choices behind one run."""

    protections: tuple[str, ...] = setting(
        PROTECTIONS,
        Choices(
            label="Protection",
            help="Networks trained side by side: without protection, with Hebbian lateral neurons, and with principal "
            "components computed exactly.",
            options=PROTECTIONS,
        ),
    )
    size_factor: float = setting(
        1.0,
        Number(
            label="Subspace size",
            unit="times the usual",
            help="How many rows each task gets. Fewer protect less; with more, less room is left to learn in. A layer "
            "never gets more rows than it has inputs.",
            low=0,
            high=1.5,
            step=0.05,
        ),
    )
    step: float = setting(
        0.6,
        Number(
            label="Hebbian step c",
            help="How fast the lateral neurons learn. Too slow, and they miss most of the activity.",
            low=0.001,
            high=1.5,
            scale="log",
        ),
    )
    tasks: int = setting(
        3,
        Whole(
            label="Tasks",
            unit="tasks",
            help="Digits whose pixels are shuffled anew for each task. With 4 or 5, every task gets fewer rows.",
            low=2,
            high=MOST_TASKS,
        ),
    )
    iterations: int = setting(
        2,
        Whole(
            label="Hebbian iterations",
            unit="for each batch",
            help="How often the lateral neurons hear the same batch. More of them make up for a small step.",
            low=1,
            high=10,
        ),
    )
    time_steps: int = setting(
        4,
        Whole(
            label="Time steps",
            unit="steps",
            help="How long a picture is shown. The spikes of all steps are counted for the answer.",
            low=2,
            high=10,
        ),
    )
    spiking_lateral: bool = setting(
        False,
        Switch(
            group=CIRCUIT,
            label="Lateral neurons spike",
            help="They then say whole numbers of spikes instead of exact values.",
        ),
    )
    levels: int = setting(
        40,
        Whole(
            group=CIRCUIT,
            label="Spikes a lateral neuron can send",
            unit="spikes",
            help="The fewer, the coarser is what it says: ±20 in steps of 20 over this. Only where they spike.",
            low=5,
            high=1000,
            scale="log",
        ),
    )
    normalise: bool = setting(
        True,
        Switch(
            group=CIRCUIT,
            label="Step relative to the activity",
            help="Divides c by the mean energy of the activity. Off is the published code, with c from 0.001 to 0.01.",
        ),
    )
    orthogonal_start: bool = setting(
        True,
        Switch(
            group=CIRCUIT,
            label="New rows start orthogonal to old ones",
            help="Off is the published code: old and new rows overlap until the new ones have learned.",
        ),
    )
    listening: str = setting(
        TIME_MEAN,
        Choice(
            group=CIRCUIT,
            label="Lateral neurons listen to",
            help="Every time step is the published way, and takes as many times longer as there are steps.",
            options=(TIME_MEAN, EVERY_STEP),
        ),
    )
    hidden_rows: int = setting(
        28,
        Whole(
            group=CIRCUIT,
            label="Rows of a hidden layer for the first task",
            unit="rows",
            help="At subspace size 1. Every later task gets half as many; with 4 or 5 tasks, a quarter less.",
            low=4,
            high=400,
            scale="log",
        ),
    )
    width: int = setting(
        64,
        Whole(
            group=TRAINING,
            label="Hidden neurons",
            unit="neurons",
            help="In each of the two hidden layers.",
            low=16,
            high=800,
            scale="log",
        ),
    )
    pictures: int = setting(
        640,
        Whole(
            group=TRAINING,
            label="Training pictures",
            unit="pictures",
            help="Of each task, the same with other orders of the pixels.",
            low=160,
            high=1297,
        ),
    )
    epochs: int = setting(
        3,
        Whole(
            group=TRAINING,
            label="Epochs",
            unit="epochs",
            help="How often each task's pictures are gone through. Longer gives the lateral neurons more time, too.",
            low=1,
            high=20,
        ),
    )
    batch_size: int = setting(
        32,
        Whole(group=TRAINING, label="Batch size", unit="pictures", help="Pictures for each update.", low=8, high=128),
    )
    learning_rate: float = setting(
        0.5,
        Number(
            group=TRAINING,
            label="Learning rate",
            help="Of plain gradient descent. Without momentum every change of a weight stays where it is allowed.",
            low=0.02,
            high=2,
            scale="log",
        ),
    )
    layer: str = setting(
        HIDDEN_2,
        Choice(
            group=SHOWN,
            label="Layer",
            help="Whose rows are compared with one another, and whose spikes are drawn.",
            options=LAYERS,
        ),
    )
    picture: int = setting(
        0,
        Whole(group=SHOWN, label="Picture", help="Number of the test picture whose spikes are drawn.", low=0, high=499),
    )

    @property
    def inputs(self) -> tuple[int, int, int]:
        """Inputs of every layer's weights."""
        return PIXELS, self.width, self.width

    def rows_for(self, task: int) -> tuple[int, int, int]:
        """Rows that every layer should get for a task, counted from 0, if there is room."""
        many = self.tasks >= MANY_TASKS
        of_input, of_hidden = float(FIRST_INPUT_ROWS), self.hidden_rows * (FEWER_HIDDEN_ROWS if many else 1.0)
        if task:
            of_input, of_hidden = FEWER_INPUT_ROWS if many else LATER_INPUT_ROWS, of_hidden * LATER_HIDDEN_ROWS
        rows_of_input, rows_of_hidden = round(self.size_factor * of_input), round(self.size_factor * of_hidden)
        return rows_of_input, rows_of_hidden, rows_of_hidden


LAPTOP: Mapping[str, Any] = {
    "width": 100,
    "hidden_rows": 40,
    "time_steps": 6,
    "epochs": 5,
    "pictures": 1297,
    "iterations": 5,
    "listening": EVERY_STEP,
}
"""What the laptop's experiment changes, beside the number of tasks."""

PRESETS: Mapping[Tier, ProjectionSettings] = {
    "browser": ProjectionSettings(),
    "cpu": ProjectionSettings().changed(**LAPTOP, tasks=MOST_TASKS),
    "gpu": ProjectionSettings()
    .changed(**LAPTOP, tasks=MOST_TASKS)
    .changed(width=400, hidden_rows=160, time_steps=10, epochs=10),
}
"""The GPU tier learns the same digits with wider layers, more time steps and longer."""
