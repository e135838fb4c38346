import math

import numpy as np
import pytest

from mem_core.data.replay import BalancedMemory, ShareMemory
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


# A memory shared equally by all groups


def grown(capacity, sizes, seed=0):
    """Store groups one by one, group g with the numbers 100·g, 100·g + 1, ..."""
    memory = BalancedMemory(capacity)
    for number, size in enumerate(sizes):
        memory.keep({number: 100 * number + np.arange(size)}, philox(seed, "kept", number))
    return memory


def test_places_are_shared_equally_by_the_groups_seen_so_far():
    for groups in range(1, 6):
        memory = grown(60, [100] * groups)
        assert [len(kept) for kept in memory.kept.values()] == [60 // groups] * groups
        for number, kept in memory.kept.items():
            assert len(np.unique(kept)) == len(kept)
            assert set(kept // 100) == {number}


def test_a_small_group_keeps_all_it_has_and_leaves_its_places_empty():
    assert [len(kept) for kept in grown(60, [100, 5, 100]).kept.values()] == [20, 5, 20]


def test_what_an_old_group_gives_up_is_random():
    kept = [set(grown(10, [20, 20], seed).kept[0].tolist()) for seed in range(400)]
    shares = np.mean([[number in one for number in range(20)] for one in kept], axis=0)
    np.testing.assert_allclose(shares, 5 / 20, atol=0.08)  # four standard errors of a share over 400 draws


def test_what_stays_was_stored_before():
    memory = grown(10, [20])
    before = set(memory.kept[0].tolist())
    memory.keep({1: 100 + np.arange(20)}, philox(1, "kept"))
    assert set(memory.kept[0].tolist()) < before


def test_a_batch_is_drawn_without_replacement_and_is_all_there_is_if_that_is_less():
    memory = grown(40, [100, 100])
    generator = philox(0, "replayed")
    drawn = memory.draw(generator, 30)
    assert len(np.unique(drawn)) == 30
    assert not np.array_equal(drawn, memory.draw(generator, 30))
    everything = memory.draw(generator, 64)
    assert sorted(everything.tolist()) == sorted(np.concatenate(list(memory.kept.values())).tolist())
    assert len(memory) == 40


def test_a_balanced_memory_says_what_it_cannot_do():
    with pytest.raises(ValueError, match="capacity must be 1 or more"):
        BalancedMemory(0)
    with pytest.raises(ValueError, match="capacity must be at least the 3 groups"):
        grown(2, [5, 5, 5])
    with pytest.raises(ValueError, match="groups must be new"):
        grown(10, [5]).keep({0: np.arange(5)}, philox(0, "kept"))
    with pytest.raises(ValueError, match="memory is empty"):
        BalancedMemory(5).draw(philox(0, "replayed"), 1)
