"""Forgetting curves: what Ebbinghaus measured, an agent's memory that forgets by such a curve, and spaced reviews.

R = exp(−t/S); a recall adds 1 to S and sets t to 0 (MemoryBank §2.3).
"""

from mem_core.mechanisms.agents.memorybank.claims import CLAIMS
from mem_core.mechanisms.agents.memorybank.exercise import EXERCISE
from mem_core.mechanisms.agents.memorybank.fit_charts import FIT_CHARTS
from mem_core.mechanisms.agents.memorybank.run import run
from mem_core.mechanisms.agents.memorybank.settings import BROWSER, CPU, GPU, ForgettingSettings
from mem_core.mechanisms.agents.memorybank.spacing_charts import SPACING_CHARTS
from mem_core.mechanisms.agents.memorybank.store_charts import STORE_CHARTS
from mem_core.mechanisms.contract import Mechanism, Paper

__all__ = ["MECHANISM"]

MECHANISM = Mechanism(
    slug="memorybank",
    name="Forgetting curves",
    family="agents",
    summary="Pieces of a dialogue are forgotten by chance unless they are recalled, along a curve that people's "
    "forgetting does not follow.",
    stores="pieces of dialogue, each with a strength",
    written="when something is said",
    read="by similarity to the question; every hit grows stronger",
    fades="with the days since the last recall",
    paper=Paper(
        title="MemoryBank: Enhancing Large Language Models with Long-Term Memory",
        authors="Wanjun Zhong, Lianghong Guo, Qiqi Gao, He Ye, Yanlin Wang",
        year=2023,
        arxiv="2305.10250",
        code="https://github.com/zhongwanjun/MemoryBank-SiliconFriend",
    ),
    settings=ForgettingSettings,
    presets={"browser": BROWSER, "cpu": CPU, "gpu": GPU},
    run=run,
    charts=(*FIT_CHARTS, *STORE_CHARTS, *SPACING_CHARTS),
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    retention="the forgetting curve that fits people's measured recall best, by days since learning",
    budget_seconds={"numpy": 0.13, "torch": 0.2},
)
