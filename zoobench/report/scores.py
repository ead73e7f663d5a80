"""The table of a result: its scores beside reference rows and the paper's."""

from collections.abc import Mapping
from pathlib import Path

from zoobench.evaluation.compare import difference
from zoobench.evaluation.reference_rows import REFERENCE_PROBE, REFERENCES, STATISTICS
from zoobench.report.score_table import ScoreTable
from zoobench.report.text import (
    METRIC_SIGNS,
    MISSING,
    interval_text,
    mean_text,
    paper_text,
    signed,
)
from zoobench.results.paper import paper_score_of
from zoobench.results.record import RECONSTRUCTION, ReconstructionResult, Record, TaskResult
from zoobench.results.store import find_result
from zoobench.task.metrics import MetricName
from zoogen import Zoo

S_W = "s(W)"
"""Title of the scores of layer statistics."""


def reference_records(root: Path, scored: Record) -> Mapping[str, Record]:
    """Return the reference rows that exist for the same zoo, by title."""
    wanted = {name: (name, REFERENCE_PROBE) for name in REFERENCES}
    if scored.embedder.name != STATISTICS:
        wanted[S_W] = (STATISTICS, scored.probe)
    found = {
        title: find_result(root, embedder, scored.zoos, probe)
        for title, (embedder, probe) in wanted.items()
    }
    return {
        title: record
        for title, record in found.items()
        if record is not None and (record.zoo, record.tested_on) == (scored.zoo, scored.tested_on)
    }


def score_table(record: Record, root: Path, zoo: Zoo | None) -> ScoreTable:
    """Lay out one row per task: score, interval, reference rows and the paper's score.

    Args:
        record: Scores to show.
        root: Folder of all results.
        zoo: Zoo that was scored, whose labels the difference to s(W) needs; None if not at hand.
    """
    references = reference_records(root, record)
    compared = references.get(S_W) if zoo is not None else None
    over = ["over s(W)"] if compared else []
    rows = []
    for task in columns_of(record):
        scored, sign = score_in(record, task), METRIC_SIGNS[metric_of(record, task)]
        rows.append(
            (
                f"{task} {sign}",
                mean_text(scored),
                interval_text(scored),
                *(mean_text(score_in(row, task)) for row in references.values()),
                *([over_text(root, zoo, record, compared, task)] if zoo and compared else []),
                paper_text(paper_score_of(record.embedder.name, record.zoo.name, task)),
            )
        )
    titles = ("task", "score", "95 % interval", *references, *over, "paper")
    return ScoreTable(heading(record), titles, tuple(rows))


def columns_of(record: Record) -> list[str]:
    """Name the scores of a record: the reconstruction, if any, then the tasks."""
    first = [] if record.reconstruction is None else [RECONSTRUCTION]
    return [*first, *record.by_task]


def score_in(record: Record, column: str) -> TaskResult | ReconstructionResult | None:
    """Return the score of a task or of the reconstruction, if the record has it."""
    return record.reconstruction if column == RECONSTRUCTION else record.by_task.get(column)


def metric_of(record: Record, column: str) -> MetricName:
    """Return the metric of a task or of the reconstruction."""
    return record.by_task[column].metric if column in record.by_task else "r2"


def over_text(root: Path, zoo: Zoo, record: Record, other: Record, column: str) -> str:
    """Write the interval of the difference to another record."""
    found = difference(root, zoo, record, other, column)
    return MISSING if found is None else f"{signed(found.low)} … {signed(found.high)}"


def heading(record: Record) -> str:
    """Say what was scored, with another line for a partial zoo."""
    seeds = f"{len(record.seeds)} seed{'s' * (len(record.seeds) > 1)}"
    zoos = [zoo for zoo in (record.zoo, record.tested_on) if zoo is not None]
    names = ", tested on ".join(zoo.name for zoo in zoos)
    end = ", " if len(zoos) == 1 else "\n"
    text = f"{record.embedder.name} on {names}{end}{record.probe} probe, {seeds}, in percent"
    for zoo in zoos:
        if zoo.models_built < zoo.models_planned:
            text += f"\npartial zoo: {zoo.models_built} of {zoo.models_planned} models"
            text += f" of {zoo.name}" * (len(zoos) > 1)
    return text
