"""What a learner can change, and the sizes for browser, laptop and GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.mechanisms.contract import Tier
from mem_core.mechanisms.controls import Choice, Choices, Number, SettingsError, Switch, Whole, setting
from mem_core.mechanisms.settings import Settings

LINEAR, DELTA = "linear", "delta"
BY_KEY, COLLAPSED_ROUTER, BY_NOISE = "by the key", "collapsed", "query at random"
SHIPPED, TRAIN_HERE = "shipped", "train here"

SINGLE, WIDE, MIXTURE, SHARED, COLLAPSED = "single", "wide", "mixture", "with shared", "collapsed"
ARMS = (SINGLE, WIDE, MIXTURE, SHARED, COLLAPSED)
"""The memories that are compared: one matrix, one with wider values, a mixture, the same with a shared memory, and one
whose router sends all items to the first memories."""
LAYER_ARMS = (SINGLE, WIDE, MIXTURE, SHARED)
"""Those for which a layer is trained."""

LONGEST = 128
"""Items that are written at most."""

DETAILS, LAYER = "Closer look", "The trained layer"


@dataclass(frozen=True)
class MixtureSettings(Settings):
    """The choices behind one run: the memories, the router, what is written, and a layer to train."""

    memories: int = setting(
        4,
        Whole(
            label="Memories M",
            unit="memories",
            help="Matrices of the mixture. More of them hold more items, as long as the router spreads the items. The "
            "single memory with wider values grows along, to the same number of numbers.",
            low=1,
            high=8,
        ),
    )
    top_k: int = setting(
        1,
        Whole(
            label="Memories per item, k",
            unit="memories",
            help="To how many memories the router sends each item. Each copy takes room from other items.",
            low=1,
            high=8,
        ),
    )
    items: int = setting(
        32,
        Whole(
            label="Items N",
            unit="items",
            help="Pairs of a key and a value that are written before the closer looks are taken. The curve of recall "
            "goes to 128 in any case.",
            low=4,
            high=LONGEST,
            step=2,
        ),
    )
    rule: str = setting(
        LINEAR,
        Choice(
            label="Rule of writing",
            help="Linear adds every item to what is there. Delta first asks the memory and writes only what it got "
            "wrong; that keeps the newest items sharp and hurts old ones.",
            options=(LINEAR, DELTA),
        ),
    )
    router: str = setting(
        BY_KEY,
        Choice(
            label="Router",
            help="By the key: item and question go to the same memories. Collapsed: all items go to the first "
            "memories. Query at random: items are spread, but each question goes anywhere.",
            options=(BY_KEY, COLLAPSED_ROUTER, BY_NOISE),
        ),
    )
    shared: bool = setting(
        False,
        Switch(
            label="Shared memory",
            help="Adds a memory that every item is written to and every question reads, to the mixture of the closer "
            "looks. Without training it hurts: it is the overfull single memory again.",
        ),
    )
    decay: float = setting(
        1.0,
        Number(
            label="Decay α",
            help="What a memory keeps of itself with every write to it. Below 1, linear becomes RetNet's rule and "
            "delta the gated delta rule. A memory that is not written to does not fade.",
            low=0.9,
            high=1.0,
            step=0.005,
        ),
    )
    key_width: int = setting(
        16,
        Choice(
            label="Key width",
            unit="numbers",
            help="Numbers in a key. A matrix can hold about as many items as its key is wide.",
            options=(8, 16, 32),
        ),
    )
    place: float = setting(
        0.35,
        Number(
            group=DETAILS,
            label="Place of the item asked for",
            unit="share of the items",
            help="Which item of the first sequence is looked into: 0 was written first, 1 last.",
            low=0.0,
            high=1.0,
            step=0.01,
        ),
    )
    sequences: int = setting(
        10,
        Whole(
            group=DETAILS,
            label="Sequences",
            unit="sequences",
            help="Every recall is the mean over so many sequences, each with items and a router of its own.",
            low=2,
            high=400,
            scale="log",
        ),
    )
    layer: str = setting(
        SHIPPED,
        Choice(
            group=LAYER,
            label="Weights of the trained layers",
            help="Use the weights that come with the page (M = 4, k = 2, 24 pairs), or train the layers now, as set "
            "here: about a minute on a laptop, far longer in a browser.",
            options=(SHIPPED, TRAIN_HERE),
        ),
    )
    layer_arms: tuple[str, ...] = setting(
        LAYER_ARMS,
        Choices(
            group=LAYER,
            label="Memories to train",
            help="Each is one more training. The single memory with wider values has as many numbers as the mixture "
            "with a shared memory reads for one token.",
            options=LAYER_ARMS,
        ),
    )
    layer_top_k: int = setting(
        2,
        Whole(
            group=LAYER,
            label="Memories per token, k",
            unit="memories",
            help="To how many memories the trained router sends each token. With 1, a question that is sent elsewhere "
            "than its answer was finds nothing.",
            low=1,
            high=8,
        ),
    )
    layer_pairs: int = setting(
        24,
        Whole(
            group=LAYER,
            label="Pairs in a sequence",
            unit="pairs",
            help="Pairs of a key and a value in each sequence that is trained on.",
            low=4,
            high=128,
        ),
    )
    layer_steps: int = setting(
        600,
        Whole(
            group=LAYER,
            label="Training steps",
            unit="steps",
            help="Batches of 32 sequences that each layer learns from.",
            low=20,
            high=10_000,
            scale="log",
        ),
    )
    balance: float = setting(
        0.01,
        Choice(
            group=LAYER,
            label="Weight of the balance loss",
            help="How much evenly used memories count beside right answers. At 0 nothing keeps the router from using "
            "a few memories only.",
            options=(0.0, 0.001, 0.005, 0.01, 0.1),
        ),
    )
    layer_keys: int = setting(
        32,
        Choice(
            group=LAYER,
            label="Different keys",
            unit="keys",
            help="Key tokens in the vocabulary; a sequence has each at most once.",
            options=(32, 64, 128, 256),
        ),
    )
    layer_key_width: int = setting(
        8,
        Choice(
            group=LAYER,
            label="Key width of the layer",
            unit="numbers",
            help="Numbers in a key inside the layer; narrower than the number of pairs, so that a memory is overfull.",
            options=(8, 16, 32),
        ),
    )
    layer_width: int = setting(
        32,
        Choice(
            group=LAYER,
            label="Width of the layer",
            unit="numbers",
            help="Numbers in the embedding of a token.",
            options=(32, 64, 128),
        ),
    )

    def check_together(self) -> None:
        """Check what depends on more than one setting.

        Raises:
            SettingsError: for more choices than memories, or more pairs than keys.
        """
        if self.top_k > self.memories:
            raise SettingsError(f"top_k is {self.top_k}, but it must be at most memories, which is {self.memories}.")
        if self.layer == TRAIN_HERE and self.layer_top_k > self.memories:
            raise SettingsError(
                f"layer_top_k is {self.layer_top_k}, but it must be at most memories, which is {self.memories}."
            )
        if self.layer_pairs > self.layer_keys:
            raise SettingsError(
                f"layer_pairs is {self.layer_pairs}, but it must be at most layer_keys, which is {self.layer_keys}."
            )

    @property
    def item(self) -> int:
        """The item asked for, counted from 1."""
        return 1 + round(self.place * (self.items - 1))

    @property
    def looked_into(self) -> str:
        """The mixture of the closer looks."""
        return SHARED if self.shared else MIXTURE


PRESETS: Mapping[Tier, MixtureSettings] = {
    "browser": MixtureSettings(),
    "cpu": MixtureSettings(sequences=100, layer=TRAIN_HERE),
    "gpu": MixtureSettings(
        sequences=400,
        layer=TRAIN_HERE,
        layer_pairs=64,
        layer_keys=128,
        layer_key_width=16,
        layer_width=128,
        layer_steps=10_000,
    ),
}
"""The GPU tier trains on 64 pairs for 10,000 steps; the paper's own models have 24 such layers."""
