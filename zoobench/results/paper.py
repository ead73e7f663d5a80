"""The paper's numbers, to print beside ours.

``paper.csv`` transcribes Tables 1 to 6, 12 and 13 of Schürholt et al. 2021. Its reading is
``unsure`` where the print is doubtful (a lost decimal point, an extra zero).
``paper_elsewhere.csv`` transcribes Table 7 and Figures 11 to 14. Its reading is ``unsure`` where
the title of a panel and the table below the figure differ by more than rounding. The paper swaps
the labels R² and τ of Figure 14, as its values within the distribution show; here they are right.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

AS_IN_THE_PAPER = {
    "self-supervised-fast": "self-supervised",
    "self-supervised-cnn-fast": "self-supervised",
}
"""The method of the paper that an embedder trains in another way."""


@dataclass(frozen=True)
class PaperScore:
    """One score of the paper as a share of 1, and whether the print is beyond doubt."""

    score: float
    sure: bool


@cache
def paper_scores() -> dict[tuple[str, str, str], PaperScore]:
    """Return the paper's scores by zoo, task and our name of the embedder."""
    rows = rows_of("paper.csv")
    return {(row["zoo"], row["task"], row["embedder"]): score_of(row) for row in rows}


def paper_score_of(embedder: str, zoo: str, task: str) -> PaperScore | None:
    """Return the paper's score of one of our embedders, if any."""
    return paper_scores().get((zoo, task, AS_IN_THE_PAPER.get(embedder, embedder)))


@cache
def paper_scores_elsewhere() -> dict[tuple[str, str, str, str, str], PaperScore]:
    """Return the paper's scores across zoos.

    The keys are table or figure, zoo to learn on, zoo to test on, task, and our name of the
    embedder: Table 7 and Figure 13 print different numbers for the same.
    """
    keys = ("table", "trained_on", "tested_on", "task", "embedder")
    found = {}
    for row in rows_of("paper_elsewhere.csv"):
        table, trained_on, tested_on, task, embedder = (row[key] for key in keys)
        found[table, trained_on, tested_on, task, embedder] = score_of(row)
    return found


def rows_of(file: str) -> Iterator[dict[str, str]]:
    """Read the rows of a transcription."""
    text = files("zoobench.results").joinpath(file).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def score_of(row: dict[str, str]) -> PaperScore:
    """Return the score in a row."""
    return PaperScore(float(row["percent"]) / 100, row["reading"] == "sure")
