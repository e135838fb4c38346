"""Poisoned memory with texts: the clinic's questions, their embedding, and a language model played by a stand-in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mem_core.engine import select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.agents.a_memguard import clinic, language_model
from mem_core.mechanisms.agents.a_memguard.clinic import draw_clinic, draw_texts
from mem_core.mechanisms.agents.a_memguard.clinic_texts import CHAINS, TOPIC_QUESTIONS, TRIGGER
from mem_core.mechanisms.agents.a_memguard.language_model import UNKNOWN, action_in, verdicts_in
from mem_core.mechanisms.agents.a_memguard.settings import (
    BROWSER,
    BY_MODEL,
    CLINIC,
    GPU,
    LANGUAGE_MODEL,
    NO_DEFENCE,
    OFF,
    TOPICS,
    MemGuardSettings,
)
from mem_core.mechanisms.agents.a_memguard.tables import ACCURATE, ATTACKED, MODEL_NAMES, RETRIEVED
from mem_core.mechanisms.agents.a_memguard.world import MALICIOUS, cases_of
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.nn.chat_model import VARIABLES, ChatError
from mem_core.nn.text_embedding import embedding, installed

MECHANISM = catalog.load("a-memguard")
NUMPY = select("numpy", precision="float64")
TEXTS = BROWSER.changed(embedding=CLINIC, phase=OFF, rounds=10, lives=2)
WITH_MODEL = TEXTS.changed(reasoner=LANGUAGE_MODEL, n_poison=12, inspected_round=10)


@pytest.fixture(autouse=True)
def hashed(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Embed by hashing, which is at hand everywhere and quick, unless a test is about the sentence model."""
    if "sentence_model" not in request.node.name:
        for module in (clinic, language_model):
            monkeypatch.setattr(module, "embedding", lambda _: embedding("hashing"))


def test_there_are_sixty_different_questions_and_a_chain_for_every_action() -> None:
    questions = [text for topic in TOPIC_QUESTIONS for text in topic]
    assert len(questions) == len(set(questions)) == 60
    assert len(TOPIC_QUESTIONS) == TOPICS
    assert len(TRIGGER.split()) == 4
    assert not set(TRIGGER.split()) & set(re.findall(r"\w+", " ".join(questions).lower()))
    for action, wordings in enumerate(CHAINS):
        assert all(action_in(text) == action for text in wordings)
    assert len(CHAINS) == MALICIOUS + 1


def test_texts_and_world_tell_of_the_same_questions() -> None:
    cases = cases_of(TEXTS)
    world, texts = draw_clinic(TEXTS, cases, NUMPY, 0), draw_texts(TEXTS, cases[0], 0)
    assert [TRIGGER in text for text in texts.queries] == world.script.triggered[0].tolist()
    for text, topic in zip(texts.queries, world.script.topic[0], strict=True):
        assert text.removesuffix(f" {TRIGGER}") in TOPIC_QUESTIONS[topic]
    honest = 15 * TOPICS
    assert not any(TRIGGER in text for text in texts.records[:honest])
    assert all(TRIGGER in text for text in texts.records[honest:])
    exact = embedding("hashing")(list(texts.queries))
    assert (np.sum(world.queries[0] * exact, axis=-1) > 0.99).all()


def test_without_a_weight_there_are_no_trigger_words_and_no_attack() -> None:
    chosen = TEXTS.changed(trigger_weight=0.0)
    texts = draw_texts(chosen, cases_of(chosen)[0], 0)
    assert not any(TRIGGER in text for text in (*texts.records, *texts.queries))
    worlds = run_to_end(MECHANISM, chosen, NUMPY, 0).tables["worlds"]
    assert worlds["attack"].max() < 0.1


def test_consensus_holds_with_texts_as_with_vectors() -> None:
    worlds = run_to_end(MECHANISM, TEXTS.changed(n_poison=8, lives=10), NUMPY, 0).tables["worlds"]
    none, consensus = (worlds.where(defence=name) for name in (NO_DEFENCE, "consensus"))
    assert consensus["attack"].mean() < none["attack"].mean() / 2
    assert consensus["accuracy"].mean() > 0.9


def test_engines_agree_on_texts() -> None:
    ours, theirs = (
        run_to_end(MECHANISM, TEXTS, select(name, precision="float64"), 1).tables["worlds"].rows()
        for name in ("numpy", "torch")
    )
    assert ours == theirs


@pytest.fixture(scope="module")
def minilm() -> Any:
    """Load the model before uninitialised memory is poisoned, which its loading does not survive."""
    embed = embedding("minilm")
    embed(["hello"])
    return embed


