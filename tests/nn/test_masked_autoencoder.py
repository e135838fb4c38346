import math

import numpy as np
import pytest
import torch

from mem_core.engine import map_tree, philox
from mem_core.nn.masked_autoencoder import errors, filled_in, initial, patches_of

SIZES = {"runs": 2, "patches": 4, "pixels": 3, "width": 5}


def weights(engine):
    other = philox(1, "weights")
    params = initial(engine, philox(0, "weights"), **SIZES)
    return map_tree(lambda leaf: leaf + engine.asarray(other.standard_normal(leaf.shape)), params)


def pictures(engine, count=6):
    generator = philox(2, "pictures")
    hidden = (generator.random((count, 4)) < 0.6).astype(float)
    hidden[:, 0] = 1
    return engine.asarray(generator.random((count, 4, 3))), engine.asarray(hidden)


def test_patches_are_cut_row_by_row():
    image = np.arange(16.0).reshape(1, 4, 4)
    assert patches_of(image, 2)[0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]


def test_patches_must_fill_the_picture():
    with pytest.raises(ValueError, match="side must divide"):
        patches_of(np.zeros((1, 8, 8)), 3)


def test_the_network_is_a_perceptron_on_the_seen_pixels_and_the_mask(engine):
    params, (patches, hidden) = weights(engine), pictures(engine)
    found = engine.to_numpy(filled_in(engine, params, patches, hidden))
    leaves = {name: torch.from_numpy(np.array(engine.to_numpy(leaf))) for name, leaf in params.items()}
    seen = engine.to_numpy(patches) * (1 - engine.to_numpy(hidden))[:, :, None]
    inputs = torch.from_numpy(np.concatenate([seen.reshape(6, 12), engine.to_numpy(hidden)], axis=1))
    for run in range(2):
        first = torch.cat([leaves["from_pixels"][run], leaves["from_mask"][run]])
        value = torch.nn.functional.gelu(inputs @ first + leaves["first_bias"][run], approximate="tanh")
        value = torch.nn.functional.gelu(value @ leaves["hidden"][run] + leaves["hidden_bias"][run], approximate="tanh")
        value = value @ leaves["out"][run] + leaves["out_bias"][run]
        np.testing.assert_allclose(found[run], value.numpy(), rtol=1e-10, atol=1e-12)


def test_what_is_hidden_does_not_reach_the_network(engine):
    params, (patches, hidden) = weights(engine), pictures(engine)
    other = patches + hidden[:, :, None] * 7.0
    np.testing.assert_array_equal(
        engine.to_numpy(filled_in(engine, params, patches, hidden)),
        engine.to_numpy(filled_in(engine, params, other, hidden)),
    )


def test_only_hidden_pixels_count_as_errors(engine):
    params, (patches, hidden) = weights(engine), pictures(engine)
    found = engine.to_numpy(errors(engine, params, patches, hidden))
    wrong = engine.to_numpy(filled_in(engine, params, patches, hidden)).reshape(2, 6, 4, 3) - engine.to_numpy(patches)
    for run in range(2):
        expected = (wrong[run][engine.to_numpy(hidden) == 1] ** 2).mean()
        assert found[run] == pytest.approx(expected, rel=1e-12)


def test_first_weights_are_within_torchs_bounds(engine):
    params = map_tree(engine.to_numpy, initial(engine, philox(0, "weights"), **SIZES))
    for name, leaf in params.items():
        inputs = 16 if name.startswith(("from", "first")) else 5
        assert np.abs(leaf).max() <= 1 / math.sqrt(inputs)
        np.testing.assert_array_equal(leaf[0], leaf[1])


@pytest.mark.parametrize("size", ["runs", "patches", "pixels", "width"])
def test_sizes_below_one_are_named(engine, size):
    with pytest.raises(ValueError, match=size):
        initial(engine, philox(0, "weights"), **(SIZES | {size: 0}))
