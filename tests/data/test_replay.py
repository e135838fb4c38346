import math

import numpy as np
import pytest

from mem_core.data.replay import ShareMemory
from mem_core.engine import philox


def test_the_same_share_of_every_task_is_kept():
    memory = ShareMemory(0.1)
    memory.keep(np.arange(100), philox(0, "kept", 0))
    memory.keep(np.arange(1000, 1060), philox(0, "kept", 1))
    assert len(memory) == 10 + 6
    drawn = memory.draw(philox(0, "replayed"), (400,))
    assert len(np.unique(drawn)) == 16  # kept without repetition, drawn with
    assert set(drawn.tolist()) <= {*range(100), *range(1000, 1060)}


def test_what_is_kept_does_not_depend_on_the_order_of_the_examples():
    firsts = []
    for seed in range(400):
        memory = ShareMemory(0.1)
        memory.keep(np.arange(20), philox(seed, "kept"))
        firsts.append((memory.draw(philox(seed, "replayed"), (50,)) < 10).any(axis=0).mean())
    assert 0.7 < np.mean(firsts) < 0.82  # at least one of two from the lower half: 1 - (10 · 9) / (20 · 19) = 0.763


def test_examples_may_be_rows_of_numbers():
    memory = ShareMemory(1.0)
    memory.keep(np.arange(12).reshape(4, 3), philox(0, "kept"))
    drawn = memory.draw(philox(0, "replayed"), (5, 2))
    assert drawn.shape == (5, 2, 3)
    assert (np.diff(drawn, axis=-1) == 1).all()


@pytest.mark.parametrize("share", [0.0, 0.01])
def test_an_empty_memory_says_so(share):
    memory = ShareMemory(share)
    memory.keep(np.arange(20), philox(0, "kept"))
    with pytest.raises(ValueError, match="memory is empty"):
        memory.draw(philox(0, "replayed"), (1,))


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        ShareMemory(share)
