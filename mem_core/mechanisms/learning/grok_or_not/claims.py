"""What the paper says about the two memories, and how these small networks show it.

The paper's figures are for p = 97 with 500 neurons; the thresholds here are for p = 37 with 128, and p = 31 where all
labels are right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mem_core.mechanisms.contract import Claim
from mem_core.mechanisms.learning.grok_or_not.accuracies import COEXISTENCE, FULL, MEMORIZATION
from mem_core.mechanisms.learning.grok_or_not.evidence import (
    after_cutting,
    cut_train,
    dropout_gives_up,
    falls_while_test_rises,
    gains,
    half_inverted,
    in_phase,
    memorised_step,
    more_periodic,
    not_understood,
    rule_gone,
    rule_halfway,
    rule_held,
    rule_stays,
    train_ends_at_the_right_labels,
    two_stages,
    u_shape,
    understood_within,
    valley,
    weights_shrink,
    wrong_labels_end,
    wrong_labels_fall,
)
from mem_core.mechanisms.learning.grok_or_not.recording import GIVEN, HIGH_FIRST, LOW_FIRST, TEST, TRUE
from mem_core.mechanisms.learning.grok_or_not.settings import BATCH_NORM, DECAY, DROPOUT

_PLAIN: Mapping[str, Any] = {"regulariser": DECAY, "corruption": 0.2}
_NO_DECAY, _DECAY_5, _DECAY_7, _DECAY_10 = ({**_PLAIN, "weight_decay": decay} for decay in (0.0, 5.0, 7.0, 10.0))
_CLEAN: Mapping[str, Any] = {"regulariser": DECAY, "corruption": 0.0, "modulus": 31, "data_share": 0.5, "steps": 200}
_FORGETTING: Mapping[str, Any] = {
    **_CLEAN,
    "data_share": 0.9,
    "hidden": 192,
    "weight_decay": 20.0,
    "steps": 550,
}


def _clean(decay: float) -> dict[str, Any]:
    return {**_CLEAN, "weight_decay": decay}


def _understood_at(decay: float, low: float, high: float) -> Claim:
    return Claim(
        key=f"understood-at-decay-{decay:g}",
        statement=f"With all labels right (p = 31, α = 0.5) and decay {decay:g} the rule is understood between steps "
        f"{low:g} and {high:g}, mean of the seeds.",
        source="§2, Fig. 1",
        check=understood_within(low, high),
        paper_value="p = 97, decay 5: within 100 steps",
        variants=(_clean(decay),),
        across_seeds="mean",
    )


CLAIMS = (
    Claim(
        key="coexistence",
        statement="Without decay one network holds the rule and the wrong labels: coexistence.",
        source="§2, Fig. 1",
        check=in_phase(COEXISTENCE),
        paper_value="p = 97, ξ = 0.35: train 0.978, test 0.983",
        variants=(_NO_DECAY,),
    ),
    Claim(
        key="partial-inversion",
        statement="With decay 5 the wrong labels are given up in part: between 0.2 and 0.8 of them are kept.",
        source="§2, Fig. 1",
        check=half_inverted,
        paper_value="p = 97, ξ = 0.35, decay 5: train 0.786, test 1.0",
        variants=(_DECAY_5,),
    ),
    Claim(
        key="full-inversion",
        statement="With decay 10 the network answers nearly all corrupted training pairs with the true sum: full "
        "inversion.",
        source="§2, Fig. 1",
        check=in_phase(FULL),
        paper_value="p = 97, ξ = 0.35, decay 15: train 0.654, test 1.0",
        variants=(_DECAY_10,),
    ),
    Claim(
        key="rule-is-kept",
        statement="From decay 0 to 10 the rule is kept: test accuracy at least 0.95 (decay 0, 5, 7, 10).",
        source="§2, Fig. 1",
        check=rule_stays,
        paper_value="0.983, 1.0 and 1.0 at decay 0, 5 and 15",
        variants=(_NO_DECAY, _DECAY_5, _DECAY_7, _DECAY_10),
    ),
    Claim(
        key="wrong-labels-fall",
        statement="The more decay, the fewer wrong labels are kept: decay 0, 5 and 10 come in this order.",
        source="§2, Fig. 3",
        check=wrong_labels_fall,
        variants=(_NO_DECAY, _DECAY_5, _DECAY_10),
    ),
    Claim(
        key="wrong-labels-gone",
        statement="With decay 10 at most 0.15 of the wrong labels are kept.",
        source="§2, Fig. 1",
        check=wrong_labels_end,
        variants=(_DECAY_10,),
    ),
    Claim(
        key="train-is-right-labels",
        statement="With decay 10 training accuracy ends at the share of right labels, 1 − ξ, within 0.03.",
        source="§2, Fig. 1",
        check=train_ends_at_the_right_labels,
        paper_value="0.654 at ξ = 0.35",
        variants=(_DECAY_10,),
    ),
    Claim(
        key="decay-makes-periodic",
        statement="Decay makes neurons periodic: the mean IPR at decay 5 and at 10 is at least 0.1 above that at 0.",
        source="§3",
        check=more_periodic,
        variants=(_NO_DECAY, _DECAY_5, _DECAY_10),
    ),
    Claim(
        key="first-memorised",
        statement="With decay 10 everything, wrong labels included, is memorised first: train accuracy reaches 0.95.",
        source="Abstract, Fig. 1",
        check=two_stages,
        paper_value="decay 20: train 0.993, test 0.464 at step 100",
        variants=(_DECAY_10,),
    ),
    Claim(
        key="then-inverted",
        statement="After that peak train accuracy falls while test accuracy rises, each by at least 0.1.",
        source="Abstract, Fig. 1",
        check=falls_while_test_rises,
        paper_value="decay 20, from step 100 to 200: train 0.993 to 0.680, test 0.464 to 0.9985",
        variants=(_DECAY_10,),
    ),
    Claim(
        key="memorization",
        statement="With more wrong labels and no decay only memorising is left: ξ = 0.4 at the default training share.",
        source="§2, Fig. 3",
        check=in_phase(MEMORIZATION),
        variants=({**_NO_DECAY, "corruption": 0.4},),
    ),
    Claim(
        key="two-kinds-of-neurons",
        statement="Where both memories coexist there are two kinds of neurons: between the two peaks of the IPR "
        "histogram (in tenths) a tenth has at most half as many as the smaller peak.",
        source="§2.1, Fig. 4",
        check=valley,
        paper_value="bimodal histogram",
    ),
    Claim(
        key="cutting-low-forgets-wrong-labels",
        statement="Where both coexist, cutting out the least periodic half leaves at most 0.09 of the wrong labels, "
        "mean of the seeds.",
        source="§2.1, Figs. 4 and 6",
        check=after_cutting(LOW_FIRST, 0.5, GIVEN, 0.09, "<="),
        paper_value="accuracy on corrupted examples drops",
        across_seeds="mean",
    ),
    Claim(
        key="cutting-low-inverts",
        statement="Cut so, the network answers at least 0.85 of the corrupted pairs with the true sum, which it was "
        "never told, mean of the seeds.",
        source="§2.1, Figs. 4 and 6",
        check=after_cutting(LOW_FIRST, 0.5, TRUE, 0.85, ">="),
        across_seeds="mean",
    ),
    Claim(
        key="cutting-low-keeps-rule",
        statement="Cut so, it keeps the rule: test accuracy at least 0.95.",
        source="§2.1, Figs. 4 and 6",
        check=after_cutting(LOW_FIRST, 0.5, TEST, 0.95, ">="),
        paper_value="test accuracy is kept",
    ),
    Claim(
        key="cutting-low-train",
        statement="Cut so, its training accuracy is the share of right labels, 1 − ξ, within 0.03.",
        source="§2.1, Figs. 4 and 6",
        check=cut_train,
        paper_value="tends to 1 − ξ",
    ),
    Claim(
        key="cutting-high-loses-rule",
        statement="Cutting out the most periodic 30 % instead loses the rule: test accuracy at most 0.32.",
        source="§2.1, Figs. 4 and 6",
        check=after_cutting(HIGH_FIRST, 0.3, TEST, 0.32, "<="),
        paper_value="the reverse",
    ),
    Claim(
        key="cutting-high-keeps-wrong-labels",
        statement="Cut from that end it keeps the wrong labels: at least 0.65 of them.",
        source="§2.1, Figs. 4 and 6",
        check=after_cutting(HIGH_FIRST, 0.3, GIVEN, 0.65, ">="),
        paper_value="the reverse",
    ),
    Claim(
        key="memorised-at-once",
        statement="With all labels right (p = 31, α = 0.5) and decay up to 2, training pairs are memorised by step 24.",
        source="§2, Fig. 1",
        check=memorised_step,
        paper_value="p = 97, decay 5: within 100 steps",
        variants=(_clean(0.0), _clean(1.0), _clean(2.0)),
    ),
    Claim(
        key="no-decay-no-rule-in-time",
        statement="Without decay those networks do not understand the rule in 200 steps: test accuracy below 0.95.",
        source="§2, Fig. 1",
        check=not_understood,
        variants=(_clean(0.0),),
    ),
    _understood_at(1.0, 115, 170),
    _understood_at(2.0, 80, 102),
    _understood_at(5.0, 66, 72),
    _understood_at(10.0, 88, 99),
    Claim(
        key="best-decay-is-in-between",
        statement="There is a best decay for understanding early: decay 2 is earlier than 1, 5 earlier than 2, and 10 "
        "later than 5.",
        source="toy-scale finding; not in the paper",
        check=u_shape,
        variants=(_clean(1.0), _clean(2.0), _clean(5.0), _clean(10.0)),
    ),
    Claim(
        key="rule-held-at-first",
        statement="At decay 20 with many pairs (p = 31, α = 0.9, no wrong labels, 192 neurons) the rule is there from "
        "step 100 to 250: mean test accuracy at least 0.98.",
        source="App. E",
        check=rule_held,
        paper_value="p = 97, ξ = 0.35: test 0.9985 at step 200",
        variants=(_FORGETTING,),
    ),
    Claim(
        key="rule-half-forgotten",
        statement="At step 350 it is partly forgotten: test accuracy between 0.70 and 0.86, mean of the seeds.",
        source="App. E",
        check=rule_halfway,
        variants=(_FORGETTING,),
        across_seeds="mean",
    ),
    Claim(
        key="rule-forgotten",
        statement="By step 550 it is forgotten: test accuracy at most 0.1 (guessing gives 0.03).",
        source="App. E",
        check=rule_gone,
        paper_value="p = 97, ξ = 0.35: train 0.009, test 0.011 by step 5000",
        variants=(_FORGETTING,),
    ),
    Claim(
        key="weights-shrink",
        statement="While it is forgotten U, V and W all shrink, from step 250 on by at least 10 %.",
        source="App. E",
        check=weights_shrink,
        variants=(_FORGETTING,),
    ),
    Claim(
        key="dropout-gives-up",
        statement="Dropout of 0.3 does it too, without any decay: at most half of the wrong labels are kept.",
        source="§3",
        check=dropout_gives_up,
        variants=({"regulariser": DROPOUT, "dropout": 0.3, "corruption": 0.2},),
    ),
    Claim(
        key="batchnorm-turns-down",
        statement="BatchNorm leaves neurons without a period in place but turns them down: their mean gain is at most "
        "0.8 of that of periodic neurons (batches of 64, 1000 steps). In this small network that does not invert.",
        source="§3, Eq. 5",
        check=gains,
        paper_value="p = 97, α = 0.65, ξ = 0.2, batches of 64: train 0.804, test 1.0",
        variants=({"regulariser": BATCH_NORM, "batch": "64", "steps": 1000, "corruption": 0.2},),
    ),
)
