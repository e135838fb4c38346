"""What a learner can change: the attack, the agent, the defences and what is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mem_core.mechanisms.controls import Choice, Choices, Number, SettingsError, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings

ATTACK, AGENT, DEFENCE, VIEW = "The attack", "The agent", "The defences", "The experiment"
NO_DEFENCE, AUDIT, CONSENSUS, LESSONS = "none", "audit", "consensus", "lessons"
DEFENCES = (NO_DEFENCE, AUDIT, CONSENSUS, LESSONS)
JUDGED = (CONSENSUS, LESSONS)
"""Defences that compare reasoning paths."""
VECTORS, CLINIC = "random vectors", "clinic questions"
OFF, BY_TRIGGER, BY_NEIGHBOURS = "off", "by trigger weight", "by records retrieved"
SIMULATOR, LANGUAGE_MODEL = "simulator", "language model"
BY_CLUSTERS, BY_MODEL = "clustering", "language model"

TOPICS = 8
QUERIES = 8
"""Per round."""
MOST_POISON = 24


@dataclass(frozen=True)
class MemGuardSettings(Settings):
    """Settings of the page on poisoned agent memory."""

    n_poison: int = setting(
        4,
        Whole(
            group=ATTACK,
            label="Poisoned records",
            unit="records",
            help="How many records with a malicious action the attacker plants among the honest ones.",
            low=0,
            high=MOST_POISON,
        ),
    )
    trigger_weight: float = setting(
        1.2,
        Number(
            group=ATTACK,
            label="Weight of the trigger, w",
            help="How strongly the trigger pulls a question towards the planted records. 0: no trigger. At 3 they are "
            "all that is retrieved. Clinic questions have the trigger words, or at 0 have not.",
            low=0.0,
            high=3.0,
            step=0.1,
        ),
    )
    p_trigger: float = setting(
        0.5,
        Number(
            group=ATTACK,
            label="Questions with the trigger",
            unit="share",
            help="The other questions are ordinary, and accuracy is measured on those.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    write_back: bool = setting(
        True,
        Switch(
            group=ATTACK,
            label="The agent writes back",
            help="On: every question and the action that was taken become a record. Then a wrong action is precedent "
            "for the next one.",
        ),
    )
    k: int = setting(
        5,
        Whole(
            group=AGENT,
            label="Records retrieved, k",
            unit="records",
            help="The agent imitates the k records most similar to the question.",
            low=1,
            high=11,
        ),
    )
    temperature: float = setting(
        8.0,
        Number(
            group=AGENT,
            label="Sharpness of the vote",
            help="A record votes for its action with weight exp(sharpness × cosine). 0: all records count the same.",
            low=0.0,
            high=20.0,
            step=0.5,
        ),
    )
    own_accuracy: float = setting(
        0.7,
        Number(
            group=AGENT,
            label="Accuracy without memory",
            unit="share",
            help="How often the agent is right where it has no record left to imitate.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    records_per_topic: int = setting(
        15,
        Whole(
            group=AGENT,
            label="Honest records per topic",
            unit="records",
            help="There are eight topics; each has one right action.",
            low=1,
            high=30,
        ),
    )
    defences: tuple[str, ...] = setting(
        DEFENCES,
        Choices(
            group=DEFENCE,
            label="Defences",
            help="none: imitate what is retrieved. audit: look at each planted record alone and remove what looks "
            "wrong. consensus: reason once from each retrieved record and keep the largest group that agrees. "
            "lessons: consensus, and what it rejects is remembered and rejected again.",
            options=DEFENCES,
        ),
    )
    audit_miss: float = setting(
        0.66,
        Number(
            group=DEFENCE,
            label="Missed by the audit",
            unit="share",
            help="Share of the poisoned records that an audit of single records lets pass: 66 % in the benchmark that "
            "the paper cites.",
            low=0.0,
            high=1.0,
            step=0.02,
        ),
    )
    eps: float = setting(
        0.5,
        Number(
            group=DEFENCE,
            label="Distance of agreement, eps",
            unit="1 − cosine",
            help="Two reasoning paths agree if they are at most this far apart (DBSCAN).",
            low=0.05,
            high=1.0,
            step=0.05,
        ),
    )
    path_noise: float = setting(
        0.35,
        Number(
            group=DEFENCE,
            label="Noise of the wording",
            help="Length of the random vector added to each reasoning path, beside a content of length 1. High: "
            "honest paths no longer agree. Clinic questions have wordings of their own instead.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    lesson_path: float = setting(
        0.8,
        Number(
            group=DEFENCE,
            label="A lesson applies: path",
            unit="cosine",
            help="A lesson rejects a path at least this similar to the rejected one, if the question fits too.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    lesson_query: float = setting(
        0.5,
        Number(
            group=DEFENCE,
            label="A lesson applies: question",
            unit="cosine",
            help="And only for questions at least this similar to the lesson's. At 0 or below nearly every question "
            "fits, and honest records are rejected too.",
            low=-1.0,
            high=1.0,
            step=0.05,
        ),
    )
    rounds: int = setting(
        40,
        Whole(
            group=VIEW,
            label="Rounds",
            unit="rounds",
            help=f"Of {QUERIES} questions each. What is written back is there for the next question already.",
            low=10,
            high=100,
        ),
    )
    lives: int = setting(
        4,
        Whole(
            group=VIEW,
            label="Worlds averaged",
            unit="worlds",
            help="Independent worlds with their own topics, records and questions; one alone is a draw of luck.",
            low=1,
            high=30,
        ),
    )
    inspected: str = setting(
        CONSENSUS,
        Choice(
            group=VIEW,
            label="Look into",
            help="Whose memory and reasoning paths the map and the matrix show.",
            options=JUDGED,
        ),
    )
    inspected_round: int = setting(
        3,
        Whole(
            group=VIEW,
            label="Round looked at",
            unit="round",
            help="The map and the matrix show the question of this round, in the first world, that brings back most "
            "poison; with fewer rounds, of the last one.",
            low=1,
            high=100,
        ),
    )
    phase: str = setting(
        BY_TRIGGER,
        Choice(
            group=VIEW,
            label="Phase diagram",
            help="Attack success over the number of poisoned records and one more setting; it comes last in a run.",
            options=(OFF, BY_TRIGGER, BY_NEIGHBOURS),
        ),
    )
    phase_lives: int = setting(
        1,
        Whole(
            group=VIEW,
            label="Worlds per cell of the diagram",
            unit="worlds",
            help="More make the diagram smoother and the run longer.",
            low=1,
            high=30,
        ),
    )
    embedding: str = setting(
        VECTORS,
        Choice(
            group=VIEW,
            label="Questions are",
            help="random vectors, or 60 clinic questions made from templates, with four trigger words, embedded by a "
            "sentence encoder where one is installed and else by the words they share.",
            options=(VECTORS, CLINIC),
        ),
    )
    reasoner: str = setting(
        SIMULATOR,
        Choice(
            group=VIEW,
            label="Who reasons",
            help="simulator: rules. language model: a real model also writes the reasoning chains for a few clinic "
            "questions, if whoever runs this page has set one up.",
            options=(SIMULATOR, LANGUAGE_MODEL),
        ),
    )
    judge: str = setting(
        BY_CLUSTERS,
        Choice(
            group=VIEW,
            label="Who judges the model's chains",
            help="clustering: DBSCAN over their embeddings. language model: one more call sees all chains.",
            options=(BY_CLUSTERS, BY_MODEL),
        ),
    )

    def check_together(self) -> None:
        """Refuse a language model without texts for it to read."""
        if self.reasoner == LANGUAGE_MODEL and self.embedding != CLINIC:
            raise SettingsError(
                f"reasoner is {LANGUAGE_MODEL!r}, but a language model reads texts: set embedding to {CLINIC!r} first."
            )


BROWSER = MemGuardSettings()
CPU = MemGuardSettings(lives=30, phase=BY_NEIGHBOURS, phase_lives=30)
GPU = MemGuardSettings(lives=30, phase=BY_NEIGHBOURS, phase_lives=4, embedding=CLINIC)
"""Texts and their sentence encoder; who has set up a language model can let it reason here."""
PRESETS: dict[Literal["browser", "cpu", "gpu"], MemGuardSettings] = {"browser": BROWSER, "cpu": CPU, "gpu": GPU}
