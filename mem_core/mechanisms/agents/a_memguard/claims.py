"""What the paper says, and the runs that show how far this toy does."""

from __future__ import annotations

from mem_core.mechanisms.agents.a_memguard import evidence
from mem_core.mechanisms.agents.a_memguard.settings import DEFENCES, OFF
from mem_core.mechanisms.contract import Claim

PAPER = "arXiv 2510.02373"
LIVES = 30
MANY = {"lives": LIVES, "phase": OFF, "defences": DEFENCES}
PLANTED = (2, 4, 8)


def _with(**changes: object) -> dict[str, object]:
    return {**MANY, **changes}


CLAIMS = (
    Claim(
        key="order-of-defences",
        statement="With 4 and with 8 planted records the attack succeeds most without a defence, less under an audit "
        "of single records, less under consensus, and least with lessons (audit and consensus are not compared). The "
        "number is the smallest of the differences.",
        source=f"{PAPER}, abstract and introduction",
        paper_value="consensus with lessons best; detectors that look at one record miss 66 % (introduction, citing "
        "the Agent Security Bench)",
        check=evidence.check_order,
        variants=(_with(n_poison=4), _with(n_poison=8)),
        across_seeds="mean",
    ),
    Claim(
        key="lessons-cut-the-attack",
        statement="Lessons cut attack success by at least 95 % with 2, 4 and 8 planted records; the number is the "
        "smallest cut.",
        source=f"{PAPER}, abstract",
        paper_value="over 95 %",
        check=evidence.check_cut,
        variants=tuple(_with(n_poison=planted) for planted in PLANTED),
        across_seeds="mean",
    ),
    Claim(
        key="small-cost",
        statement="With lessons at least 90 % of ordinary questions are still answered right, whether 2, 4 or 8 "
        "records are planted. The defence itself costs a few points, also where nobody attacks.",
        source=f"{PAPER}, abstract",
        paper_value="minimal utility cost",
        check=evidence.check_cost,
        variants=tuple(_with(n_poison=planted) for planted in PLANTED),
        across_seeds="mean",
    ),
    Claim(
        key="poison-multiplies",
        statement="Without a defence the poisoned share of the memory at least triples in 40 rounds, whether 1, 2, 4 "
        "or 8 records are planted; the number is the smallest growth.",
        source=f"{PAPER}, introduction: an agent that learns from its own outcomes amplifies the error",
        check=evidence.check_growth,
        variants=tuple(_with(n_poison=planted) for planted in (1, *PLANTED)),
        across_seeds="mean",
    ),
    Claim(
        key="writing-back-helps-the-attack",
        statement="With 4 planted records, writing back raises attack success without a defence by at least 0.05. "
        "Right answers are written back too and thin the poison out, so the gain is small; over 30 worlds it scatters "
        "by 0.02 (standard error).",
        source=f"{PAPER}, introduction: an agent that learns from its own outcomes amplifies the error",
        check=evidence.check_write_back,
        variants=(_with(n_poison=4), _with(n_poison=4, write_back=False)),
        across_seeds="mean",
    ),
    Claim(
        key="lessons-thin-the-poison",
        statement="With lessons the poisoned share of the memory shrinks: it is smaller at the end than it was when "
        "the records were planted. The number is the end as a multiple of the start.",
        source=f"{PAPER}, introduction",
        paper_value="over 60 % less success of self-reinforcing attacks, by a public summary of the paper",
        check=evidence.check_shrinking,
        across_seeds="mean",
    ),
    Claim(
        key="unanimous-poison-wins",
        statement="Where every retrieved record is poisoned (w = 3) at least 95 % of attacks succeed without a "
        "defence, under consensus and with lessons: nothing disagrees, so nothing is rejected and no lesson learned.",
        source=f"a limit of the method of {PAPER}, shown here; the paper does not report it",
        check=evidence.check_unanimous,
        variants=(_with(trigger_weight=3.0),),
        across_seeds="mean",
    ),
    Claim(
        key="majority-rule",
        statement="With paths free of noise, where the honest records retrieved agree and their path is farther than "
        "eps from the poison's, consensus passes the poison exactly if it has more than half, or half and the most "
        "similar record.",
        source="the released code, consistency.py: the largest cluster is kept",
        check=evidence.check_majority,
        variants=(_with(path_noise=0.0),),
    ),
)
