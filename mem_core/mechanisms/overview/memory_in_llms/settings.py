"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, Pairs, SettingsError, Switch, Whole, setting
from mem_core.mechanisms.overview.memory_in_llms.metrics import middle_drop
from mem_core.mechanisms.settings import Settings

IDENTITY, COVARIANCE = "identity", "covariance"
CONSTRAINTS = (IDENTITY, COVARIANCE)
ROLL_BACK, APPLY, OVERLAY = "roll back", "apply anyway", "external overlay"
ACTIONS = (ROLL_BACK, APPLY, OVERLAY)

SYSTEM, EDIT = "The system that answers", "An edit and its gate"
POSITION, QUIZ = "Reading from a long context", "Which type is it?"


@dataclass(frozen=True)
class MapSettings(Settings):
    """The choices behind one run: dated facts, an edit and its gate, a position curve, and a quiz."""

    before_snapshot: float = setting(
        0.2,
        Number(
            label="Changed before the index was made (q₁)",
            unit="share",
            help="Facts that change after training and before the snapshot. Only the weights miss these.",
            low=0.0,
            high=0.6,
            step=0.01,
        ),
    )
    after_snapshot: float = setting(
        0.2,
        Number(
            label="Changed since (q₂)",
            unit="share",
            help="Facts that change between the snapshot and the question. Weights and index both miss these.",
            low=0.0,
            high=0.6,
            step=0.01,
        ),
    )
    noise: float = setting(
        0.5,
        Number(
            label="Query noise (σ)",
            unit="of the key's length",
            help="How far a question lies from the key of its fact. Index and live source are searched with it.",
            low=0.0,
            high=3.0,
            step=0.05,
        ),
    )
    dimension: int = setting(
        64,
        Whole(
            group=SYSTEM,
            label="Dimensions of a key (d)",
            help="With fewer than 200, the weights cannot hold 200 facts without blurring them.",
            low=32,
            high=256,
            step=8,
        ),
    )
    refusal: float = setting(
        -1.0,
        Number(
            group=SYSTEM,
            label="Refuse below",
            unit="confidence",
            help="Answers less sure than this are not given. Confidence is the similarity of the nearest key, or the "
            "highest output of the weights. At −1 everything is answered.",
            low=-1.0,
            high=1.0,
            step=0.01,
        ),
    )
    repeats: int = setting(
        10,
        Whole(
            group=SYSTEM,
            label="Repeated worlds",
            unit="worlds",
            help="The same experiment with other facts. Intervals and tests compare world with world.",
            low=1,
            high=1000,
            scale="log",
        ),
    )
    edits: int = setting(
        8,
        Whole(
            group=EDIT,
            label="Edits at once (E)",
            unit="facts",
            help="How many of 80 facts get a new answer, in one change of the weights.",
            low=1,
            high=40,
        ),
    )
    constraint: str = setting(
        COVARIANCE,
        Choice(
            group=EDIT,
            label="What the change must spare (C)",
            help="Covariance: answers to keys as they occur. Identity: answers in all directions alike.",
            options=CONSTRAINTS,
        ),
    )
    preservation: float = setting(
        80.0,
        Number(
            group=EDIT,
            label="How much it must spare (λ)",
            help="Larger writes less of the edit. With the identity, 80 is too much to write it all: try 1.",
            low=0.1,
            high=200.0,
            scale="log",
        ),
    )
    least_success: float = setting(
        0.9,
        Number(
            group=EDIT,
            label="Gate: least success",
            unit="share of edits",
            help="The paper's illustrative figure for the edit success rate is about 0.90.",
            low=0.0,
            high=1.0,
            step=0.01,
        ),
    )
    least_locality: float = setting(
        0.95,
        Number(
            group=EDIT,
            label="Gate: least locality",
            unit="share of other facts",
            help="Facts that were not edited and still get the same answer. In the paper about 0.95.",
            low=0.0,
            high=1.0,
            step=0.01,
        ),
    )
    most_drawdown: float = setting(
        0.02,
        Number(
            group=EDIT,
            label="Gate: most drawdown",
            unit="accuracy",
            help="What the facts that were not edited lose in accuracy. In the paper at most 0.01 to 0.02.",
            low=0.0,
            high=1.0,
            step=0.01,
        ),
    )
    on_failure: str = setting(
        ROLL_BACK,
        Choice(
            group=EDIT,
            label="If the gate refuses",
            help="Restore the weights, keep the change all the same, or restore them and put the edits in an external "
            "store that is asked first.",
            options=ACTIONS,
        ),
    )
    position_bias: float = setting(
        0.4,
        Number(
            group=POSITION,
            label="Simulated neglect of the middle",
            unit="accuracy lost",
            help="Put in by hand, to show how such a curve is scored. It does not emerge from any model here.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    position_curve: tuple[tuple[float, float], ...] = setting(
        (),
        Pairs(
            group=POSITION,
            label="Your own position curve",
            help="Place in the context (0 to 1) and accuracy there, such as 0:0.9,0.25:0.7,0.5:0.5,0.75:0.6,1:0.9. "
            "Empty takes the simulated one.",
            x_low=0.0,
            x_high=1.0,
            y_low=0.0,
            y_high=1.0,
            shortest=5,
        ),
    )
    recalled_alone: bool = setting(
        False,
        Switch(
            group=QUIZ,
            label="Still recalled with retrieval, tools and caches off",
            help="Rule 1. It decides before all others.",
        ),
    )
    lost_with_context: bool = setting(
        False,
        Switch(
            group=QUIZ,
            label="Gone once it leaves the context",
            help="Rule 2. Usable only in the current context or cache, and sensitive to place and length.",
        ),
    )
    cites_passage: bool = setting(
        True,
        Switch(
            group=QUIZ,
            label="Depends on an index, and can cite the passage",
            help="Rule 3. A prompt that somebody pasted is not an index.",
        ),
    )
    survives_sessions: bool = setting(
        False,
        Switch(
            group=QUIZ,
            label="Needs events of earlier sessions replayed",
            help="Rule 4. Structured events, across turns or sessions.",
        ),
    )

    def check_together(self) -> None:
        """Check that a drop in the middle can be read from the learner's own curve."""
        if not self.position_curve:
            return
        try:
            middle_drop(*zip(*self.position_curve, strict=True))
        except ValueError as error:
            raise SettingsError(f"position_curve cannot be scored. {error}") from error

    @property
    def thresholds(self) -> dict[str, float]:
        """The gate's thresholds by measure."""
        return {"success": self.least_success, "locality": self.least_locality, "drawdown": self.most_drawdown}

    @property
    def observations(self) -> dict[str, bool]:
        """What the quiz says is observed."""
        return {
            "recalled_alone": self.recalled_alone,
            "lost_with_context": self.lost_with_context,
            "cites_passage": self.cites_passage,
            "survives_sessions": self.survives_sessions,
        }


PRESETS: Mapping[Tier, MapSettings] = {
    "browser": MapSettings(),
    "cpu": MapSettings(repeats=100),
    "gpu": MapSettings(repeats=1000, dimension=256),
}
"""The larger tiers are the same experiment in more worlds."""
