"""ROUGE against the package rouge-score, the one that the usual evaluation libraries call."""

import pytest
from rouge_score.rouge_scorer import RougeScorer

from mem_core.data.rouge import rouge_l, rouge_n
from mem_core.engine import philox

SCORER = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)


def theirs(text, reference):
    scores = SCORER.score(" ".join(map(str, reference)), " ".join(map(str, text)))
    return {name: score.fmeasure for name, score in scores.items()}


def ours(text, reference):
    return {
        "rouge1": rouge_n(text, reference, 1),
        "rouge2": rouge_n(text, reference, 2),
        "rougeL": rouge_l(text, reference),
    }


@pytest.mark.parametrize("lengths", [(12, 12), (5, 9), (9, 5), (1, 4), (4, 1), (1, 1)])
@pytest.mark.parametrize("words", [2, 5, 40])
def test_equals_the_package_on_texts_with_repeats(lengths, words):
    generator = philox(0, "texts", *lengths, words)
    for _ in range(20):
        text, reference = (generator.integers(words, size=length).tolist() for length in lengths)
        assert ours(text, reference) == pytest.approx(theirs(text, reference), abs=1e-12)


def test_the_same_text_scores_one_and_another_zero():
    assert ours([1, 2, 3], [1, 2, 3]) == {"rouge1": 1, "rouge2": 1, "rougeL": 1}
    assert ours([1, 2, 3], [4, 5, 6]) == {"rouge1": 0, "rouge2": 0, "rougeL": 0}
    assert ours([], [1]) == {"rouge1": 0, "rouge2": 0, "rougeL": 0}


def test_order_counts_for_the_longest_subsequence_alone():
    assert ours([1, 2, 3, 4], [4, 3, 2, 1]) == {"rouge1": 1, "rouge2": 0, "rougeL": 0.25}


def test_runs_shorter_than_one_are_refused():
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        rouge_n([1], [1], 0)