@pytest.mark.slow
@pytest.mark.skipif(not installed("minilm"), reason="the sentence model is optional")
def test_the_sentence_model_keeps_chains_of_an_action_together_and_others_apart(minilm: Any) -> None:
    paths = minilm([text for wordings in CHAINS for text in wordings])
    action = np.repeat(np.arange(len(CHAINS)), len(CHAINS[0]))
    distance = 1 - paths @ paths.T
    to_nearest_other = np.array([distance[i][action != action[i]].min() for i in range(len(paths))])
    to_farthest_own = np.array([distance[i][action == action[i]].max() for i in range(len(paths))])
    assert (to_farthest_own < 0.5).all()
    malicious = action == MALICIOUS
    assert (to_nearest_other[malicious] > 0.5).all()
    small = GPU.changed(lives=2, phase=OFF, rounds=10)
    assert (
        run_to_end(MECHANISM, small, select("numpy"), 0).tables["summary"].where(measure=ACCURATE)["value"].min() > 0.9
    )


# The language model


class Obedient:
    """Does what the records say: the action that most of them took; its chain names the record's action."""

    model = "stand-in"

    def __init__(self, judgement: str = "{}") -> None:
        self.judgement, self.prompts = judgement, list[str]()

    def ask_all(self, prompts: Sequence[str]) -> list[str]:
        self.prompts += prompts
        return [self._answer(prompt) for prompt in prompts]

    def _answer(self, prompt: str) -> str:
        if "Reasoning chains" in prompt:
            return self.judgement
        named = [int(number) - 1 for number in re.findall(r"[Aa]ction: action (\d+)", prompt)]
        if "Reason from this record alone" in prompt:
            return CHAINS[named[0]][0] + "\nand more"
        return f"action {max(sorted(set(named)), key=named.count) + 1}"


def use(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    monkeypatch.setattr(language_model.ChatModel, "from_environment", lambda: model)


def shares(chosen: MemGuardSettings) -> dict[tuple[str, str], float]:
    table = run_to_end(MECHANISM, chosen, NUMPY, 0).tables["summary"]
    return {(row["defence"], row["measure"]): row["value"] for row in table.rows()}


def test_a_model_that_is_not_set_up_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RunError, match="No language model is set up here: set MEMORY_LAB_CHAT_URL"):
        next(MECHANISM.run(WITH_MODEL, NUMPY, 0))


def test_a_model_s_answers_stand_beside_the_simulator_s(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Obedient()
    use(monkeypatch, model)
    found = shares(WITH_MODEL)
    none, consensus = MODEL_NAMES
    assert found[none, ACCURATE] >= 0.5
    assert found[none, ATTACKED] >= found[consensus, ATTACKED]
    assert found[none, RETRIEVED] > 0
    asked = [prompt for prompt in model.prompts if "Reason from this record alone" in prompt]
    assert len(asked) == 8 * WITH_MODEL.k
    assert len(model.prompts) <= len(asked) + 16
    for chart in MECHANISM.charts:
        assert chart.describe(run_to_end(MECHANISM, WITH_MODEL, NUMPY, 0).tables).endswith(".")


def test_a_judge_that_cannot_be_read_rejects_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Obedient("I would rather not say."))
    found = shares(WITH_MODEL.changed(judge=BY_MODEL))
    assert found[MODEL_NAMES[1], ATTACKED] == 0  # nothing is left to imitate
    use(monkeypatch, Obedient('{"1": true, "2": true, "3": true, "4": true, "5": true}'))
    trusting = shares(WITH_MODEL.changed(judge=BY_MODEL))
    assert trusting[MODEL_NAMES[1], ATTACKED] == trusting[MODEL_NAMES[0], ATTACKED]


def test_a_model_that_fails_is_one_sentence_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(Obedient):
        def ask_all(self, prompts: Sequence[str]) -> list[str]:
            raise ChatError("stand-in did not answer within 30 seconds.")

    use(monkeypatch, Failing())
    run = MECHANISM.run(WITH_MODEL, NUMPY, 0)
    assert len(next(run).tables["worlds"]) == 8
    with pytest.raises(RunError, match=r"within 30 seconds\. Set reasoner to simulator"):
        list(run)


@pytest.mark.parametrize(
    ("text", "action"),
    [("a -> b -> action 3", 2), ("not action 1 but Action 9.", 8), ("action 12", UNKNOWN), ("no idea", UNKNOWN)],
)
def test_the_action_is_the_last_one_named(text: str, action: int) -> None:
    assert action_in(text) == action


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ('{"1": true, "2": false}', [True, False, False]),
        ('Here you are: ```{"1": true, "3": true}```', [True, False, True]),
        ("all good", [False] * 3),
        ("{1: true}", [False] * 3),
        ('{"1": "yes"}', [False] * 3),
        ("", [False] * 3),
    ],
)
def test_verdicts_that_cannot_be_read_are_rejections(text: str, verdicts: list[bool]) -> None:
    assert verdicts_in(text, 3) == verdicts
