"""The exercise: which layer knows best, and whether all together know better."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Choice, Whole, setting
from mem_core.mechanisms.editing.clue.problems import FRESH
from mem_core.mechanisms.editing.clue.reasoner import Course
from mem_core.mechanisms.editing.clue.settings import MOST_LAYERS, ClueSettings
from mem_core.mechanisms.editing.clue.traces import traces_of
from mem_core.mechanisms.editing.clue.verifying import Experience, judge
from mem_core.mechanisms.settings import Settings

TIE = 0.005
"""Balanced accuracies this close count as equal."""
YES, NO = "yes", "no"


@dataclass(frozen=True)
class LayerAnswer(Settings):
    """What the learner answers."""

    layer: int = setting(
        1, Whole(label="Best single layer", help="Counted from 1, the first hidden layer.", low=1, high=MOST_LAYERS)
    )
    all_better: str = setting(
        NO,
        Choice(
            label="All layers beat it",
            help="Whether the distance averaged over all layers verifies better than the best layer alone.",
            options=(YES, NO),
        ),
    )


def balanced_by_layer(settings: ClueSettings, seed: int, engine: Engine) -> tuple[list[float], float]:
    """Return the balanced accuracy of each layer alone and that of all, on traces of problems never shown."""
    course = Course.of(engine, settings, seed, 0, settings.feedback)
    experience, traces = Experience.of(course, settings), traces_of(course, FRESH)
    ranges = [range(layer, layer + 1) for layer in range(settings.depth)]
    single = [judge(experience, traces, settings, layers).rates.balanced for layers in ranges]
    return single, judge(experience, traces, settings, range(settings.depth)).rates.balanced


def grade(answer: LayerAnswer, settings: ClueSettings, seed: int, engine: Engine) -> Grade:
    """Compare the answer with every layer's balanced accuracy on fresh traces."""
    if answer.layer > settings.depth:
        return Grade(False, f"There is no layer {answer.layer}: the reasoner has {settings.depth}.")
    single, everything = balanced_by_layer(settings, seed, engine)
    best = max(single)
    right_layer = single[answer.layer - 1] >= best - TIE
    ahead = everything - best
    right_all = abs(ahead) <= TIE or (ahead > 0) == (answer.all_better == YES)
    each = ", ".join(f"layer {layer} {value:.3f}" for layer, value in enumerate(single, start=1))
    words = f"Balanced accuracy on fresh problems: {each}; all layers {everything:.3f}."
    if not right_layer:
        words += f" Layer {answer.layer} is {best - single[answer.layer - 1]:.3f} below the best."
    if not right_all:
        words += f" All together are {abs(ahead):.3f} {'above' if ahead > 0 else 'below'} the best layer."
    return Grade(right_layer and right_all, words)


EXERCISE = Exercise(
    question=(
        "With the settings that this page opens with: which single layer verifies best, and does using all layers beat "
        "it? Find out with *Layers used* set to *one*, on a few seeds, for the reasoner that grades has another. Fresh "
        "traces of problems that were never shown decide; differences up to 0.005 count as ties."
    ),
    answer=LayerAnswer,
    grade=grade,
    follow_up=(
        "Now look at w = 4. A reasoner that was told whether it is right keeps that in its last layer, which the "
        "average does not beat; one that was not has a little of it in every layer, and the average mostly wins."
    ),
)
