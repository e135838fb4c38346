"""The views of a run, stage by stage."""

from __future__ import annotations

from mem_core.mechanisms.agents.halumem import descriptions, sweeps
from mem_core.mechanisms.agents.halumem import paper_figures as paper
from mem_core.mechanisms.agents.halumem.blame import STAGES
from mem_core.mechanisms.agents.halumem.flow import ENDS
from mem_core.mechanisms.agents.halumem.tables import HERE, SHOWN_VERDICTS, STATES
from mem_core.mechanisms.agents.halumem.threshold_tables import DIFFERENT, LOWEST_COSINE, SAME, SEEN_GATE
from mem_core.mechanisms.charts import Axis, Chart, Layer

_SHARE = Axis(title="Share", domain=(0.0, 1.0))
_STACK = 40.0
"""Width of a column of verdicts, in pixels."""
_NODE = 6.0

SCORES = Chart(
    key="scores",
    title="Extraction: what gets into the memory",
    x=Axis(title="Measure", scale="nominal"),
    y=_SHARE,
    layers=(
        Layer(mark="bar", table="scores", x="measure", y="share", color="whose"),
        Layer(mark="errorbar", table="paper_range", x="measure", y="low", y2="high", size=2.5),
        Layer(mark="point", table="paper_systems", x="measure", y="share", text="system", size=25),
    ),
    describe=descriptions.scores,
    look_for="Dots on a line are the paper's five systems on HaluMem-Medium. Raise the missed facts: R falls with "
    "them, target P does not, for it only looks at what was extracted.",
    series=(HERE,),
)


def _verdicts(key: str, title: str, look_for: str) -> Chart:
    return Chart(
        key=key,
        title=title,
        x=Axis(title="Memory system", scale="nominal"),
        y=_SHARE,
        layers=(
            Layer(
                mark="errorbar", table=f"{key}_verdicts", x="system", y="low", y2="high", color="verdict", size=_STACK
            ),
        ),
        describe=getattr(descriptions, f"{key}s"),
        look_for=look_for,
        series=SHOWN_VERDICTS,
        legend="Verdict",
    )


UPDATES = _verdicts(
    "update",
    "Updating: what becomes of a changed fact",
    "Hallucinated updates are rare in every system; where updates fail, they are missing. Each column adds up to one.",
)
ANSWERS = _verdicts(
    "answer",
    "Answering: what a user notices",
    "One number, and many illnesses behind it. Set θ to 0.9: hardly an update is correct now, and this column hardly "
    "changes.",
)

FLOW = Chart(
    key="flow",
    title="The way of every fact",
    x=Axis(title="Stage: told, extracted, stored, found, answered", domain=(0.0, 4.95)),
    y=Axis(title="Share of the facts told, with gaps", domain=(0.0, 1.2)),
    layers=(
        Layer(mark="band", table="flow_bands", x="stage", y="low", y2="high", color="end", detail="band"),
        Layer(mark="line", table="flow_bands", x="stage", y="low", color="end", detail="band", size=1.2),
        Layer(mark="line", table="flow_bands", x="stage", y="high", color="end", detail="band", size=1.2),
        Layer(mark="errorbar", table="flow_states", x="stage", y="low", y2="high", size=_NODE),
        Layer(mark="text", table="flow_states", x="stage", y="middle", text="state"),
    ),
    describe=descriptions.flow,
    look_for="Follow a colour back from the right to the stage where it leaves the lowest stream. Facts are followed "
    "to the first question that asks for them; some change before anyone asks.",
    series=ENDS,
    legend="First answer",
    height=320,
)

BLAME = Chart(
    key="blame",
    title="Blame: which stage failed first",
    x=Axis(title="Stage", scale="nominal"),
    y=Axis(title="Wrong answers", zero=True),
    layers=(Layer(mark="bar", table="blame", x="stage", y="answers", color="verdict"),),
    describe=descriptions.blame,
    look_for="A stage is blamed only if all before it did their work. A false memory that was let in counts as "
    "extraction.",
    series=SHOWN_VERDICTS,
    legend="Verdict",
    height=220,
)

WRONG = Chart(
    key="wrong",
    title="Every wrong answer of the first users",
    x=Axis(title="Session after which it was asked", zero=True),
    y=Axis(title="", scale="nominal"),
    layers=(Layer(mark="point", table="wrong_answers", x="session", y="slot", color="stage", size=60),),
    describe=descriptions.wrong_answers,
    look_for="A slot that is wrong once stays wrong until it is told anew. Open Numbers for what was asked, what was "
    "said and who failed first.",
    series=STAGES,
    legend="Failed first",
)

STORE = Chart(
    key="store",
    title="One memory, record by record",
    x=Axis(title="Session in which it was written", zero=True),
    y=Axis(title="", scale="nominal"),
    layers=(
        Layer(mark="point", table="store", x="session", y="slot", color="state", size=70),
        Layer(mark="text", table="store", x="session", y="slot", text="words"),
    ),
    describe=descriptions.store,
    look_for="Above θ = 0.85 each slot keeps its stale copies; below 0.6 slots disappear, overwritten by others.",
    series=STATES,
    legend="Record",
    height=360,
)

