"""What a learner can change: three simulated failures, a real memory, and the size of the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, SettingsError, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings
from mem_core.nn.text_embedding import AUTO, HASHING, MINILM

SIMULATOR, LANGUAGE_MODEL = "simulator", "language model"
MOST_CALLS = 120
"""Sessions that a language model may be asked to read in one run."""
RATES, GATE = "error rates", "salience gate"
EXTRACTOR, MEMORY, ANSWERER, WORLD = (
    "More of the extractor (simulated)",
    "More of the memory (real)",
    "More of the answerer (simulated)",
    "The users",
)


@dataclass(frozen=True)
class HallucinationSettings(Settings):
    """Settings of the page."""

    miss: float = setting(
        0.2,
        Number(
            label="Missed facts",
            help="Extraction: share of true facts that never reach the memory. Updates and answers go with them.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    accept_interference: float = setting(
        0.5,
        Number(
            label="Interference accepted",
            help="Extraction: share of the assistant's wrong statements that are stored as if they were true.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    merge_threshold: float = setting(
        0.75,
        Number(
            label="Merge threshold θ",
            unit="cosine",
            help="Memory: a stored text nearer to a new one than this is overwritten. Too high leaves stale copies "
            "behind, too low overwrites other facts.",
            low=0.0,
            high=1.0,
            step=0.01,
        ),
    )
    answer_error: float = setting(
        0.0,
        Number(
            label="Answer errors",
            help="Answering: share of the values answered that are replaced by a random value of the same slot.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    extractor: str = setting(
        SIMULATOR,
        Choice(
            group=EXTRACTOR,
            label="Extractor",
            help="simulator: dice with the rates that are set here. language model: a real one reads every session, if "
            f"one is set up; at most {MOST_CALLS} sessions in all, and the rates of the extractor do nothing.",
            options=(SIMULATOR, LANGUAGE_MODEL),
        ),
    )
    mode: str = setting(
        RATES,
        Choice(
            group=EXTRACTOR,
            label="What is stored",
            help="error rates: missed facts and accepted interference are set one by one. salience gate: one threshold "
            "on how important a statement seems decides both.",
            options=(RATES, GATE),
        ),
    )
    gate: float = setting(
        1.0,
        Number(
            group=EXTRACTOR,
            label="Gate τ",
            help="With the salience gate: a statement is stored if its salience is above τ. True facts have salience "
            "1.3 ± 1, interference 0 ± 1.",
            low=-2.0,
            high=3.0,
            step=0.1,
        ),
    )
    corrupt: float = setting(
        0.05,
        Number(
            group=EXTRACTOR,
            label="Corrupted facts",
            help="Share of the extracted facts that are stored with another value of the same slot.",
            low=0.0,
            high=0.5,
            step=0.01,
        ),
    )
    fabricate: float = setting(
        0.1,
        Number(
            group=EXTRACTOR,
            label="Fabrications",
            unit="per session",
            help="Chance that a session leaves a memory that nobody said: any slot, any value.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    top_k: int = setting(
        5,
        Whole(
            group=MEMORY,
            label="Records per search",
            help="How many records a question brings back. Updates are always judged on ten.",
            low=1,
            high=20,
        ),
    )
    embedder: str = setting(
        HASHING,
        Choice(
            group=MEMORY,
            label="Embedding",
            help="hashing: shared words and letters. minilm: a small trained sentence model, which must be installed "
            "and does not run in a browser; its cosines need another θ. auto: minilm where it is there.",
            options=(HASHING, MINILM, AUTO),
        ),
    )
    calibrated: bool = setting(
        False,
        Switch(
            group=MEMORY,
            label="Calibrated θ",
            help="Take θ from the middle between the mean cosines of same and of different slots, in place of the "
            "slider.",
        ),
    )
    guess: float = setting(
        0.0,
        Number(
            group=ANSWERER,
            label="Guesses",
            help="Share of questions without a record of the slot that are answered with any value, not “unknown”.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    update_probability: float = setting(
        0.35,
        Number(
            group=WORLD,
            label="Changes",
            help="Chance that a known fact that comes up is changed.",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    )
    sessions: int = setting(
        30, Whole(group=WORLD, label="Sessions", help="How often a user comes back.", low=10, high=120, step=5)
    )
    distractors: int = setting(
        0,
        Whole(
            group=WORLD,
            label="Small talk",
            unit="sessions between two",
            help="Sessions about nothing that matters, as in HaluMem-Long. What is kept of them fills the store.",
            low=0,
            high=10,
        ),
    )
    users: int = setting(
        6, Whole(group=WORLD, label="Users", help="More users, steadier numbers. Claims take 20.", low=1, high=100)
    )

    def check_together(self) -> None:
        """Keep the number of sessions that a language model has to read within bounds."""
        calls = self.users * (self.sessions + (self.sessions - 1) * self.distractors)
        if self.extractor == LANGUAGE_MODEL and calls > MOST_CALLS:
            raise SettingsError(
                f"extractor is {LANGUAGE_MODEL!r} with {calls} sessions to read, but it must be at most {MOST_CALLS}: "
                f"lower users, sessions or distractors, or set extractor to {SIMULATOR!r}."
            )


PRESETS: Mapping[Tier, HallucinationSettings] = {
    "browser": HallucinationSettings(),
    "cpu": HallucinationSettings(users=100, sessions=120, distractors=1),
    "gpu": HallucinationSettings(users=100, sessions=120, distractors=1, embedder=AUTO, calibrated=True),
}
"""The larger sizes are HaluMem-Long's: about 120 sessions a user, small talk between them."""
