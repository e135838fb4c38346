"""The least-squares change of a linear memory: against its defining equations, its dual form and its limits."""

import numpy as np
import pytest

from mem_core.engine import select
from mem_core.nn.linear_associative_memory import constrained_update, second_moment

ENGINES = ("numpy", "torch")
SIZE, WIDTH, PAIRS = 12, 5, 4


@pytest.fixture(params=ENGINES)
def engine(request):
    return select(request.param)


def _problem(engine, pairs=PAIRS, seed=0):
    generator = np.random.default_rng(seed)
    keys, residuals = generator.standard_normal((pairs, SIZE)), generator.standard_normal((pairs, WIDTH))
    others = generator.standard_normal((200, SIZE)) @ generator.standard_normal((SIZE, SIZE))
    arrays = [engine.asarray(array, dtype=engine.xp.float64) for array in (keys, residuals, others)]
    return *arrays, second_moment(engine, arrays[-1])


def _numbers(engine, *arrays):
    return [engine.to_numpy(array) for array in arrays]


def test_the_second_moment_is_not_centred(engine):
    keys = engine.asarray([[1.0, 2.0], [3.0, 4.0]])
    found = engine.to_numpy(second_moment(engine, keys))
    np.testing.assert_allclose(found, [[5.0, 7.0], [7.0, 10.0]], rtol=1e-15)
    assert found.dtype == np.float64


@pytest.mark.parametrize("preservation", [1e-3, 1.0, 300.0])
def test_the_change_has_no_gradient_left(engine, preservation):
    keys, residuals, _, moment = _problem(engine)
    change = constrained_update(engine, keys, residuals, moment, preservation)
    k, r, c, delta = _numbers(engine, keys, residuals, moment, change)
    gradient = 2 * k.T @ (k @ delta - r) + 2 * preservation * c @ delta
    np.testing.assert_allclose(gradient, 0, atol=1e-9 * np.abs(k.T @ r).max())


@pytest.mark.parametrize("preservation", [1e-3, 1.0, 300.0])
def test_the_dual_form_gives_the_same(engine, preservation):
    keys, residuals, _, moment = _problem(engine)
    change = constrained_update(engine, keys, residuals, moment, preservation)
    k, r, c, delta = _numbers(engine, keys, residuals, moment, change)
    small = preservation * np.eye(PAIRS) + k @ np.linalg.solve(c, k.T)
    dual = np.linalg.solve(c, k.T) @ np.linalg.solve(small, r)
    np.testing.assert_allclose(delta, dual, rtol=1e-8, atol=1e-12)


def test_one_pair_is_written_by_a_known_share(engine):
    keys, residuals, _, moment = _problem(engine, pairs=1)
    change = constrained_update(engine, keys, residuals, moment, 2.0)
    k, r, c, delta = _numbers(engine, keys, residuals, moment, change)
    strength = float((k @ np.linalg.solve(c, k.T))[0, 0])
    np.testing.assert_allclose(k @ delta, r * strength / (strength + 2.0), rtol=1e-9)


def test_with_hardly_any_preservation_all_residuals_are_written(engine):
    keys, residuals, _, moment = _problem(engine)
    change = constrained_update(engine, keys, residuals, moment, 1e-10)
    np.testing.assert_allclose(engine.to_numpy(keys @ change), engine.to_numpy(residuals), atol=1e-6)


def test_with_an_identity_it_is_the_rank_one_edit(engine):
    keys, residuals, _, _ = _problem(engine, pairs=1)
    identity = engine.xp.eye(SIZE, dtype=engine.xp.float64)
    change = constrained_update(engine, keys, residuals, identity, 1e-6)
    k, r, delta = _numbers(engine, keys, residuals, change)
    # λ = 1e-6 beside a length near 10 is a share of 1e-7; a smaller λ only adds rounding.
    np.testing.assert_allclose(delta, k.T @ r / float((k @ k.T)[0, 0]), rtol=1e-6)
    assert np.linalg.matrix_rank(delta, tol=1e-8) == 1


def test_with_endless_preservation_nothing_is_written(engine):
    keys, residuals, _, moment = _problem(engine)
    found = engine.to_numpy(constrained_update(engine, keys, residuals, moment, 1e12))
    assert np.abs(found).max() < 1e-9


def test_keys_without_overlap_under_the_moment_keep_their_answers(engine):
    keys, residuals, _, moment = _problem(engine)
    k, c = _numbers(engine, keys, moment)
    overlap = k @ np.linalg.inv(c)  # (E, F); its null space is what is left alone
    untouched = np.linalg.svd(overlap)[2][PAIRS:]
    delta = engine.to_numpy(constrained_update(engine, keys, residuals, moment, 0.5))
    np.testing.assert_allclose(untouched @ delta, 0, atol=1e-9)


def test_a_unit_that_is_never_active_keeps_its_row(engine):
    keys, residuals, others, _ = _problem(engine)
    silent = engine.asarray(np.arange(SIZE) != 3, dtype=engine.xp.float64)
    moment = second_moment(engine, others * silent)
    delta = engine.to_numpy(constrained_update(engine, keys * silent, residuals, moment, 1.0))
    assert (delta[3] == 0).all()
    kept = np.arange(SIZE) != 3
    k, r, c = (engine.to_numpy(array) for array in (keys, residuals, moment))
    without = constrained_update(select("numpy"), k[:, kept], r, c[np.ix_(kept, kept)], 1.0)
    np.testing.assert_allclose(delta[kept], without, rtol=1e-9, atol=1e-12)


def test_narrow_floats_are_solved_in_double_precision(engine):
    keys, residuals, _, moment = _problem(engine)
    narrow = [engine.xp.astype(array, engine.xp.float32) for array in (keys, residuals)]
    found = constrained_update(engine, *narrow, moment, 1.0)
    assert found.dtype == engine.xp.float64


def test_too_few_keys_without_preservation_are_refused(engine):
    keys, residuals, _, moment = _problem(engine)
    with pytest.raises(ValueError, match=r"4 keys of 12 numbers .* preservation is 0: set it above 0"):
        constrained_update(engine, keys, residuals, moment, 0.0)


def test_enough_keys_need_no_preservation(engine):
    keys, residuals, _, moment = _problem(engine, pairs=30)
    change = engine.to_numpy(constrained_update(engine, keys, residuals, moment, 0.0))
    k, r = _numbers(engine, keys, residuals)
    np.testing.assert_allclose(change, np.linalg.lstsq(k, r, rcond=None)[0], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("preservation", [-1.0, float("nan"), float("inf")])
def test_bad_preservation_is_named(engine, preservation):
    keys, residuals, _, moment = _problem(engine)
    with pytest.raises(ValueError, match="preservation is"):
        constrained_update(engine, keys, residuals, moment, preservation)


def test_a_transposed_memory_is_noticed(engine):
    keys, residuals, _, moment = _problem(engine)
    with pytest.raises(ValueError, match="do not fit"):
        constrained_update(engine, keys, residuals.T, moment, 1.0)
    with pytest.raises(ValueError, match="do not fit"):
        constrained_update(engine, keys, residuals, moment[:-1], 1.0)


def test_a_moment_needs_keys(engine):
    with pytest.raises(ValueError, match="keys must have shape"):
        second_moment(engine, engine.xp.zeros((0, 3)))
