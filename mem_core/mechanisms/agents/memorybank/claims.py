"""What Ebbinghaus, his replicators, and MemoryBank's paper and code say, and the runs that show it."""

from __future__ import annotations

from mem_core.mechanisms.agents.memorybank import evidence
from mem_core.mechanisms.agents.memorybank.curves import FAMILIES
from mem_core.mechanisms.agents.memorybank.forgetting import HAZARD
from mem_core.mechanisms.agents.memorybank.settings import ALL_SUBJECTS
from mem_core.mechanisms.contract import Claim

LIVES = 10
_SHORT_LIFE = {"days": 10, "policies": (HAZARD,), "repeats": 1}
ALL_CURVES = {
    "subject": ALL_SUBJECTS,
    "measurements": (),
    "hold_out": False,
    "families": tuple(family.name for family in FAMILIES),
    **_SHORT_LIFE,
}
HELD_OUT = ALL_CURVES | {"hold_out": True}
TEN_LIVES = {
    "tau": 1.0,
    "days": 60,
    "facts_per_day": 10,
    "queries_per_day": 20,
    "loads_per_day": 1,
    "repeats": LIVES,
    "policies": evidence.COMPARED,
}
SIX_REVIEWS = {"schedule": (0, 3, 10, 30, 90, 200), "ratings": (3,), **_SHORT_LIFE}


CLAIMS = (
    Claim(
        key="not-exponential",
        statement="Ebbinghaus's savings are not exponential: exp(−t/S), MemoryBank's curve, misses them by at least 50 "
        "times the squared error of a power curve.",
        source="Ebbinghaus 1885, chapter VII; Murre and Dros 2015, table 3",
        paper_value="0.4514 against 0.00285 from the published points",
        check=evidence.check_exponential,
    ),
    Claim(
        key="order-of-curves",
        statement="AIC puts Ebbinghaus's own formulas first, then power, logarithmic, two exponentials, and the "
        "single exponentials last.",
        source="Murre and Dros 2015, their AIC computed for Ebbinghaus alone",
        paper_value="−30.65 and −30.47 < −28.79 < −23.21 < −21.30 < −16.3",
        check=evidence.check_order,
        variants=(ALL_CURVES,),
    ),
    Claim(
        key="two-formulas-tie",
        statement="Ebbinghaus's formulas of 1880 and 1885 fit his points equally well, to within one point of AIC.",
        source="Ebbinghaus 1885, pages 77 and 78; Murre and Dros 2015",
        paper_value="−30.47 and −30.65",
        check=evidence.check_tie,
        variants=(ALL_CURVES,),
    ),
    Claim(
        key="power-predicts-a-month",
        statement="Fitted to the first six delays, the power curve and the formula of 1885 predict the savings after "
        "31 days within 0.02.",
        source="Ebbinghaus 1885, chapter VII: 0.211 after 31 days",
        paper_value="0.200 and 0.223, computed from the published points",
        check=evidence.check_prediction,
        variants=(HELD_OUT,),
    ),
    Claim(
        key="exponential-misses-a-month",
        statement="Fitted to the same six delays, the scaled exponential misses the savings after 31 days by more than "
        "0.15.",
        source="Ebbinghaus 1885, chapter VII: 0.211 after 31 days",
        paper_value="0.006, computed from the published points",
        check=evidence.check_exponential_prediction,
        variants=(HELD_OUT,),
    ),
    Claim(
        key="fsrs-curve-fits",
        statement="FSRS's curve with one free parameter misses Ebbinghaus's points by less than a fiftieth of what the "
        "exponential with one free parameter does.",
        source="FSRS-6 default weights; Ebbinghaus 1885, chapter VII",
        paper_value="0.00555 against 0.4514, computed from the published points",
        check=evidence.check_fsrs,
        variants=(ALL_CURVES,),
    ),
    Claim(
        key="fsrs-exponent-is-human",
        statement="FSRS's exponent 0.1542 lies among the exponents fitted to the four learners. This only suggests a "
        "kinship: savings are not recall.",
        source="FSRS-6 default weights; Murre and Dros 2015, table 3",
        paper_value="0.130, 0.093, 0.099, 0.167, computed from the published points",
        check=evidence.check_exponent,
        variants=(ALL_CURVES,),
    ),
    Claim(
        key="recall-picks-what-to-keep",
        statement="With τ = 1 and equally many pieces (about 80 of 600), hazard answers more questions than random and "
        "than FIFO in at least 8 of 10 lives, in the second half of 60 days. It answers fewer than a store that "
        "forgets nothing: forgetting saves room, it does not improve answers.",
        source="MemoryBank §2.3, in a store of our own; the paper has no such comparison",
        check=evidence.check_store,
        variants=(TEN_LIVES,),
    ),
    Claim(
        key="released-formula-forgets-all",
        statement="The released code computes exp(−t/5*S), where a stronger memory fades faster: almost nothing is "
        "left, and at most one question in twenty is answered.",
        source="MemoryBank-SiliconFriend, forget_memory.py",
        check=evidence.check_released,
        variants=(TEN_LIVES,),
    ),
    Claim(
        key="spacing-strengthens-in-fsrs",
        statement="Six good reviews on days 0, 3, 10, 30, 90 and 200 leave at least ten times the stability of six on "
        "days 0 to 5.",
        source="FSRS-6 default weights",
        paper_value="504.0 against 24.8 days, computed from its equations",
        check=evidence.check_spacing,
        variants=(SIX_REVIEWS,),
    ),
    Claim(
        key="spacing-is-nothing-to-memorybank",
        statement="MemoryBank's strength is one plus the number of recalls, however the recalls are spaced.",
        source="MemoryBank §2.3",
        paper_value="S + 1 per recall",
        check=evidence.check_blindness,
        variants=(SIX_REVIEWS,),
    ),
)
