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
from zoogen import SPLITS, Zoo, is_at_hand, load_zoo, zoo_spec


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table of the paper: which zoos, which embedders, and what its numbers are.

    Attributes:
        extra: Embedders the paper does not have, scored in the same way.
        tasks: Those of the paper's table; all the zoo has if empty.
    """

    name: str
    title: str
    zoos: tuple[str, ...]
    embedders: tuple[str, ...]
    extra: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


STATISTICS = ("raw-weights", "weight-statistics")
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
        PaperTable(
            name="table4",
            title="Table 4: the MNIST zoos",
            zoos=(
                "mnist-seed",
                "mnist-hyp-1-fix-seed",
                "mnist-hyp-1-rand-seed",
                "mnist-hyp-5-fix-seed",
                "mnist-hyp-5-rand-seed",
            ),
            embedders=STATISTICS,
            tasks=("eph", "acc", "ggap", "init"),
        ),
        PaperTable(
            name="table6",
            title="Table 6: random search over the small CNN",
            zoos=("mnist-hyp", "fashion-hyp", "cifar10-hyp", "svhn-hyp"),
            embedders=STATISTICS,
            tasks=("eph", "acc", "ggap", "lr", "l2", "drop", "tf", "act", "init", "opt"),
        ),
        PaperTable(
            name="table13",
            title="Table 13: one network, three image sets",
            zoos=("mnist-seed", "fashion-seed", "svhn-seed"),
            embedders=STATISTICS,
            tasks=("eph", "acc", "ggap"),
        ),
    )
}


def reproduce_table(table: PaperTable, root: Path) -> str:
    """Evaluate what is missing of a table and return it as Markdown.

    Raises:
        ZooError: If a zoo or result cannot be read or written; what was finished is kept.
    """
    sections = []
    for name in table.zoos:
        if not is_at_hand(name):
            sections.append(f"## {name}\n\nNot built here; run: `zoogen build {name}`\n")
            continue
        zoo = load_zoo(name)
        tasks = [task for task in tasks_of(zoo.spec) if task in table.tasks or not table.tasks]
        for probe in reversed(PROBES):
            results = evaluate_all(table, zoo.spec.name, probe, tasks, root)
            sections.append(section(table, zoo, probe, results, tasks, root))
    return "\n".join([*header(table, root), *sections])


def evaluate_all(
    table: PaperTable, zoo: str, probe: str, tasks: Sequence[str], root: Path
) -> dict[str, Result]:
    """Score every embedder of the table on one zoo."""
    return {
        name: run(
            Request(embedder=name, zoo=zoo, probe=probe, settings={}, tasks=tuple(tasks)),
            root,
            references=True,
        )
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
    table: PaperTable,
    zoo: Zoo,
    probe: str,
    results: dict[str, Result],
    tasks: Sequence[str],
    root: Path,
) -> str:
    """Lay out one zoo and one probe: three lines to an embedder, one column to a task."""
    name = zoo.spec.name
    lines = [
        f"## {name}, {probe} probe\n",
        f"{extent(zoo)}\n",
        f"| embedder | | {' | '.join(tasks)} |",
        f"|---|---|{'---:|' * len(tasks)}",
    ]
    for embedder in REFERENCES:
        reference = find_result(root, embedder, name, PROBE)
        if reference is not None:
            lines.append(row(embedder, "ours", scores(reference, tasks)))
    for embedder, result in results.items():
        lines.append(row(embedder, "ours", scores(result, tasks)))
        lines.append(row("", "95 %", intervals(result, tasks)))
        if embedder in table.embedders:
            lines.append(row("", "paper", printed(embedder, name, tasks)))
    lines.append(row("self-supervised", "paper", printed("self-supervised", name, tasks)))
    return "\n".join(lines) + "\n"


def extent(zoo: Zoo) -> str:
    """Say how much of the registered zoo was scored, in bold if it is not all of it."""
    manifest, planned = zoo.manifest, zoo_spec(zoo.spec.name)
    hashes = f"zoo content `{manifest.content_sha256[:12]}`, split `{manifest.split_sha256[:12]}`."
    parts = zoo.properties.groupby("split")["model"].nunique()
    models = f"{manifest.models_built} of {planned.models} models"
    counts = ", ".join(f"{parts.get(split, 0)} {split}" for split in SPLITS)
    missing = [
        f"{field.replace('_', ' ')} {told(ours)} for {told(theirs)}"
        for field in ("images", "epochs", "stored_epochs")
        if (ours := getattr(zoo.spec, field)) != (theirs := getattr(planned, field))
    ]
    if manifest.models_built == planned.models and not missing:
        return f"{models} ({counts}), {hashes}"
    return (
        f"**Partial zoo**: {'; '.join((f'{models} ({counts})', *missing))}. {hashes.capitalize()}"
    )


def told(value: object) -> str:
    """Write a field of a spec in words; of a path, the name alone."""
    if isinstance(value, tuple) and len(value) > 10:
        return f"{value[0]} to {value[-1]}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return Path(value).name if isinstance(value, str) else str(value)


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
