"""The paper's tables, reproduced with our zoos and embedders, with its numbers beside ours."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from baselines.paper.claims import claim_section
from baselines.paper.printed import printed_score
from baselines.paper.table_types import PaperTable, Row
from baselines.paper.tables import SELF_SUPERVISED
from zoobench.embedders.alone import EmbedderError
from zoobench.embedders.find import find_embedder
from zoobench.evaluation.reference_rows import REFERENCE_PROBE, REFERENCES
from zoobench.evaluation.run import Evaluation, run
from zoobench.probes.predict import unlearnable
from zoobench.report.scores import score_in
from zoobench.report.text import MISSING, interval_text, paper_text, percent
from zoobench.results.record import RECONSTRUCTION, Record
from zoobench.results.store import find_result
from zoobench.task.targets import targets
from zoobench.task.tasks import GAP, RUNNING_GAP, find_tasks, named_tasks, tasks_of
from zoogen import SPLITS, AnySpec, Zoo, ZooError, is_at_hand, load_zoo, zoo_spec

log = logging.getLogger(__name__)


def reproduce_table(
    table: PaperTable, root: Path, settings: Mapping[str, str] | None = None
) -> str:
    """Return a table as Markdown; evaluate the rows that have no result yet.

    Args:
        table: The table.
        root: Folder of all results.
        settings: Settings to change in every self-supervised row, as typed on the command line.

    Raises:
        UnknownNameError: If a self-supervised row has no such setting; nothing is evaluated.
        ZooError: If no zoo of the table is built here, or a zoo or result cannot be read or
            written; finished results are kept.
    """
    settings = settings or {}
    table = replace(table, rows=with_settings(table.rows, settings))
    refuse_none_built(table.zoos)
    sections, made = [], list[Record]()
    for name in table.zoos:
        if not is_at_hand(name):
            sections.append(f"## {name}\n\n{not_built(name)}\n")
            continue
        zoo = load_zoo(name)
        asked = tasks_asked(table, zoo.spec)
        parts = {split: targets(zoo.part(split)) for split in SPLITS}
        reasons = {task.id: unlearnable(task, parts) for task in find_tasks(zoo.spec, asked)}
        tasks = [task for task in asked if not reasons[task]]
        for probe in table.probes:
            results, refused = evaluate_all(table, zoo.spec.name, probe, tasks, root)
            made += results.values()
            sections.append(section(table, zoo, probe, results, tasks, root))
            left_out = {f"task {task}": reasons[task] for task in asked if reasons[task]} | refused
            sections += [f"Not scored: {title}: {reason}.\n" for title, reason in left_out.items()]
            if probe == table.probes[0] and table.claims:
                columns = table_columns(table, tasks)
                sections.append(claim_section(table.claims, results, zoo, columns, root))
    return "\n".join([*header(table, settings, made), *sections])


def tasks_asked(table: PaperTable, spec: AnySpec) -> list[str]:
    """Return the tasks of a table on a zoo, with the paper's gap right after ours."""
    asked = [task for task in tasks_of(spec) if task in table.tasks or not table.tasks]
    if table.running_gap and GAP.id in asked and RUNNING_GAP.id in named_tasks(spec):
        asked.insert(asked.index(GAP.id) + 1, RUNNING_GAP.id)
    return asked


def not_built(name: str) -> str:
    """Say that a zoo is not built, and how to build it."""
    return f"Not built here; run: `zoogen build {name}`"


def refuse_none_built(names: Sequence[str]) -> None:
    """Refuse a table without a built zoo: it would replace a page that was made elsewhere.

    Raises:
        ZooError: If none of the zoos is built here; the message says how to build them.
    """
    if not any(is_at_hand(name) for name in names):
        commands = ", ".join(f"zoogen build {name}" for name in names)
        raise ZooError(
            f"none of the zoos of this table is built here; run at least one of: {commands}"
        )


def with_settings(rows: Sequence[Row], settings: Mapping[str, str]) -> tuple[Row, ...]:
    """Change settings of the self-supervised rows, except those that a row sets itself.

    Raises:
        UnknownNameError: If there is no such setting.
        ZooError: If a value is invalid in one of the rows.
    """
    changed = tuple(
        replace(row, settings={**settings, **row.settings})
        if row.embedder.startswith(SELF_SUPERVISED)
        else row
        for row in rows
    )
    for row in changed:
        find_embedder(row.embedder, row.settings)  # fails before anything is trained
    return changed


def evaluate_all(
    table: PaperTable, zoo: str, probe: str, tasks: Sequence[str], root: Path
) -> tuple[dict[str, Record], dict[str, str]]:
    """Score every row of the table on one zoo.

    Returns:
        Results by the title of the row, and by title why the benchmark refused a row.
    """
    results, refused = dict[str, Record](), dict[str, str]()
    for row in table.rows:
        request = Evaluation(
            embedder=row.embedder,
            zoo=zoo,
            probe=probe,
            settings=row.settings,
            tasks=tuple(tasks),
        )
        try:
            results[row.title] = run(request, root, references=True)
        except EmbedderError as error:
            log.warning("%s, %s: %s", zoo, row.title, error)
            refused[row.title] = str(error)
    return results, refused


