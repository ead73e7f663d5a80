"""The table of a result on a pair of zoos: Kendall's τ-b first, then R²."""

from pathlib import Path

from zoobench.evaluation.reference_rows import STATISTICS
from zoobench.report.score_table import ScoreTable
from zoobench.report.scores import S_W, heading, reference_records
from zoobench.report.text import MISSING, interval_text, mean_text, percent
from zoobench.results.record import Record, TaskResult
from zoobench.task.elsewhere import TAU
from zoobench.task.pair import ZooPair, shared_starts

INTERVAL = "95 % interval"


def elsewhere_table(record: Record, root: Path, pair: ZooPair | None) -> ScoreTable:
    """Lay out one row per property: its τ-b, ceiling and reference rows, then its R².

    The ceiling is the highest τ-b that predictions without ties can reach on targets with ties.

    Args:
        record: Scores on a pair of zoos.
        root: Folder of all results.
        pair: Pair that was scored, to count shared starting points; None if not at hand.
    """
    references = reference_records(root, record)
    learned = [S_W] * (record.embedder.name != STATISTICS)
    rows = []
    for name in dict.fromkeys(task.task.removesuffix(TAU) for task in record.tasks):
        tau, r2 = record.by_task.get(f"{name}{TAU}"), record.by_task.get(name)
        rows.append(
            (
                name,
                *(mean_text(tau), interval_text(tau)),
                MISSING if tau is None else percent(tau.ceiling),
                mean_text(score_of(references.get("hyper-parameters"), f"{name}{TAU}")),
                *(mean_text(score_of(references.get(S_W), f"{name}{TAU}")) for _ in learned),
                *(mean_text(r2), interval_text(r2)),
                *(mean_text(score_of(references.get(S_W), name)) for _ in learned),
            )
        )
    titles = (
        *("task", "τ-b", INTERVAL, "ceiling", "hyper-parameters", *learned),
        *("R²", INTERVAL, *learned),
    )
    text = heading(record) + (f"\n{starts_text(pair)}" if pair is not None else "")
    return ScoreTable(text, titles, tuple(rows))


def starts_text(pair: ZooPair) -> str:
    """Say how many test models share their starting weights with a model learned from."""
    shared, tested = shared_starts(pair), pair.test.properties["model"].nunique()
    if shared is None:
        return "the starting weights of the models are not known"
    return f"{shared} of {tested} test models start where a model learned from starts, up to scale"


def score_of(record: Record | None, task: str) -> TaskResult | None:
    """Return the score of a reference row on a task, if it has one."""
    return None if record is None else record.by_task.get(task)
