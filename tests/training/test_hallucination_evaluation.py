import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem_core.training.hallucination_evaluation import (
    VERDICTS,
    AccuracyRecord,
    EvaluationRecords,
    IntegrityRecord,
    VerdictRecord,
    evaluate,
    kind_accuracy,
    total,
    verdict_rates,
)

scores = st.sampled_from([0, 1, 2, None])
integrity = st.builds(IntegrityRecord, scores, st.sampled_from([0.5, 0.75, 1.0]), st.booleans(), st.just("Persona"))
accuracy = st.builds(AccuracyRecord, scores, st.booleans())
verdicts = st.builds(VerdictRecord, st.sampled_from([*VERDICTS, None]))
records = st.builds(
    EvaluationRecords, *(st.lists(kind, max_size=12) for kind in (integrity, accuracy, verdicts, verdicts))
)


def by_hand():
    return EvaluationRecords(
        integrity=[
            IntegrityRecord(2, 1.0),
            IntegrityRecord(1, 0.5),
            IntegrityRecord(0, 0.5),
            IntegrityRecord(None, 1.0),
            IntegrityRecord(0, 1.0, interference=True),
            IntegrityRecord(1, 1.0, interference=True),
            IntegrityRecord(2, 1.0, interference=True),
        ],
        accuracy=[
            AccuracyRecord(2, True),
            AccuracyRecord(0, True),
            AccuracyRecord(1, False),
            AccuracyRecord(None, False),
        ],
        updates=[VerdictRecord(verdict) for verdict in ("Correct", "Omission", "Omission", "Other", None)],
        answers=[VerdictRecord(verdict) for verdict in ("Correct", "Correct", "Hallucination")],
    )


def test_every_score_as_counted_by_hand():
    all_, valid = evaluate(by_hand()), evaluate(by_hand(), "valid")
    assert all_.recall == 1 / 4  # only score 2 counts, interference points do not, and a failed judgement is none
    assert valid.recall == 1 / 3
    assert all_.weighted_recall == pytest.approx((1.0 + 0.5 * 0.5) / 3.0)  # partial credit here
    assert valid.weighted_recall == pytest.approx(1.25 / 2.0)
    assert all_.target_precision == valid.target_precision == 1 / 2
    assert all_.accuracy == pytest.approx(1.5 / 4)
    assert valid.accuracy == pytest.approx(1.5 / 3)
    assert all_.false_memory_resistance == 1 / 3
    assert all_.updates == {"Correct": 0.2, "Hallucination": 0.0, "Omission": 0.4, "Other": 0.2}
    assert valid.updates["Omission"] == 0.5
    assert all_.answers["Correct"] == pytest.approx(2 / 3)
    assert all_.f1 == pytest.approx(2 * 0.5 * 0.25 / 0.75)


def test_f1_is_the_one_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    truth, guess = np.array([1, 1, 1, 0, 0, 1, 0, 1]), np.array([1, 0, 1, 1, 0, 0, 0, 1])
    gold = [IntegrityRecord(2 if said else 0) for said in guess[truth == 1]]
    extracted = [AccuracyRecord(2 if right else 0, True) for right in truth[guess == 1]]
    found = evaluate(EvaluationRecords(gold, extracted))
    assert found.recall == metrics.recall_score(truth, guess)
    assert found.target_precision == metrics.precision_score(truth, guess)
    assert found.f1 == pytest.approx(metrics.f1_score(truth, guess))


def test_nothing_to_judge_is_not_a_number_and_never_a_crash():
    empty = evaluate(EvaluationRecords())
    for value in (empty.recall, empty.weighted_recall, empty.target_precision, empty.accuracy):
        assert math.isnan(value)
    assert math.isnan(empty.false_memory_resistance)
    assert math.isnan(empty.answers["Correct"])
    assert empty.f1 == 0
    nothing_extracted = evaluate(EvaluationRecords([IntegrityRecord(0)]))
    assert (nothing_extracted.recall, nothing_extracted.f1) == (0.0, 0.0)
    assert math.isnan(nothing_extracted.target_precision)


def test_the_average_is_over_records_and_not_over_users():
    talkative = EvaluationRecords([IntegrityRecord(2)] * 9 + [IntegrityRecord(0)])
    quiet = EvaluationRecords([IntegrityRecord(0)])
    together = evaluate(total([talkative, quiet])).recall
    assert together == pytest.approx(9 / 11)
    assert together != pytest.approx((evaluate(talkative).recall + evaluate(quiet).recall) / 2)


@given(records, records)
def test_two_users_together_are_their_records_put_together(first, second):
    before = first + second
    assert repr(evaluate(total([first, second]))) == repr(evaluate(before))
    assert len(before.integrity) == len(first.integrity) + len(second.integrity)  # and neither was changed


@given(records)
def test_valid_verdicts_add_up_to_one_and_all_scores_are_shares(found):
    for basis in ("all", "valid"):
        scored = evaluate(found, basis)
        for value in (scored.recall, scored.weighted_recall, scored.target_precision, scored.accuracy, scored.f1):
            assert math.isnan(value) or 0 <= value <= 1
    rates = verdict_rates(found.updates, "valid")
    assert math.isnan(rates["Other"]) or sum(rates.values()) == pytest.approx(1)


@given(records)
def test_with_equal_importance_and_no_partial_score_both_recalls_agree(found):
    even = [replace(item, importance=0.75, score=2 if item.score == 1 else item.score) for item in found.integrity]
    scored = evaluate(EvaluationRecords(even))
    assert scored.recall == pytest.approx(scored.weighted_recall, nan_ok=True)


def test_kinds_count_points_and_updates_together():
    found = EvaluationRecords(
        integrity=[
            IntegrityRecord(2, kind="Event"),
            IntegrityRecord(1, kind="Event"),
            IntegrityRecord(2, kind="Persona"),
            IntegrityRecord(0, kind="Persona", interference=True),  # a distractor is no fact to be kept
        ],
        updates=[VerdictRecord("Correct", "Event"), VerdictRecord("Omission", "Event")],
    )
    assert kind_accuracy(found) == {"Event": 0.5, "Persona": 1.0}


def test_bad_judgements_are_named():
    with pytest.raises(ValueError, match="'Wrong' is no verdict; there are Correct, Hallucination, Omission, Other"):
        VerdictRecord("Wrong")
    with pytest.raises(ValueError, match="A score is 0, 1 or 2, or None where the judgement failed, got 3"):
        IntegrityRecord(3)
    with pytest.raises(ValueError, match="A score is 0, 1 or 2"):
        AccuracyRecord(-1, True)
    with pytest.raises(ValueError, match=r"importance .* 0 to 1, got 1\.5"):
        IntegrityRecord(2, 1.5)
