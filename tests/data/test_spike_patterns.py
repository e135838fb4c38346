import numpy as np
import pytest

from mem_core.data.spike_patterns import BurstPatterns, draw_patterns
from mem_core.engine import philox

SIZES = {"patterns": 3, "steps": 4, "channels": 12, "density": 0.4, "probability": 0.9, "noise": 0.02}


def patterns(**changes):
    return draw_patterns(philox(0, "patterns"), **{**SIZES, **changes})


def test_cells_and_background_fire_as_often_as_they_should():
    drawn = patterns()
    spikes, labels = drawn.one_burst(philox(0, "trials"), 4000, 50)
    assert spikes.shape == (4000, 54, 12)
    burst, cells = spikes[:, :4], drawn.cells[labels]
    assert burst[cells].mean() == pytest.approx(0.9, abs=0.005)
    assert burst[~cells].mean() == pytest.approx(0.02, abs=0.002)
    assert spikes[:, 4:].mean() == pytest.approx(0.02, abs=0.001)
    assert np.bincount(labels).min() > 1200


def test_reliable_cells_without_noise_are_the_pattern_itself():
    drawn = patterns(probability=1.0, noise=0.0)
    spikes, labels = drawn.one_burst(philox(0, "trials"), 20, 6)
    np.testing.assert_array_equal(spikes[:, :4], drawn.cells[labels])
    assert not spikes[:, 4:].any()


def test_two_bursts_stand_where_the_delay_puts_them_and_their_numbers_add_up():
    drawn = patterns(probability=1.0, noise=0.0)
    spikes, sums = drawn.two_bursts(philox(0, "trials"), 200, between=7, after=3)
    assert spikes.shape == (200, 4 + 7 + 4 + 3, 12)
    matches = [
        (spikes[:, start : start + 4, None] == drawn.cells.swapaxes(0, 1)).all(axis=(1, 3)).argmax(axis=1)
        for start in (0, 11)
    ]
    np.testing.assert_array_equal(matches[0] + matches[1], sums)
    assert set(sums.tolist()) == {0, 1, 2, 3, 4}
    assert not spikes[:, 4:11].any()
    assert not spikes[:, 15:].any()


def test_the_stray_spikes_say_nothing_about_the_pattern():
    spikes, labels = patterns().one_burst(philox(0, "trials"), 60_000, 30)
    counts = spikes[:, 4:].sum(axis=(1, 2))
    means = np.array([counts[labels == label].mean() for label in range(3)])
    np.testing.assert_allclose(means, 30 * 12 * 0.02, atol=4 * counts.std() / np.sqrt(20_000))


def test_the_same_seed_gives_the_same_trials():
    first, second = (patterns().two_bursts(philox(3, "trials"), 5, 2, 1) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize(
    ("change", "words"),
    [({"patterns": 0}, "patterns is 0"), ({"steps": 0}, "steps is 0"), ({"noise": 1.5}, "noise is 1.5")],
)
def test_impossible_patterns_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        patterns(**change)


def test_patterns_say_how_many_and_how_long_they_are():
    drawn = BurstPatterns(np.zeros((2, 5, 3), dtype=bool), 0.9, 0.0)
    assert (drawn.count, drawn.steps) == (2, 5)
