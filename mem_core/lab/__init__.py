"""What a notebook needs: controls from settings, live runs, charts, claims, exercises, links."""

from mem_core.lab.about import place, reference, source
from mem_core.lab.claims import ClaimBoard
from mem_core.lab.comparison import Comparison
from mem_core.lab.engine_board import EngineBoard
from mem_core.lab.exercise import ExerciseBoard
from mem_core.lab.figures import figure
from mem_core.lab.page import Page, open_page
from mem_core.lab.status import status
from mem_core.lab.styles import panel, sheet

__all__ = [
    "ClaimBoard",
    "Comparison",
    "EngineBoard",
    "ExerciseBoard",
    "Page",
    "figure",
    "open_page",
    "panel",
    "place",
    "reference",
    "sheet",
    "source",
    "status",
]
