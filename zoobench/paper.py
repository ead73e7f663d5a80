"""The numbers of the paper, to print beside ours.

``paper.csv`` is a transcription of Tables 1 to 6, 12 and 13 of Schürholt et al. 2021; where the
print leaves doubt (a lost decimal point, a zero too many) the reading is ``unsure``.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class PaperScore:
    """One score of the paper: R² or accuracy as a share, and whether it was read beyond doubt."""

    score: float
    sure: bool


@cache
def paper_scores() -> dict[tuple[str, str, str], PaperScore]:
    """Return the paper's scores by zoo, task and the name of the embedder here."""
    text = files("zoobench").joinpath("paper.csv").read_text(encoding="utf-8")
    return {
        (row["zoo"], row["task"], row["embedder"]): PaperScore(
            float(row["percent"]) / 100, row["reading"] == "sure"
        )
        for row in csv.DictReader(text.splitlines())
    }
