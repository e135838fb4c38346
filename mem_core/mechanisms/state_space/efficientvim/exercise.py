"""The exercise: states and channels that are cheap beside mixing on tokens, and accurate all the same."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Choice, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.mechanisms.state_space.efficientvim.costs import total
from mem_core.mechanisms.state_space.efficientvim.model import Shape
from mem_core.mechanisms.state_space.efficientvim.recording import CHANNELS
from mem_core.mechanisms.state_space.efficientvim.settings import MOST_STATES, HiddenStateMixerSettings
from mem_core.mechanisms.state_space.efficientvim.training import FULL_EPOCHS, Recipe, final_score, pictures
from mem_core.nn.hidden_state_mixer_block import IN_STATES, ON_TOKENS

GRID = 32
MOST_OF_COST = 0.25
POINTS_BEHIND = 0.02
ROUNDING = 1e-9  # 2 points are 2 points, also in binary
BEST_SHOWN = Shape(channels=16, states=25, blocks=1, mixer=IN_STATES, fusion=True)
"""The best model of the sweep that the page opens with."""


@dataclass(frozen=True)
class SizesAnswer(Settings):
    """What the learner fills in."""

    states: int = setting(
        9,
        Whole(
            label="States N",
            help="Fewer are cheaper. How few does the sweep bear?",
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
            help="More make both layers dearer, but not by the same factor.",
            options=CHANNELS,
        ),
    )


def grade(answer: SizesAnswer, settings: HiddenStateMixerSettings, seed: int, engine: Engine) -> Grade:
    """Count the cost, and train the learner's model and the one it is compared with, afresh."""
    length = GRID * GRID
    ours, theirs = (total(mixer, length, answer.channels, answer.states) for mixer in (IN_STATES, ON_TOKENS))
    cost = f"With N = {answer.states} and D = {answer.channels} the cost is {ours / theirs:.1%}"
    if ours > MOST_OF_COST * theirs:
        return Grade(False, f"{cost} of that on tokens: too much. Mixing on tokens grows with D², the rest with D·N.")
    shape = Shape(answer.channels, answer.states, blocks=1, mixer=IN_STATES, fusion=True)
    recipes = (Recipe(one, FULL_EPOCHS, settings.learning_rate) for one in (shape, BEST_SHOWN))
    data = pictures(engine)
    found, best = (
        fmean(final_score(engine, recipe, each, *data).accuracy for each in (seed, seed + 1)) for recipe in recipes
    )
    compared = f"{found:.1%} of the test pictures are right, against {best:.1%}"
    if best - found > POINTS_BEHIND + ROUNDING:
        return Grade(False, f"{cost}, which is cheap enough, but {compared}: it remembers too little.")
    return Grade(True, f"{cost}, and {compared}.")


EXERCISE = Exercise(
    question="Find N and D for which one layer that mixes in hidden states costs at most 25 % of one that mixes on "
    "tokens, at a grid of 32 × 32, while a model of one block with it stays within 2 points of N = 25 with D = 16, the "
    "best of the sweep. Both are trained afresh for 12 epochs from two seeds, with the learning rate above; that takes "
    "some seconds on a laptop and about a minute in a browser.",
    answer=SizesAnswer,
    grade=grade,
    follow_up="Now raise D to 64 in the cost charts: how many states may there be then?",
)
