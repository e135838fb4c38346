"""The views of a run."""

from __future__ import annotations

from mem_core.mechanisms.agents.a_memguard import descriptions
from mem_core.mechanisms.agents.a_memguard.majority import KINDS
from mem_core.mechanisms.agents.a_memguard.scene import LESSON_KINDS, TOPIC_NAMES
from mem_core.mechanisms.agents.a_memguard.settings import CONSENSUS, DEFENCES, LESSONS, NO_DEFENCE
from mem_core.mechanisms.agents.a_memguard.tables import MODEL_NAMES
from mem_core.mechanisms.charts import Axis, Chart, Layer

_ROUND = Axis(title="Round", unit="8 questions each")
_SHARE = (0.0, 1.05)


def _by_round(key: str, title: str, column: str, y: Axis, look_for: str, height: int = 260) -> Chart:
    return Chart(
        key=key,
        title=title,
        x=_ROUND,
        y=y,
        layers=(Layer(mark="line", table="rounds", x="round", y=column, color="defence", label_ends=True),),
        describe=getattr(descriptions, key),
        look_for=look_for,
        series=DEFENCES,
        height=height,
    )


ATTACK = _by_round(
    "attack",
    "How often the attack succeeds",
    "attack",
    Axis(title="Attacked, share of questions", domain=_SHARE),
    "Of the questions with the trigger, those that get the malicious action. Without a defence the agent's own wrong "
    "actions become precedent; with lessons the attack is over within a few rounds.",
)
ACCURACY = _by_round(
    "accuracy",
    "What a defence costs on ordinary questions",
    "accuracy",
    Axis(title="Right, share of questions", domain=(0.0, 1.1)),
    "Of the questions without the trigger. Only lessons lose a little: they also reject honest records that once stood "
    "alone.",
    height=340,  # curves that coincide need room for their names
)
POISONED = _by_round(
    "poisoned",
    "Poison in the memory",
    "poisoned",
    Axis(title="Poisoned, share of records", zero=True),
    "With writing back the share multiplies without a defence and thins out with lessons; without it nothing moves.",
)
SUMMARY = Chart(
    key="summary",
    title="The whole run",
    x=Axis(title="What happened", scale="nominal"),
    y=Axis(title="Share of questions", domain=_SHARE),
    layers=(Layer(mark="bar", table="summary", x="measure", y="value", color="defence"),),
    describe=descriptions.summary,
    look_for="Of the questions with the trigger: poison retrieved, attacked, still right. Ordinary: right without the "
    "trigger. Under lessons the attack is gone, and still not every question is answered right: where lessons reject "
    "honest records too, the agent has nothing left to imitate.",
    series=(*DEFENCES, *MODEL_NAMES),
    legend="Defence",
)
MAP = Chart(
    key="map",
    title="The memory and one question",
    x=Axis(title="First principal component"),
    y=Axis(title="Second principal component"),
    layers=(
        Layer(mark="line", table="map_links", x="first", y="second", detail="rank", size=1),
        Layer(mark="point", table="map", x="first", y="second", color="topic", size=30),
        Layer(mark="point", table="map_poison", x="first", y="second", size=110),
        Layer(mark="point", table="map_query", x="first", y="second", size=20),
        Layer(mark="text", table="map_query", x="first", y="second", text="label"),
    ),
    describe=descriptions.map_of_memory,
    look_for="Large dots without a colour are poison: the trigger pulls them away from the topic they were copied "
    "from. Lines lead from the question to the records it brings back, near in all dimensions, not just in two.",
    series=TOPIC_NAMES,
    legend="Action of the record is that of",
    height=340,
)
PATHS = Chart(
    key="paths",
    title="Do the reasoning paths agree?",
    x=Axis(title="Path, the most similar record first", scale="ordinal"),
    y=Axis(title="", scale="nominal"),
    layers=(Layer(mark="heatmap", table="paths", x="column", y="row", color="cosine", outline="kept"),),
    describe=descriptions.paths,
    look_for="One path per retrieved record. Outlined: the largest group, the only one that is imitated. It is the "
    "poison's as soon as the poison has the majority.",
    legend="Cosine",
    color_domain=(-0.2, 1.0),
    height=240,
)
LESSON_LIST = Chart(
    key="lessons",
    title="The lessons used most",
    x=Axis(title="Paths that the lesson rejected", zero=True),
    y=Axis(title="", scale="nominal"),
    layers=(Layer(mark="point", table="lessons", x="hits", y="lesson", color="kind", size=90),),
    describe=descriptions.lessons,
    look_for="A lesson is any rejected path, and consensus also rejects honest ones that stood alone. Those become "
    "lessons too.",
    series=LESSON_KINDS,
    legend="Lesson",
    height=280,
)
MAJORITY = Chart(
    key="majority",
    title="Consensus passes what the majority says",
    x=Axis(title="Poisoned among the records retrieved", scale="ordinal"),
    y=Axis(title="Poison passes, share of questions", domain=_SHARE),
    layers=(
        Layer(mark="line", table="majority", x="poison", y="passed", color="kind"),
        Layer(mark="point", table="majority", x="poison", y="passed", color="kind", size=70),
    ),
    describe=descriptions.majority,
    look_for="A step at one half. Below it poison passes only where the honest records disagree among themselves; "
    "above it, always.",
    series=KINDS,
    legend="Poison passes",
)
CHANCE = Chart(
    key="chance",
    title="What the trigger is for",
    x=Axis(title="Poisoned records planted", unit="records"),
    y=Axis(title="Chance of a majority", domain=_SHARE),
    layers=(
        Layer(mark="rule_y", table="chance_here", y="chance", text="label"),
        Layer(mark="line", table="chance", x="planted", y="chance"),
    ),
    describe=descriptions.chance,
    look_for="Drawn at random, a few planted records would hardly ever have the majority. The trigger brings them "
    "together.",
    height=200,
)


def _phase(key: str, defence: str, words: str) -> Chart:
    return Chart(
        key=key,
        title=f"Attack success {words}",
        x=Axis(title="Poisoned records planted", scale="ordinal"),
        y=Axis(title="", scale="nominal"),
        layers=(Layer(mark="heatmap", table=key, x="planted", y="other", color="attack"),),
        describe=descriptions.phase(key, defence),
        look_for=descriptions.PHASE_LOOK_FOR[defence],
        legend="Attack success",
        color_domain=(0.0, 1.0),
        height=200,
    )


CHARTS = (
    ATTACK,
    ACCURACY,
    POISONED,
    SUMMARY,
    MAP,
    PATHS,
    MAJORITY,
    CHANCE,
    LESSON_LIST,
    _phase("phase_none", NO_DEFENCE, "without a defence"),
    _phase("phase_consensus", CONSENSUS, "with consensus"),
    _phase("phase_lessons", LESSONS, "with lessons"),
)
