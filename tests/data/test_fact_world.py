"""The world of facts: names, prompts and answers."""

import numpy as np
import pytest

from mem_core.data import fact_world
from mem_core.data.fact_world import CONTEXTS, OBJECTS, RELATIONS, answer_of, draw_world, word_of


@pytest.fixture
def world():
    return draw_world(np.random.default_rng(0), people=20, names=6)


def test_no_two_people_share_both_names(world):
    assert len({tuple(names) for names in world.people.tolist()}) == 20
    assert len(set(world.people[:, 0])) <= 6
    assert world.people.min() >= 0
    assert world.people.max() < 6


def test_every_pair_of_names_can_be_taken():
    everyone = draw_world(np.random.default_rng(0), people=36, names=6)
    assert len({tuple(names) for names in everyone.people.tolist()}) == 36


def test_a_prompt_is_context_wording_first_and_last_name(world):
    context, asked, first, last = world.prompts(3, 2, 1, 4)
    names = len(CONTEXTS) + 2 * len(RELATIONS)
    assert context == 4
    assert asked == len(CONTEXTS) + 2 * 2 + 1
    assert (first - names, last - names - world.names) == tuple(world.people[3])


def test_no_token_has_two_meanings(world):
    tokens = world.prompts(
        np.arange(20)[:, None, None, None], np.arange(4)[:, None, None], np.arange(2)[:, None], range(8)
    )
    per_place = [set(tokens[..., place].ravel().tolist()) for place in range(4)]
    assert sum(map(len, per_place)) == len(set.union(*per_place))
    assert max(per_place[-1]) < world.vocabulary


def test_questions_are_the_plain_prompts_in_both_wordings(world):
    questions = world.questions()
    assert questions.shape == (20, 4, 2, 4)
    np.testing.assert_array_equal(questions[5, 3, 1], world.prompts(5, 3, 1, 0))


def test_drawn_prompts_carry_the_answer_of_their_fact(world):
    tokens, answers = world.draw(np.random.default_rng(1), 500)
    known = {
        tuple(q[1:]): a for q, a in zip(world.questions().reshape(-1, 4), np.repeat(world.answers, 2), strict=True)
    }
    assert all(known[tuple(prompt[1:])] == answer for prompt, answer in zip(tokens, answers, strict=True))
    assert len(set(tokens[:, 0])) == len(CONTEXTS)


def test_answers_are_numbered_relation_after_relation():
    assert answer_of(0, 7) == 7
    assert answer_of(1, 0) == 8
    words = [word_of(answer) for answer in range(fact_world.ANSWERS)]
    assert words == [word for relation in RELATIONS for word in relation.objects]
    assert len(set(words)) == OBJECTS * len(RELATIONS)


def test_people_have_names(world):
    first, last = world.name(0).split()
    assert first in fact_world.FIRST_NAMES
    assert last in fact_world.LAST_NAMES


def test_impossible_worlds_are_refused():
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="people must be from 1 to 36"):
        draw_world(generator, people=37, names=6)
    with pytest.raises(ValueError, match="names must be from 1 to 16, got 17"):
        draw_world(generator, people=3, names=17)
    with pytest.raises(ValueError, match="count must be at least 1"):
        draw_world(generator, people=3, names=2).draw(generator, 0)
