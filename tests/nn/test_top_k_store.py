"""The store against sorting, one query and one view at a time."""

from __future__ import annotations

import numpy as np
import pytest

from mem_core.engine import Engine
from mem_core.nn import top_k_store
from mem_core.nn.top_k_store import TopKStore, top_k


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.standard_normal(shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.mark.parametrize("count", [1, 6, 63])
@pytest.mark.parametrize("k", [1, 5, 11])
@pytest.mark.parametrize("at_once", [10, 2_000_000])
def test_search_is_sorting(engine: Engine, count: int, k: int, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top_k_store, "SCORES_AT_ONCE", at_once)
    rng = np.random.default_rng(count)
    vectors, queries, held = unit(rng, 2, count, 4), unit(rng, 2, 9, 4), rng.random((2, 3, count)) < 0.7
    written = rng.integers(0, count + 1, size=9)
    store = TopKStore(engine, engine.asarray(vectors), engine.asarray(held))
    places, cosines, found = map(engine.to_numpy, store.search(engine.asarray(queries), k, engine.asarray(written)))
    for b, g, q in np.ndindex(2, 3, 9):
        there = [n for n in range(written[q]) if held[b, g, n]]
        best = sorted(there, key=lambda n: -(queries[b, q] @ vectors[b, n]))[:k]
        assert places[b, g, q][found[b, g, q]].tolist() == best
        np.testing.assert_allclose(cosines[b, g, q][found[b, g, q]], vectors[b, best] @ queries[b, q], atol=1e-12)
        assert found[b, g, q].tolist() == sorted(found[b, g, q].tolist(), reverse=True)


def test_what_is_written_is_found_afterwards_in_every_view(engine: Engine) -> None:
    rng = np.random.default_rng(0)
    old, new = unit(rng, 1, 5, 8), unit(rng, 1, 2, 8)
    store = TopKStore(engine, engine.asarray(old), engine.asarray(np.zeros((1, 2, 5), dtype=bool)))
    assert not engine.to_numpy(store.search(engine.asarray(new), 3)[2]).any()
    store.write(engine.asarray(3.0 * new))
    assert len(store) == 7
    places, cosines, found = map(engine.to_numpy, store.search(engine.asarray(new), 3))
    assert places[0, :, :, 0].tolist() == [[5, 6], [5, 6]]
    np.testing.assert_allclose(cosines[0, :, :, 0], 1, atol=1e-12)
    assert found.sum(axis=-1).tolist() == [[[2, 2], [2, 2]]]


def test_top_k_puts_the_highest_first(engine: Engine) -> None:
    scores = np.random.default_rng(1).standard_normal((4, 50))
    places, values = map(engine.to_numpy, top_k(engine, engine.asarray(scores), 7))
    np.testing.assert_array_equal(places, np.argsort(-scores, axis=-1)[:, :7])
    np.testing.assert_allclose(values, -np.sort(-scores, axis=-1)[:, :7])


def test_what_cannot_be_searched_is_refused(engine: Engine) -> None:
    held = engine.asarray(np.ones((1, 1, 2), dtype=bool))
    with pytest.raises(ValueError, match="no direction"):
        TopKStore(engine, engine.asarray(np.zeros((1, 2, 3))), held)
    with pytest.raises(ValueError, match="do not fit"):
        TopKStore(engine, engine.asarray(np.ones((1, 3, 3))), held)
    store = TopKStore(engine, engine.asarray(np.ones((1, 2, 3))), held)
    with pytest.raises(ValueError, match="no direction"):
        store.write(engine.asarray(np.zeros((1, 1, 3))))
    with pytest.raises(ValueError, match="k=0"):
        store.search(engine.asarray(np.ones((1, 1, 3))), 0)
