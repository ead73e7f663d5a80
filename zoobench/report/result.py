"""The result that ``zoobench.evaluate`` returns: scores, predictions, comparisons and tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoobench.evaluation.compare import difference, predictions
from zoobench.report.elsewhere import elsewhere_table
from zoobench.report.score_table import ScoreTable
from zoobench.report.scores import columns_of, metric_of, reference_records, score_in, score_table
from zoobench.results.paper import paper_score_of
from zoobench.results.record import Record
from zoobench.results.store import result_folder
from zoobench.task.pair import ZooPair
from zoobench.task.targets import targets
from zoogen import UnknownNameError, Zoo, ZooError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Result:
    """The scores of one embedder on one zoo, or learned on one zoo and tested on another.

    It prints as a table, of 80 columns in a terminal and of HTML in a notebook.

    Attributes:
        record: Content of ``result.json``: scores, stamps of zoo and embedder, versions.
        zoo: Zoo or pair that was scored.
        root: Folder of all results.

    Example:
        >>> import zoobench
        >>> result = zoobench.evaluate("weight-statistics", zoo="tetris-seed", tasks=["acc"])
        >>> result.scores.loc["acc", "score"].round(2)
        np.float64(0.86)
    """

    record: Record
    zoo: Zoo | ZooPair
    root: Path

    @property
    def folder(self) -> Path:
        """The folder of the result."""
        record = self.record
        return result_folder(self.root, record.embedder.name, record.zoos, record.probe)

    @property
    def scores(self) -> "pd.DataFrame":
        """One row per task: metric, score, interval, reference rows and the paper's score.

        Scores are means over seeds, as shares of 1; ``low`` and ``high`` bound the 95 % bootstrap
        interval over models. Unknown values are NaN.
        """
        import pandas as pd

        references = reference_records(self.root, self.record)
        rows = {}
        for task in columns_of(self.record):
            scored = score_in(self.record, task)
            low, high = scored.interval if scored else (None, None)
            others = {name: score_in(row, task) for name, row in references.items()}
            paper = paper_score_of(self.record.embedder.name, self.record.zoo.name, task)
            rows[task] = {
                "metric": metric_of(self.record, task),
                "score": as_number(scored.mean if scored else None),
                "low": as_number(low),
                "high": as_number(high),
                **{name: as_number(each.mean if each else None) for name, each in others.items()},
                "paper": as_number(paper.score if paper else None),
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("task")

    def predictions(self, task: str) -> "pd.DataFrame":
        """Return the predictions of one task for every test snapshot with a target.

        Columns are ``model``, ``epoch``, ``true`` and one per seed: ``seed_0``, ``seed_1``, …

        Raises:
            UnknownNameError: If the task was not scored.
            IntegrityError: If the file of predictions is not the one the result names.
        """
        done = self.record.by_task
        if task not in done:
            raise UnknownNameError(f"scored task of {self.record.zoos}", task, done)
        test = targets(self.zoo.test)
        rows = test[test[done[task].target].notna()]
        table = rows[["model", "epoch"]].assign(true=rows[done[task].target])
        predicted = predictions(self.root, self.record, done[task])
        columns = {f"seed_{seed}": row for seed, row in enumerate(predicted)}
        return table.assign(**columns).reset_index(drop=True)

    def compare(self, other: "Result") -> "pd.DataFrame":
        """Subtract the scores of another result on the same zoo, task by task.

        Columns are ``difference`` and the bounds ``low`` and ``high`` of its 95 % bootstrap
        interval. Both scores come from the same resamples of models.

        Raises:
            ZooError: If the other result is of another zoo or in another folder.
        """
        import pandas as pd

        ours, theirs = self.record, other.record
        if (ours.zoo, ours.tested_on) != (theirs.zoo, theirs.tested_on):
            raise ZooError(
                f"a result on {theirs.zoos} cannot be compared with one on {ours.zoos}: "
                "expected the same zoo with the same content"
            )
        if self.root.resolve() != other.root.resolve():
            raise ZooError(f"results are in {other.root} and {self.root}; keep both in one folder")
        found = {
            task: difference(self.root, self.zoo, ours, theirs, task)
            for task in columns_of(ours)
            if task in columns_of(theirs)
        }
        rows = {
            task: {"difference": each.mean, "low": each.low, "high": each.high}
            for task, each in found.items()
            if each is not None
        }
        columns = ["difference", "low", "high"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("task")

    @property
    def table(self) -> ScoreTable:
        """The scores as text, in percent."""
        if isinstance(self.zoo, ZooPair):
            return elsewhere_table(self.record, self.root, self.zoo)
        return score_table(self.record, self.root, self.zoo)

    def __repr__(self) -> str:
        return self.table.to_text().rstrip()

    def _repr_html_(self) -> str:
        return self.table.to_html()

    def to_markdown(self) -> str:
        """Write the table as GitHub's Markdown."""
        return self.table.to_markdown()

    def to_latex(self) -> str:
        """Write the table as a LaTeX ``tabular``; it needs the package booktabs."""
        return self.table.to_latex()


def as_number(score: float | None) -> float:
    """Return a score, or NaN if it is missing."""
    return np.nan if score is None else score
