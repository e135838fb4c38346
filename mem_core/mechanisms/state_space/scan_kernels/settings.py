"""What a learner can change, and the settings of the three tiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Number, Whole, setting
from mem_core.mechanisms.settings import Settings

LOOP, TREE, CHUNKS = "loop", "tree", "chunks"
WAYS = (LOOP, TREE, CHUNKS)

PULSES, ONE_PULSE, CONSTANT, RANDOM = "two pulses", "one pulse", "constant", "random"
UP_AND_DOWN, DOUBLING = "up and down", "doubling"

LONG = "The long input: steps and times"


@dataclass(frozen=True)
class ScanSettings(Settings):
    """Settings of one small scan to look into, and of a long one to measure."""

    length: int = setting(
        16,
        Whole(
            label="Length L",
            help="How many tokens the small input has. Double it: the loop takes twice the rounds, the tree two more.",
            unit="tokens",
            low=4,
            high=64,
        ),
    )
    decay: float = setting(
        0.8,
        Number(
            label="Decay a",
            help="Share of the state that a token leaves. Near 0 only the last token counts; near 1 nothing is "
            "forgotten and the state is a sum.",
            low=0,
            high=1,
            step=0.01,
        ),
    )
    variation: float = setting(
        0.5,
        Number(
            label="How much the decay varies",
            help="At 0 every token has the same decay. Above, token t has the decay a to the power Δ_t, with a step "
            "size Δ_t drawn around 1, as a selective state-space model would choose it.",
            low=0,
            high=2,
            step=0.1,
        ),
    )
    kind: str = setting(
        PULSES,
        Choice(
            label="Input b",
            help="Two pulses show how a state jumps and fades; a constant input shows where it settles.",
            options=(PULSES, ONE_PULSE, CONSTANT, RANDOM),
        ),
    )
    chunk: int = setting(
        4,
        Whole(
            label="Chunk length Q",
            help="Tokens in each chunk of the small input. At 1, and at L or more, chunks are a loop again.",
            unit="tokens",
            low=1,
            high=64,
        ),
    )
    tree: str = setting(
        UP_AND_DOWN,
        Choice(
            label="Tree",
            help="Up and down: little work, two sweeps (Blelloch). Doubling: half the rounds, more work (Hillis and "
            "Steele).",
            options=(UP_AND_DOWN, DOUBLING),
        ),
    )
    longest: int = setting(
        4096,
        Choice(
            group=LONG,
            label="Longest input",
            help="Steps are counted for this length, and times are measured up to it.",
            unit="tokens",
            options=(256, 1024, 4096, 16_384),
        ),
    )
    long_chunk: int = setting(
        64,
        Whole(
            group=LONG,
            label="Chunk length in it",
            help="Tokens in each chunk of the long input.",
            unit="tokens",
            low=1,
            high=1024,
            scale="log",
        ),
    )
    lanes: int = setting(
        32,
        Whole(
            group=LONG,
            label="Lanes P",
            help="How many multiplications the machine of the steps chart does at the same time.",
            unit="lanes",
            low=1,
            high=4096,
            scale="log",
        ),
    )
    channels: int = setting(
        16,
        Whole(
            group=LONG,
            label="Channels",
            help="Numbers in each state of the timed input. Channels are independent, so even a loop does them all at "
            "once: with many of them it comes closer.",
            unit="channels",
            low=1,
            high=512,
            scale="log",
        ),
    )

    @property
    def doubles(self) -> bool:
        """Whether the tree is the one that doubles its reach in every round."""
        return self.tree == DOUBLING


PRESETS: Mapping[Tier, ScanSettings] = {
    "browser": ScanSettings(),
    "cpu": ScanSettings(longest=16_384, long_chunk=128, channels=64),
    "gpu": ScanSettings(longest=16_384, long_chunk=128, channels=512, lanes=4096),
}
