"""What happens along one knob: the missed facts, the merge threshold, the gate; all else as the learner set it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import erf, sqrt

from mem_core.mechanisms.agents.halumem.extraction import TRUE_SALIENCE, salience
from mem_core.mechanisms.agents.halumem.life import live
from mem_core.mechanisms.agents.halumem.settings import RATES, HallucinationSettings
from mem_core.mechanisms.agents.halumem.users import User
from mem_core.mechanisms.tables import Table
from mem_core.nn.merging_memory import Similarities
from mem_core.training.hallucination_evaluation import CORRECT, HALLUCINATION, OMISSION, Scores, evaluate, total

MISS_RATES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
GATES = tuple(-2 + 0.25 * step for step in range(21))
SWEPT_USERS = 6
"""Users that live through a sweep: the first of the run."""
UPDATE_CORRECT, UPDATE_WRONG, UPDATE_MISSING = "updates correct", "updates wrong", "updates omitted"
ANSWER_CORRECT = "answers correct"
RECALL = "recall R"
SWEPT = (ANSWER_CORRECT, UPDATE_CORRECT, UPDATE_MISSING, UPDATE_WRONG, RECALL)


def sweep_table(knob: str, rows: Sequence[tuple[float, Scores]]) -> Table:
    """Return the scores along one knob as a table with a row for each measure."""
    values = [(at, measure, value) for at, scores in rows for measure, value in _measures(scores).items()]
    at, measures, shares = zip(*values, strict=True) if values else ((), (), ())
    return Table.of(**{knob: list(at), "measure": list(measures), "share": list(shares)})


def _measures(scores: Scores) -> Mapping[str, float]:
    return {
        ANSWER_CORRECT: scores.answers[CORRECT],
        UPDATE_CORRECT: scores.updates[CORRECT],
        UPDATE_MISSING: scores.updates[OMISSION],
        UPDATE_WRONG: scores.updates[HALLUCINATION],
        RECALL: scores.recall,
    }


def scores_at_miss(
    settings: HallucinationSettings,
    users: Sequence[User],
    similarities: Mapping[str, Similarities],
    threshold: float,
    miss: float,
) -> Scores:
    """Let the users live again with another rate of missed facts."""
    changed = settings.changed(miss=miss, mode=RATES)
    return evaluate(total(live(changed, user, similarities[user.name], threshold).records for user in users))


def scores_at_threshold(
    settings: HallucinationSettings,
    users: Sequence[User],
    similarities: Mapping[str, Similarities],
    threshold: float,
    extractions: Mapping[int, Sequence[Sequence[str]]],
) -> Scores:
    """Let the users live again with another merge threshold, and with what a language model extracted if one did."""
    lives = (live(settings, user, similarities[user.name], threshold, extractions.get(user.number)) for user in users)
    return evaluate(total(life.records for life in lives))


def gate_rates(users: Sequence[User], gate: float) -> tuple[float, float]:
    """Return the share of new facts that pass a gate, and the share of interference that does not (NaN if none).

    Corruption is left out: this is what the gate alone does.
    """
    passed, kept_out = [], []
    for user in users:
        for session, lots in zip(user.timeline.sessions, user.lots, strict=True):
            for point, lot in zip(session.points, lots.statements, strict=False):
                if point.interference:
                    kept_out.append(salience(point, lot) <= gate)
                elif not point.is_update:
                    passed.append(salience(point, lot) > gate)
    return _mean(passed), _mean(kept_out)


def gate_closed_form(gate: float) -> tuple[float, float]:
    """Return R = 1 − Φ(τ − 1.3) and FMR = Φ(τ), the rates of endlessly many users."""
    return 1 - _normal_below(gate - TRUE_SALIENCE), _normal_below(gate)


def _normal_below(value: float) -> float:
    return 0.5 * (1 + erf(value / sqrt(2)))


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else float("nan")
