"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, Whole, setting
from mem_core.mechanisms.settings import Settings

NATURAL, RANDOM = "natural", "random"
STIMULI = (NATURAL, RANDOM)
OTHER, ONE_WORD = "other", "one word"
FOILS = (OTHER, ONE_WORD, NATURAL)

LEAST_STUDY = 5
"""Exposures that are always followed, so that the learning curve is there whatever the new text starts from."""

LAGS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 400)
"""Updates on the new text after which the model is asked; about even on a logarithmic axis."""

LANGUAGE = "The model and its language"


@dataclass(frozen=True)
class FewShotSettings(Settings):
    """The choices behind one run: what is studied, how often, and what comes after."""

    stimulus: str = setting(
        NATURAL,
        Choice(
            label="Sentences to study",
            help="Natural ones come from the language that the model knows; random ones are words in no order at all.",
            options=STIMULI,
        ),
    )
    foil: str = setting(
        OTHER,
        Choice(
            label="Foils",
            help=(
                "What each studied sentence is to be told from: another of its kind, itself with one word replaced, or "
                "a natural sentence."
            ),
            options=FOILS,
        ),
    )
    exposures: int = setting(
        3,
        Whole(
            label="Exposures",
            unit="readings",
            help="How often each sentence is studied before the new text. From 1 to 3, recognition is already there.",
            low=0,
            high=6,
        ),
    )
    study_rate: float = setting(
        5e-3,
        Number(
            label="Learning rate of the study",
            help="How deep one reading goes. Much higher, and the sentences overwrite one another.",
            low=1e-3,
            high=2e-2,
            scale="log",
        ),
    )
    new_rate: float = setting(
        5e-3,
        Number(
            label="Learning rate of the new text",
            help="Higher, and recall collapses sooner; recognition gives way too, but many updates later.",
            low=5e-4,
            high=2e-2,
            scale="log",
        ),
    )
    new_updates: int = setting(
        200,
        Choice(
            label="New text",
            unit="updates",
            help="How many new sentences the model is trained on afterwards, one in each update.",
            options=LAGS[0:1] + LAGS[4:],
        ),
    )
    sentences: int = setting(
        32,
        Whole(
            label="Sentences",
            unit="sentences",
            help="How many are studied. More sentences mean more updates between two readings of the same one.",
            low=8,
            high=128,
            step=4,
        ),
    )
    batch: int = setting(
        1,
        Choice(
            label="Batch size of the study",
            unit="sentences",
            help="Sentences in one update. Larger batches take fewer steps for each exposure, so less is written.",
            options=(1, 2, 4, 8),
        ),
    )
    hidden: int = setting(
        256,
        Whole(
            group=LANGUAGE,
            label="Hidden units",
            unit="units",
            help="Size of the model's one hidden layer. A larger one remembers more from each reading.",
            low=32,
            high=1024,
            scale="log",
        ),
    )
    width: int = setting(
        16,
        Whole(
            group=LANGUAGE,
            label="Embedding width",
            unit="numbers",
            help="Numbers that stand for one word.",
            low=8,
            high=48,
        ),
    )
    vocabulary: int = setting(
        64,
        Whole(
            group=LANGUAGE,
            label="Vocabulary",
            unit="words",
            help="Different words of the language. Few words mean that sentences share more of their parts.",
            low=32,
            high=512,
            scale="log",
        ),
    )
    length: int = setting(
        12,
        Whole(
            group=LANGUAGE,
            label="Sentence length",
            unit="words",
            help="Words in a sentence; the first half is given, the second is to be recalled.",
            low=8,
            high=24,
        ),
    )
    pretraining_steps: int = setting(
        200,
        Whole(
            group=LANGUAGE,
            label="Training before",
            unit="updates",
            help="How long the model learns the language before it studies anything.",
            low=20,
            high=600,
            step=20,
        ),
    )
    pretraining_batch: int = setting(
        8,
        Choice(
            group=LANGUAGE,
            label="Batch size of the training before",
            unit="sentences",
            help="Sentences in one of those updates.",
            options=(4, 8, 16),
        ),
    )
    pretraining_rate: float = setting(
        5e-3,
        Number(
            group=LANGUAGE,
            label="Learning rate of the training before",
            help="It falls to three tenths in the last third.",
            low=1e-3,
            high=1e-2,
            scale="log",
        ),
    )

    @property
    def given(self) -> int:
        """Words of a sentence that are given when it is to be recalled: the first half."""
        return self.length // 2

    @property
    def studied(self) -> int:
        """Exposures that are followed, those beyond the start of the new text among them."""
        return max(LEAST_STUDY, self.exposures)


_LAPTOP = FewShotSettings(
    study_rate=3e-3,
    new_rate=3e-3,
    new_updates=400,
    sentences=64,
    hidden=512,
    width=24,
    vocabulary=256,
    length=16,
    pretraining_steps=300,
    pretraining_batch=16,
    pretraining_rate=3e-3,
)

PRESETS: Mapping[Tier, FewShotSettings] = {
    "browser": FewShotSettings(),
    "cpu": _LAPTOP,
    "gpu": _LAPTOP.changed(sentences=128, hidden=1024, pretraining_steps=600),
}
"""The GPU tier is the same experiment with more sentences, twice the units and twice the training before."""
