"""Search by cosine, against sorting; and the hashed embedding of texts."""

from __future__ import annotations

import numpy as np
import pytest

from mem_core.engine import Engine
from mem_core.nn.memory_store import hashed_embedding, nearest, unit_vectors


@pytest.mark.parametrize("count", [1, 2, 7, 63, 100])
@pytest.mark.parametrize("k", [1, 3, 6, 20])
def test_search_marks_what_sorting_puts_first(engine: Engine, count: int, k: int) -> None:
    rng = np.random.default_rng(count)
    scores = rng.standard_normal((2, 3, 5, count))
    stored = rng.random((2, 3, 1, count)) < 0.5
    found = engine.to_numpy(nearest(engine, engine.asarray(scores), engine.asarray(stored), k))
    for place in np.ndindex(2, 3, 5):
        alive = np.flatnonzero(stored[place[0], place[1], 0])
        expected = sorted(alive, key=lambda item: -scores[place][item])[:k]
        assert set(np.flatnonzero(found[place])) == set(expected)


def test_an_empty_store_returns_nothing(engine: Engine) -> None:
    scores = engine.asarray(np.ones((4, 9)))
    stored = engine.asarray(np.zeros((1, 9), dtype=bool))
    for k in (1, 9, 12):
        assert not engine.to_numpy(nearest(engine, scores, stored, k)).any()


def test_a_search_for_nothing_is_an_error(engine: Engine) -> None:
    with pytest.raises(ValueError, match="k=0"):
        nearest(engine, engine.asarray(np.ones((1, 3))), engine.asarray(np.ones((1, 3), dtype=bool)), 0)


def test_unit_vectors_have_length_one_and_zero_is_refused(engine: Engine) -> None:
    vectors = np.random.default_rng(0).standard_normal((3, 4, 5))
    lengths = np.linalg.norm(engine.to_numpy(unit_vectors(engine, engine.asarray(vectors))), axis=-1)
    np.testing.assert_allclose(lengths, 1, atol=1e-12)
    vectors[1, 2] = 0
    with pytest.raises(ValueError, match="no direction"):
        unit_vectors(engine, engine.asarray(vectors))


def test_texts_that_share_words_are_nearer_than_others() -> None:
    fact, question, other = hashed_embedding(
        ["Mia said: my home town is Lisbon.", "What is Mia's home town?", "Noah plays the cello on Mondays."], 256
    )
    assert fact @ question > 0.3 > 0.25 > abs(fact @ other)


def test_word_stems_count_and_order_does_not() -> None:
    singing, sang, back = hashed_embedding(["she is singing", "singing is she", "she is singer"], 512)
    assert singing @ sang == pytest.approx(1)
    assert 0.5 < singing @ back < 1


def test_embeddings_are_unit_vectors_that_do_not_depend_on_their_neighbours() -> None:
    alone = hashed_embedding(["one small step"], 64)
    among = hashed_embedding(["a giant leap", "one small step"], 64)
    np.testing.assert_allclose(alone[0], among[1])
    np.testing.assert_allclose(np.linalg.norm(among, axis=1), 1)


@pytest.mark.parametrize("text", ["", "  ", "?!"])
def test_a_text_without_words_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="without words"):
        hashed_embedding(["fine", text], 64)