COSINES = Chart(
    key="cosines",
    title="What the threshold has to tell apart",
    x=Axis(title="Cosine of two texts", domain=(LOWEST_COSINE, 1.0)),
    y=Axis(title="Pairs of texts", zero=True),
    layers=(
        Layer(mark="bar", table="cosines", x="low", x2="high", y="pairs", color="kind"),
        Layer(mark="rule_x", table="threshold", x="cosine", text="label"),
        Layer(mark="rule_x", table="midpoint", x="cosine", size=0.8),
    ),
    describe=descriptions.cosines,
    look_for="Whatever of the same slot lies left of θ stays as a stale copy; whatever of different slots lies right "
    "of it gets overwritten. The thin line is the middle between the two means.",
    series=(SAME, DIFFERENT),
    legend="Texts about",
    height=200,
)


def _sweep(key: str, title: str, x: Axis, look_for: str) -> Chart:
    return Chart(
        key=key,
        title=title,
        x=x,
        y=_SHARE,
        layers=(
            Layer(mark="line", table=key, x=key.removesuffix("_sweep"), y="share", color="measure", label_ends=True),
            Layer(mark="point", table=key, x=key.removesuffix("_sweep"), y="share", color="measure"),
        ),
        describe=getattr(descriptions, key),
        look_for=look_for,
        series=sweeps.SWEPT,
        height=300,
    )


MISS = _sweep(
    "miss_sweep",
    "More facts missed",
    Axis(title="Missed facts", domain=(0.0, 0.9)),
    "Answers and updates go down together, and what replaces them is omission: hallucinated updates stay few.",
)
THRESHOLD = _sweep(
    "threshold_sweep",
    "Another merge threshold",
    Axis(title="Merge threshold θ", unit="cosine", domain=(0.3, 0.95)),
    "Above 0.85 updates fail and answers do not; below 0.6 answers fail and updates do not. Neither score alone shows "
    "both.",
)

GATE = Chart(
    key="gate",
    title="Remember more, believe more",
    x=Axis(title="False memory resistance FMR", domain=(0.0, 1.0)),
    y=Axis(title="Recall R", domain=(0.0, 1.0)),
    layers=(
        Layer(mark="line", table="gate_formula", x="resistance", y="recall", size=1.0),
        Layer(mark="line", table="gate", x="resistance", y="recall", color="which"),
        Layer(mark="point", table="gate_systems", x="resistance", y="recall", color="which", text="system", size=60),
        Layer(mark="text", table="gate_systems", x="resistance", y="recall", text="label"),
        Layer(mark="point", table="gate_here", x="resistance", y="recall", color="which", size=140),
    ),
    describe=descriptions.gate,
    look_for="On HaluMem-Long every system that recalls more resists less. One threshold on salience gives such a "
    "curve; the thin line is its formula, R = 1 − Φ(τ − 1.3) and FMR = Φ(τ).",
    series=(SEEN_GATE, paper.MEDIUM_SET, paper.LONG_SET, HERE),
    legend="R and FMR of",
    height=340,
)

RETENTION = Chart(
    key="retention",
    title="What is left of what was told",
    x=Axis(title="Sessions since it was told"),
    y=Axis(title="Share that the memory still says", domain=(0.0, 1.0)),
    layers=(
        Layer(mark="line", table="retention", x="lag", y="retention"),
        Layer(mark="point", table="retention", x="lag", y="retention", size=20),
    ),
    describe=descriptions.retention,
    look_for="It starts below one by what extraction missed, and falls as false memories and other facts are written "
    "over it. Facts that were changed meanwhile are not counted.",
    height=220,
)

KINDS = Chart(
    key="kinds",
    title="By kind of question",
    x=Axis(title="Question", scale="nominal"),
    y=_SHARE,
    layers=(
        Layer(mark="errorbar", table="question_kinds", x="kind", y="low", y2="high", color="verdict", size=_STACK),
    ),
    describe=descriptions.question_kinds,
    look_for="Four of the paper's six kinds. Basic: Basic Fact Recall. Update: Dynamic Update. Memory Conflict asks "
    "for what the assistant got wrong; Memory Boundary for what nobody mentioned, so that only a fabrication or a "
    "guess fails it. In the paper (Fig. 5) conflicts are among the easier questions; here they are the hardest while "
    "half of the interference is believed.",
    series=SHOWN_VERDICTS,
    legend="Verdict",
    height=240,
)

CHARTS = (
    SCORES, UPDATES, ANSWERS, FLOW, BLAME, WRONG, KINDS, STORE, COSINES, MISS, THRESHOLD, GATE, RETENTION,
)  # fmt: skip
