import numpy as np
import pytest
from scipy.optimize import minimize

from mem_core.engine import philox, select
from mem_core.training.gradient_projection import MOST_TASKS, correction, dual_weights

ENGINES = ("numpy", "torch")


@pytest.fixture(params=ENGINES)
def engine(request):
    return select(request.param, precision="float64")


def tree(engine, rows):
    """Put one vector for each network into a tree of two leaves."""
    rows = np.asarray(rows)
    return {"a": engine.asarray(rows[:, :3]), "b": engine.asarray(rows[:, 3:])}


def turned(engine, gradient, references, **options):
    """Return g̃ of one network as a vector."""
    found = correction(engine, tree(engine, [gradient]), [tree(engine, [each]) for each in references], **options)
    return gradient + np.concatenate([engine.to_numpy(found[name])[0] for name in ("a", "b")])


def test_one_violated_constraint_loses_exactly_its_component(engine):
    generator = philox(0, "gradients")
    reference = generator.normal(size=8)
    gradient = generator.normal(size=8) - 2 * reference
    found = turned(engine, gradient, [reference], margin=0.0, ridge=0.0)
    expected = gradient - (gradient @ reference) / (reference @ reference) * reference
    np.testing.assert_allclose(found, expected, atol=1e-13)


@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_without_a_violation_the_gradient_stays_bit_for_bit(engine, margin):
    gradient = philox(1, "gradient").normal(size=8)
    np.testing.assert_array_equal(turned(engine, gradient, [gradient, 2 * gradient], margin=margin), gradient)


@pytest.mark.parametrize("tasks", [1, 2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_no_remembered_task_gets_worse(engine, tasks, seed):
    generator = philox(seed, "conflict")
    references = generator.normal(size=(tasks, 8))
    gradient = generator.normal(size=8) - references.sum(axis=0)
    found = turned(engine, gradient, references, margin=0.0)
    scale = np.abs(references @ gradient).max()
    assert (references @ found).min() >= -1e-2 * scale  # the ridge gives way a little


@pytest.mark.parametrize("margin", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_the_weights_solve_the_quadratic_programme_as_scipy_does(margin, seed):
    generator = philox(seed, "programme")
    references = generator.normal(size=(3, 8))
    gradient = generator.normal(size=8) - 0.5 * references[0]
    gram, overlaps = references @ references.T, references @ gradient
    overlaps[0] = -abs(overlaps[0])
    curvature = gram + 1e-3 * np.eye(3)
    expected = minimize(
        lambda v: 0.5 * v @ curvature @ v + overlaps @ v,
        np.ones(3),
        jac=lambda v: curvature @ v + overlaps,
        bounds=[(margin, None)] * 3,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10},
    ).x
    np.testing.assert_allclose(dual_weights(gram, overlaps, margin=margin), expected, atol=1e-6)


def test_identical_memories_share_the_correction():
    reference = np.array([1.0, 0.0, 0.0, 0.0])
    gram = np.full((2, 2), reference @ reference)
    weights = dual_weights(gram, np.array([-1.0, -1.0]), margin=0.0)
    np.testing.assert_allclose(weights, 1 / (2 + 1e-3))


def test_networks_are_corrected_one_by_one(engine):
    references, gradients = np.eye(2, 8), np.zeros((2, 8))
    gradients[0, 0], gradients[1, 0] = -1.0, 1.0
    found = correction(engine, tree(engine, gradients), [tree(engine, references[[0, 0]])], margin=0.0, ridge=0.0)
    np.testing.assert_allclose(engine.to_numpy(found["a"])[:, 0], [1.0, 0.0])


@pytest.mark.parametrize("count", [0, MOST_TASKS + 1])
def test_too_few_or_too_many_references_are_refused(count):
    engine = select("numpy")
    with pytest.raises(ValueError, match="references"):
        correction(engine, tree(engine, np.ones((1, 8))), [tree(engine, np.ones((1, 8)))] * count, margin=0.0)
