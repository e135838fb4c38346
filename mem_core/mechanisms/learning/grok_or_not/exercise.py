"""Make the network disobey its teachers, in two ways."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Number, setting
from mem_core.mechanisms.learning.grok_or_not.accuracies import Accuracies, accuracies
from mem_core.mechanisms.learning.grok_or_not.neurons import answers_without, periodicity
from mem_core.mechanisms.learning.grok_or_not.settings import CorruptionSettings
from mem_core.mechanisms.learning.grok_or_not.training import Labels, Moment, prepare, train
from mem_core.mechanisms.settings import Settings

TASK = CorruptionSettings()
"""The default network, with 20 % wrong labels and 200 steps."""
ENOUGH_TEST, LARGEST_GIVEN = 0.95, 0.15


@dataclass(frozen=True)
class DisobeyingAnswer(Settings):
    """A weight decay, and a share of neurons to cut out of a network trained without decay."""

    weight_decay: float = setting(
        0.0,
        Number(
            label="(a) Weight decay",
            help="A network trained with it ignores the wrong labels and knows the rule.",
            low=0,
            high=25,
            step=0.5,
        ),
    )
    prune_share: float = setting(
        0.0,
        Number(
            label="(b) Neurons cut out, low IPR first",
            unit="of all neurons",
            help="Cut out of a network that was trained without decay.",
            low=0,
            high=1,
            step=0.05,
        ),
    )


def grade(answer: DisobeyingAnswer, settings: CorruptionSettings, seed: int, engine: Engine) -> Grade:
    """Train one fresh network with the decay of the answer, and one without decay to cut neurons out of.

    The page's own settings play no part: the task names all that matters.
    """
    decayed = TASK.changed(weight_decay=answer.weight_decay)
    moment, labels = _trained(engine, decayed, seed)
    by_decay = accuracies(moment.answers[0], labels)
    moment, labels = _trained(engine, TASK, seed)
    scores = periodicity(engine, moment.params)
    output = moment.params["output"][0]
    left = answers_without(engine, moment.features[0], output, scores, answer.prune_share, lowest_first=True)
    by_cutting = accuracies(left, labels)
    ways = (
        _judged(f"(a) With decay {answer.weight_decay:g}", by_decay),
        _judged(f"(b) With {answer.prune_share:.0%} cut out", by_cutting),
    )
    return Grade(_disobeys(by_decay) and _disobeys(by_cutting), " ".join(ways))


def _trained(engine: Engine, settings: CorruptionSettings, seed: int) -> tuple[Moment, Labels]:
    classroom = prepare(engine, [settings], seed)
    (last,) = train(engine, classroom, settings, seed, [settings.steps])
    return last, classroom.labels[0]


def _disobeys(found: Accuracies) -> bool:
    return found.test >= ENOUGH_TEST and found.given <= LARGEST_GIVEN


def _judged(way: str, found: Accuracies) -> str:
    numbers = f"{way} {found.test:.1%} of the test pairs are right and {found.given:.1%} of the wrong labels are kept"
    if _disobeys(found):
        return f"{numbers}: it disobeys."
    if found.given > LARGEST_GIVEN:
        return f"{numbers}: more than {LARGEST_GIVEN:.0%}, it still believes its teachers."
    return f"{numbers}: less than {ENOUGH_TEST:.0%} of the rule, too much is gone."


EXERCISE = Exercise(
    question="Make the network disobey its teachers. At ξ = 0.2, with everything else as this page opens, find (a) a "
    "weight decay and (b), without any decay, a share of neurons to cut out, low IPR first, that each leave at least "
    "95 % of the test pairs right and at most 15 % of the wrong labels kept.",
    answer=DisobeyingAnswer,
    grade=grade,
    follow_up="Which of the two would you choose if you did not know that some labels are wrong? Try both at ξ = 0.",
)