def header(table: PaperTable, settings: Mapping[str, str], made: Sequence[Record]) -> Iterator[str]:
    """Yield the lines that say what the table shows and how it was made."""
    yield f"# {table.title}, ours beside the paper's\n"
    yield f"Made by `zoobench reproduce {table.name}{typed(settings)}`. Scores are R² or accuracy"
    yield "on the test split, in percent, with a 95 % bootstrap interval over models; `paper` is"
    yield "what Schürholt et al. 2021 print, with a question mark where the reading is unsure."
    yield "The `paper` probe is the authors' (ridge with a penalised intercept on raw features, a"
    yield "linear layer by Adam), the `standard` probe standardises features and runs to"
    yield "convergence."
    if table.reconstruction:
        yield f"`{RECONSTRUCTION}` is the R² of test weights reconstructed, hidden units permuted."
    yield ""
    yield from made_by(made)
    yield from trained_rows(table.rows)


def made_by(made: Sequence[Record]) -> Iterator[str]:
    """Yield the versions and the machine of the first result."""
    for result in made[:1]:
        versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
        yield f"Versions: {versions}. Machine: {result.machine}.\n"


def trained_rows(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the embedder and settings of each self-supervised row."""
    trained = [row for row in rows if row.embedder.startswith(SELF_SUPERVISED)]
    if trained:
        yield "Trained rows:\n"
    for row in trained:
        yield f"* {row.title}: `{row.embedder}{typed(row.settings)}`"
    if trained:
        yield ""


def typed(settings: Mapping[str, str]) -> str:
    """Return settings as typed on the command line."""
    return "".join(f" --set {name}={value}" for name, value in settings.items())


def table_columns(table: PaperTable, tasks: Sequence[str]) -> list[str]:
    """Return the columns of a table: reconstruction, if it has one, then the tasks."""
    return [*([RECONSTRUCTION] if table.reconstruction else []), *tasks]


def section(
    table: PaperTable,
    zoo: Zoo,
    probe: str,
    results: Mapping[str, Record],
    tasks: Sequence[str],
    root: Path,
) -> str:
    """Return the section of one zoo and probe: a column per task, up to three lines per row."""
    name = zoo.spec.name
    columns = table_columns(table, tasks)
    lines = [
        f"## {name}, {probe} probe\n",
        f"{extent(zoo)}\n",
        f"| embedder | | {' | '.join(columns)} |",
        f"|---|---|{'---:|' * len(columns)}",
    ]
    for embedder in REFERENCES:
        reference = find_result(root, embedder, name, REFERENCE_PROBE)
        if reference is not None:
            lines.append(line(embedder, "ours", scores(reference, columns)))
    for title, result in results.items():
        lines.append(line(title, "ours", scores(result, columns)))
        lines.append(line("", "95 %", intervals(result, columns)))
        printed = [printed_score(name, column, title, columns) for column in columns]
        if any(printed):
            lines.append(line("", "paper", [paper_text(score, MISSING) for score in printed]))
    return "\n".join(lines) + "\n"


def extent(zoo: Zoo) -> str:
    """Say how much of the registered zoo was scored, in bold if it was only a part."""
    manifest, planned = zoo.manifest, zoo_spec(zoo.spec.name)
    hashes = f"zoo content `{manifest.content_sha256[:12]}`, split `{manifest.split_sha256[:12]}`."
    parts = zoo.properties.groupby("split")["model"].nunique()
    models = f"{manifest.models_built} of {planned.models} models"
    counts = ", ".join(f"{parts.get(split, 0)} {split}" for split in SPLITS)
    missing = [
        f"{field.replace('_', ' ')} {spec_text(ours)} for {spec_text(theirs)}"
        for field in ("images", "epochs", "stored_epochs")
        if (ours := getattr(zoo.spec, field)) != (theirs := getattr(planned, field))
    ]
    if manifest.models_built == planned.models and not missing:
        return f"{models} ({counts}), {hashes}"
    return (
        f"**Partial zoo**: {'; '.join((f'{models} ({counts})', *missing))}. {hashes.capitalize()}"
    )


def spec_text(value: object) -> str:
    """Return a field of a spec as text; of a path, only the name."""
    if isinstance(value, tuple) and len(value) > 10:
        return f"{value[0]} to {value[-1]}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return Path(value).name if isinstance(value, str) else str(value)


def line(first: str, second: str, cells: Sequence[str]) -> str:
    """Return cells as a row of a Markdown table."""
    return f"| {' | '.join((first, second, *cells))} |"


def scores(result: Record, columns: Sequence[str]) -> list[str]:
    """Return the mean score in each column as text."""
    found = (score_in(result, column) for column in columns)
    return [MISSING if each is None else percent(each.mean) for each in found]


def intervals(result: Record, columns: Sequence[str]) -> list[str]:
    """Return the interval in each column as text."""
    found = (score_in(result, column) for column in columns)
    return [MISSING if each is None else interval_text(each) for each in found]
