"""How fast the kernels are, beside what the machine allows and beside other libraries, all in the same run.

| module | what it holds |
| --- | --- |
| `cases` | kernels and sizes |
| `inputs`, `work` | their arguments, and how much there is to do and to move at the least |
| `contestants`, `plain_numpy`, `plain_torch`, `peers` | who takes part |
| `place`, `on_numpy`, `on_torch`, `timing`, `ceilings` | how things are run and timed |
| `rows`, `run` | the measurements |
| `report`, `targets` | tables of them, and what they are held against |
"""

from mem_core.kernels.benchmark.cases import DEVICES, Device
from mem_core.kernels.benchmark.inputs import INPUTS
from mem_core.kernels.benchmark.rows import Row
from mem_core.kernels.benchmark.run import Run, Start, devices_here, measure

KERNELS = tuple(INPUTS)
"""Names of what can be timed."""

__all__ = ["DEVICES", "KERNELS", "Device", "Row", "Run", "Start", "devices_here", "measure"]
