"""The hypergeometric distribution against SciPy and against drawing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import hypergeom

from mem_core.nn.hypergeometric import chance_of_majority, hypergeometric


@pytest.mark.parametrize(("marked", "unmarked", "drawn"), [(4, 120, 5), (24, 120, 11), (3, 2, 5), (0, 7, 3), (7, 0, 4)])
def test_it_is_scipys(marked: int, unmarked: int, drawn: int) -> None:
    theirs = hypergeom(marked + unmarked, marked, drawn)
    np.testing.assert_allclose(hypergeometric(marked, unmarked, drawn), theirs.pmf(range(drawn + 1)), atol=1e-12)
    assert chance_of_majority(marked, unmarked, drawn) == pytest.approx(theirs.sf(drawn // 2), abs=1e-12)


@pytest.mark.parametrize("drawn", [4, 5])
def test_drawing_many_samples_comes_to_the_same(drawn: int) -> None:
    rng, samples = np.random.default_rng(0), 4000
    order = rng.permuted(np.tile(np.arange(20), (samples, 1)), axis=1)[:, :drawn]
    share = float(((order < 8).sum(axis=1) > drawn / 2).mean())
    chance = chance_of_majority(8, 12, drawn)
    assert share == pytest.approx(chance, abs=3 * math.sqrt(chance * (1 - chance) / samples))


@pytest.mark.parametrize("numbers", [(-1, 3, 1), (1, 3, 5), (1, 3, -1)])
def test_impossible_draws_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be drawn"):
        hypergeometric(*numbers)
