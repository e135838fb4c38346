"""Parameters written to a file and read back."""

import numpy as np
import pytest

from mem_core.nn import checkpoint

PARAMS = {
    "weight": np.arange(6.0).reshape(2, 3) / 7,
    "block": {"bias": np.array([1.0, -2.0]), "deep": {"x": np.ones(1)}},
}


def test_what_was_saved_comes_back_as_float32(engine, tmp_path):
    path = tmp_path / "params.npz"
    checkpoint.save(engine, {"weight": engine.asarray(PARAMS["weight"]), "block": PARAMS["block"]}, path)
    found = checkpoint.load(engine, path.read_bytes())
    assert found.keys() == PARAMS.keys()
    np.testing.assert_array_equal(engine.to_numpy(found["weight"]), PARAMS["weight"].astype(np.float32))
    np.testing.assert_array_equal(engine.to_numpy(found["block"]["deep"]["x"]), [1.0])
    assert found["weight"].dtype == engine.float_dtype


def test_the_same_parameters_give_the_same_bytes(engine, tmp_path):
    for name in ("first", "second"):
        checkpoint.save(engine, PARAMS, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_key_that_would_be_split_is_refused(engine, tmp_path):
    with pytest.raises(ValueError, match="'a/b'"):
        checkpoint.save(engine, {"a/b": np.ones(1)}, tmp_path / "params.npz")
