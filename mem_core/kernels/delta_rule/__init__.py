"""The delta rule: a memory that corrects what it has stored at a key instead of adding to it; also one that fades."""

from mem_core.kernels.delta_rule.rule import delta_rule, gated_delta_rule
from mem_core.kernels.delta_rule.step import delta_rule_step, gated_delta_rule_step

__all__ = ["delta_rule", "delta_rule_step", "gated_delta_rule", "gated_delta_rule_step"]
