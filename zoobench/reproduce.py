"""The paper's tables again, from our zoos and embedders, with the paper's numbers beside ours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoobench.paper import paper_scores
from zoobench.probe import PROBES
from zoobench.reference import PROBE, REFERENCES
from zoobench.report import MISSING, interval_text, paper_text, percent
from zoobench.results import Result
from zoobench.run import Request, run
from zoobench.store import find_result
from zoobench.tasks import tasks_of
from zoogen import ZooSpec, zoo_spec


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table of the paper: which zoos, which embedders, and what its numbers are.

    Attributes:
        extra: Embedders the paper does not have, scored in the same way.
    """

    name: str
    title: str
    zoos: tuple[str, ...]
    embedders: tuple[str, ...]
    extra: tuple[str, ...] = ()


TABLES = {
    table.name: table
    for table in (
        PaperTable(
            name="table5",
            title="Table 5: the Tetris zoos",
            zoos=("tetris-seed", "tetris-hyp"),
            embedders=(
                "raw-weights",
                "pca-linear",
                "pca-cosine",
                "pca-rbf",
                "umap",
                "weight-statistics",
            ),
            extra=("weight-statistics-wide", "random-projection"),
        ),
    )
}


def reproduce_table(table: PaperTable, root: Path) -> str:
    """Evaluate what is missing of a table and return it as Markdown.

    Raises:
        ZooError: If a zoo or result cannot be read or written; what was finished is kept.
    """
    sections = [
        section(table, zoo_spec(zoo), probe, evaluate_all(table, zoo, probe, root), root)
        for zoo in table.zoos
        for probe in reversed(PROBES)
    ]
    return "\n".join([*header(table, root), *sections])


def evaluate_all(table: PaperTable, zoo: str, probe: str, root: Path) -> dict[str, Result]:
    """Score every embedder of the table on one zoo."""
    return {
        name: run(Request(embedder=name, zoo=zoo, probe=probe, settings={}), root, references=True)
        for name in (*table.embedders, *table.extra)
    }


def header(table: PaperTable, root: Path) -> Iterator[str]:
    """Say what the table shows and what made it."""
    yield f"# {table.title}, ours beside the paper's\n"
    yield f"Made by `zoobench reproduce {table.name}`. Scores are R² or accuracy on the test split,"
    yield "in percent, with a 95 % bootstrap interval over models; `paper` is what Schürholt et al."
    yield "2021 print, with a question mark where the reading is unsure. The `paper` probe is the"
    yield "authors' (ridge with a penalised intercept on raw features, a linear layer by Adam), the"
    yield "`standard` probe standardises features and runs to convergence.\n"
    result = find_result(root, table.embedders[0], table.zoos[0], next(iter(PROBES)))
    if result is not None:
        versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
        yield f"Versions: {versions}. Machine: {result.machine}.\n"


def section(
    table: PaperTable, spec: ZooSpec, probe: str, results: dict[str, Result], root: Path
) -> str:
    """Lay out one zoo and one probe: three lines to an embedder, one column to a task."""
    tasks = list(tasks_of(spec))
    zoo = next(iter(results.values())).zoo
    lines = [
        f"## {spec.name}, {probe} probe\n",
        f"{zoo.models_built} of {zoo.models_planned} models, "
        f"zoo content `{zoo.content_sha256[:12]}`, split `{zoo.split_sha256[:12]}`.\n",
        f"| embedder | | {' | '.join(tasks)} |",
        f"|---|---|{'---:|' * len(tasks)}",
    ]
    for name in REFERENCES:
        reference = find_result(root, name, spec.name, PROBE)
        if reference is not None:
            lines.append(row(name, "ours", scores(reference, tasks)))
    for name, result in results.items():
        lines.append(row(name, "ours", scores(result, tasks)))
        lines.append(row("", "95 %", intervals(result, tasks)))
        if name in table.embedders:
            lines.append(row("", "paper", printed(name, spec.name, tasks)))
    lines.append(row("self-supervised", "paper", printed("self-supervised", spec.name, tasks)))
    return "\n".join(lines) + "\n"


def row(first: str, second: str, cells: Sequence[str]) -> str:
    """Join cells to a row of Markdown."""
    return f"| {' | '.join((first, second, *cells))} |"


def scores(result: Result, tasks: Sequence[str]) -> list[str]:
    """Write the mean score of each task."""
    return [percent(result.by_task[task].mean) for task in tasks]


def intervals(result: Result, tasks: Sequence[str]) -> list[str]:
    """Write the interval of each task."""
    return [interval_text(result.by_task[task]) for task in tasks]


def printed(embedder: str, zoo: str, tasks: Sequence[str]) -> list[str]:
    """Write what the paper reports of each task."""
    papers = paper_scores()
    return [paper_text(papers.get((zoo, task, embedder)), MISSING) for task in tasks]
