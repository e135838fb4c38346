"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Choices, Number, SettingsError, Whole, Wholes, setting
from mem_core.mechanisms.settings import Settings
from mem_core.training.schedules import SHAPES

CONSTANT, WSD, WSD_S, COSINE, CYCLIC = "constant", "WSD", "WSD-S", "cosine", "cyclic cosine"
SCHEDULES = (CONSTANT, WSD, WSD_S, COSINE, CYCLIC)
WSD_CHARGED = "WSD, same compute"
"""WSD runs shortened until their thrown-away decays are paid for; shown when WSD and WSD-S are compared."""

MORE, VALLEY, LANGUAGE = "More about the schedules", "The valley in two dimensions", "The language"

LARGEST_TABLE = 4_000_000  # logits of one run; a dozen runs side by side in float32 then take 200 MB
LONGEST_WARMUP = 0.2  # share of the first budget; every decay, the shortened ones too, then starts at the peak


@dataclass(frozen=True)
class RiverValleySettings(Settings):
    """The choices behind one run: schedules, language, and the two-dimensional valley."""

    schedules: tuple[str, ...] = setting(
        (CONSTANT, WSD, COSINE),
        Choices(
            label="Schedules",
            help="Which schedules to train side by side, all on the same batches.",
            options=SCHEDULES,
        ),
    )
    peak_rate: float = setting(
        16.0,
        Number(
            label="Peak learning rate",
            help="The rate of the stable phase. Higher goes further down the river, and bounces more on the hills.",
            low=1,
            high=64,
            scale="log",
        ),
    )
    decay_fraction: float = setting(
        0.1,
        Number(
            label="Decay fraction",
            help="Share of the steps in which WSD and WSD-S lower the rate. Too short, and the bounce is still there.",
            low=0.02,
            high=0.4,
            step=0.01,
        ),
    )
    decay_shape: str = setting(
        "inverse",
        Choice(
            label="Decay shape",
            help="How the rate falls. Inverse lets 1/rate rise evenly, which is best on a quadratic hill.",
            options=SHAPES,
        ),
    )
    floor_ratio: float = setting(
        0.1,
        Choice(
            label="Floor over peak",
            help="The last rate of a decay as a share of the peak. Inverse decay needs one above 0.",
            options=(0.0, 0.01, 0.1, 0.3),
        ),
    )
    budgets: tuple[int, ...] = setting(
        (500, 1000, 2000),
        Wholes(
            label="Budgets",
            unit="steps",
            help="Three points at which a finished checkpoint is wanted. WSD-S and cyclic cosine get a tooth at each.",
            low=20,
            high=40_000,
            shortest=3,
            longest=3,
        ),
    )
    focus: str = setting(
        WSD,
        Choice(
            label="Schedule to look into",
            help="Whose river, hill and path are drawn; it must be among the schedules above.",
            options=SCHEDULES,
        ),
    )
    batch_size: int = setting(
        64,
        Whole(
            label="Batch size",
            unit="examples",
            help="Smaller batches give noisier gradients, so the bounce on the hills grows.",
            low=8,
            high=256,
            scale="log",
        ),
    )
    decay_of: str = setting(
        "total",
        Choice(
            group=MORE,
            label="Decay fraction of",
            help="Whether WSD-S takes the fraction of all steps so far, or of the steps since the last budget.",
            options=("total", "cycle"),
        ),
    )
    warmup: int = setting(
        0,
        Whole(
            group=MORE,
            label="Warmup",
            unit="steps",
            help="Steps in which the rate first climbs to the peak; at most a fifth of the first budget.",
            low=0,
            high=2000,
            step=10,
        ),
    )
    valley_rate: float = setting(
        0.08,
        Number(
            group=VALLEY,
            label="Valley: learning rate",
            help="Peak rate in the two-dimensional valley. Rate times steepness must stay below 2.",
            low=0.005,
            high=0.095,
            step=0.005,
        ),
    )
    valley_steepness: float = setting(
        20.0,
        Number(
            group=VALLEY,
            label="Valley: steepness of the walls",
            help="Curvature across the valley. Steeper walls make the same rate bounce more, without limit at the end.",
            low=5,
            high=40,
            step=1,
        ),
    )
    valley_noise: float = setting(
        1.0,
        Number(
            group=VALLEY,
            label="Valley: gradient noise",
            help="Standard deviation of the noise across the valley. At 0 nothing bounces, and decay gains nothing.",
            low=0,
            high=3,
            step=0.1,
        ),
    )
    valley_bend: float = setting(
        0.3,
        Number(
            group=VALLEY,
            label="Valley: bend of the river",
            help="How far the river swings to each side. At 0 it is straight, and the formulas for the hill are exact.",
            low=0,
            high=0.5,
            step=0.05,
        ),
    )
    valley_particles: int = setting(
        500,
        Whole(
            group=VALLEY,
            label="Valley: particles",
            unit="particles",
            help="How many independent walkers the average loss is taken over; one of them is drawn.",
            low=100,
            high=4000,
            step=100,
        ),
    )
    facts: int = setting(
        128,
        Whole(
            group=LANGUAGE,
            label="Facts",
            unit="contexts",
            help="Contexts with one certain next token: what can be known, the river.",
            low=8,
            high=65_528,
            scale="log",
        ),
    )
    open_contexts: int = setting(
        8,
        Whole(
            group=LANGUAGE,
            label="Open contexts",
            unit="contexts",
            help="Contexts after which every token is equally likely: nothing to know, the hills.",
            low=1,
            high=64,
        ),
    )
    vocabulary: int = setting(
        8,
        Whole(group=LANGUAGE, label="Vocabulary", unit="tokens", help="Number of different tokens.", low=2, high=64),
    )
    fact_share: float = setting(
        0.3,
        Number(
            group=LANGUAGE,
            label="Share of facts in the data",
            help="Share of all examples whose next token is certain.",
            low=0.05,
            high=0.95,
            step=0.05,
        ),
    )
    zipf_exponent: float = setting(
        0.0,
        Number(
            group=LANGUAGE,
            label="Unevenness of the facts",
            help="At 0 all facts are equally common; at 1 they follow Zipf's law, and the rare ones take longest.",
            low=0,
            high=1.5,
            step=0.1,
        ),
    )

    def check_together(self) -> None:
        """Check what depends on more than one setting.

        Raises:
            SettingsError: for inverse decay without a floor, a warmup that reaches into a decay, or a table that
                would not fit into memory.
        """
        if self.decay_shape == "inverse" and self.floor_ratio == 0:
            raise SettingsError(
                "floor_ratio is 0, but inverse decay needs a floor: choose 0.01 or more, or another decay_shape."
            )
        longest = int(self.budgets[0] * LONGEST_WARMUP)
        if self.warmup > longest:
            raise SettingsError(
                f"warmup is {self.warmup}, but with a first budget of {self.budgets[0]} it must be at most {longest}."
            )
        if self.contexts * self.vocabulary > LARGEST_TABLE:
            raise SettingsError(
                f"facts is {self.facts} and vocabulary is {self.vocabulary}, but the table of logits must have at "
                f"most {LARGEST_TABLE} entries: (facts + open_contexts) x vocabulary."
            )

    @property
    def contexts(self) -> int:
        """Number of contexts, facts and open ones together."""
        return self.facts + self.open_contexts

    @property
    def shown(self) -> str:
        """The schedule to look into: `focus`, or the first schedule where that one was not selected."""
        return self.focus if self.focus in self.schedules else self.schedules[0]


_LAPTOP = RiverValleySettings(
    peak_rate=64.0,
    budgets=(2000, 4000, 8000),
    batch_size=256,
    facts=2048,
    vocabulary=32,
    fact_share=0.5,
    zipf_exponent=1.0,
    valley_particles=4000,
)

PRESETS: Mapping[Tier, RiverValleySettings] = {
    "browser": RiverValleySettings(),
    "cpu": _LAPTOP,
    "gpu": _LAPTOP.changed(facts=65_528, budgets=(8000, 16_000, 32_000)),
}
"""The GPU tier is the same experiment with 65,536 contexts and budgets in the ratio 1 : 2 : 4."""
