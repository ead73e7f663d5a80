"""The numbers of the paper, to print beside ours.

``paper.csv`` is a transcription of Tables 1 to 6, 12 and 13 of Schürholt et al. 2021; where the
print leaves doubt (a lost decimal point, a zero too many) the reading is ``unsure``.
``paper_elsewhere.csv`` is one of Table 7 and Figures 11 to 14; where the title of a panel and the
table below the figure differ by more than rounding, the reading is ``unsure``, too. The paper
swaps the labels R² and τ of Figure 14, as its values within the distribution show; here they are
right.
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
"""Embedders that are a method of the paper, trained in another way, by the name of that method."""


@dataclass(frozen=True)
class PaperScore:
    """One score of the paper as a share of 1, and whether it was read beyond doubt."""

    score: float
    sure: bool


@cache
def paper_scores() -> dict[tuple[str, str, str], PaperScore]:
    """Return the paper's scores by zoo, task and the name of the embedder here."""
    return {(row["zoo"], row["task"], row["embedder"]): read(row) for row in rows_of("paper.csv")}


def paper_score_of(embedder: str, zoo: str, task: str) -> PaperScore | None:
    """Return what the paper reports of an embedder here, if anything."""
    return paper_scores().get((zoo, task, AS_IN_THE_PAPER.get(embedder, embedder)))


@cache
def paper_scores_elsewhere() -> dict[tuple[str, str, str, str, str], PaperScore]:
    """Return the paper's scores across zoos.

    By table or figure, the zoo learned from, the zoo tested on, task and the name of the embedder
    here: what Table 7 and Figure 13 print of the same is not the same.
    """
    keys = ("table", "trained_on", "tested_on", "task", "embedder")
    found = {}
    for row in rows_of("paper_elsewhere.csv"):
        table, trained_on, tested_on, task, embedder = (row[key] for key in keys)
        found[table, trained_on, tested_on, task, embedder] = read(row)
    return found


def rows_of(file: str) -> Iterator[dict[str, str]]:
    """Read a transcription."""
    text = files("zoobench.results").joinpath(file).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def read(row: dict[str, str]) -> PaperScore:
    """Return the score of a line."""
    return PaperScore(float(row["percent"]) / 100, row["reading"] == "sure")
