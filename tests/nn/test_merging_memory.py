import numpy as np
import pytest

from mem_core.engine import select
from mem_core.nn.merging_memory import MergingMemory, Record, Similarities
from mem_core.nn.text_embedding import embedding

ANGLES = {"north": 90.0, "north east": 45.0, "east": 0.0, "almost east": 10.0, "south": -90.0}
"""Texts as directions in a plane: the cosine of two is that of the angle between them."""


class Compass:
    name, dimension = "compass", 2

    def __call__(self, texts):
        angles = np.radians([ANGLES[text] for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.fixture
def compass(engine):
    return Similarities(engine, Compass(), list(ANGLES))


def memory_of(compass, threshold, *texts):
    memory = MergingMemory(compass, threshold)
    for text in texts:
        memory.write(text)
    return memory


def texts(records):
    return [record.text for record in records]


def test_cosines_are_those_of_the_angles(compass):
    assert compass("north", "north") == 1
    assert compass("north", "east") == 0
    assert compass("north", "north east") == pytest.approx(np.sqrt(0.5), abs=1e-9)
    assert compass("north", "south") == -1


def test_a_nearer_text_than_the_threshold_is_overwritten_in_its_place(compass):
    memory = memory_of(compass, 0.9, "north", "east")
    overwritten = memory.write("almost east")
    assert overwritten == Record("east", 1)
    assert memory.records == [Record("north", 0), Record("almost east", 2)]


def test_the_threshold_itself_does_not_overwrite(compass):
    assert len(memory_of(compass, 1.0, "north", "north").records) == 2
    assert len(memory_of(compass, 0.99, "north", "north").records) == 1


def test_the_nearest_is_overwritten_and_of_equals_the_newest(compass):
    assert texts(memory_of(compass, 0.5, "north east", "almost east", "east").records) == ["east"]
    memory = memory_of(compass, 0.6, "east", "north", "north east")
    assert texts(memory.records) == ["east", "north east"]


def test_below_every_cosine_one_record_is_left_and_above_all_none_is_lost(compass):
    assert len(memory_of(compass, -1.1, *ANGLES).records) == 1
    assert len(memory_of(compass, 1.0, *ANGLES).records) == len(ANGLES)


def test_a_search_returns_the_nearest_first_and_the_newest_of_equals(compass):
    memory = memory_of(compass, 1.0, "north", "east", "almost east", "north")
    assert texts(memory.search("east", 2)) == ["east", "almost east"]
    assert memory.search("north", 2) == [Record("north", 3), Record("north", 0)]
    assert len(memory.search("north", 20)) == 4
    assert memory_of(compass, 0.5).search("north", 3) == []


def test_bad_input_is_named(compass):
    with pytest.raises(ValueError, match="at least one record, got k=0"):
        memory_of(compass, 0.5, "north").search("north", 0)
    with pytest.raises(ValueError, match="not among those whose cosines were computed: 'west'"):
        memory_of(compass, 0.5).write("west")


def test_both_engines_give_the_same_cosines_to_the_last_digit():
    words = [f"a text about {word}" for word in ("rowing", "judo", "glaciers", "jazz", "a cat")]
    tables = [Similarities(select(name), embedding("hashing"), words).rows for name in ("numpy", "torch")]
    assert tables[0] == tables[1]
    vectors = embedding("hashing")(words)
    np.testing.assert_allclose(tables[0], vectors @ vectors.T, atol=1e-9)
