"""The paper's results across zoos, reproduced with our zoos, with its numbers beside ours."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from baselines.paper.reproduce import (
    extent,
    line,
    made_by,
    not_built,
    refuse_none_built,
    trained_rows,
    typed,
    with_settings,
)
from baselines.paper.tables import SELF_SUPERVISED
from baselines.paper.tables_elsewhere import TableElsewhere
from zoobench.embedders.alone import EmbedderError
from zoobench.evaluation.compare import Difference, difference
from zoobench.evaluation.reference_rows import REFERENCE_PROBE, REFERENCES
from zoobench.evaluation.run import Evaluation, run_elsewhere
from zoobench.report.elsewhere import starts_text
from zoobench.report.text import (
    METRIC_SIGNS,
    MISSING,
    interval_text,
    paper_text,
    percent,
    signed,
)
from zoobench.results.paper import paper_scores_elsewhere
from zoobench.results.record import Record, TaskResult
from zoobench.results.store import find_result
from zoobench.task.pair import ZooPair, pair_name
from zoogen import is_at_hand, load_zoo

log = logging.getLogger(__name__)

Results = Mapping[str, Mapping[str, Record]]
"""Results by the title of the row, then by the zoo tested on."""


def reproduce_elsewhere(
    table: TableElsewhere, root: Path, settings: Mapping[str, str] | None = None
) -> str:
    """Return a table across zoos as Markdown; evaluate the rows that have no result yet.

    Args:
        table: The table.
        root: Folder of all results.
        settings: Settings to change in every self-supervised row, as typed on the command line.

    Raises:
        UnknownNameError: If a self-supervised row has no such setting; nothing is evaluated.
        ZooError: If no zoo to learn on is built here, or a zoo or result cannot be read or
            written; finished results are kept.
    """
    settings = settings or {}
    table = replace(table, rows=with_settings(table.rows, settings))
    refuse_none_built(table.trained_on)
    there = [name for name in table.tested_on if is_at_hand(name)]
    sections, made = list[str](), list[Record]()
    for trained_on in table.trained_on:
        if not is_at_hand(trained_on):
            sections.append(f"## Learned on {trained_on}\n\n{not_built(trained_on)}\n")
            continue
        results, refused = evaluate_pairs(table, trained_on, there, root)
        made += [result for row in results.values() for result in row.values()]
        across = Across(table=table, trained_on=trained_on, tested_on=there, root=root)
        sections += section(across, results)
        sections += [f"Not scored: {title}: {reason}.\n" for title, reason in refused.items()]
    return "\n".join([*header(table, there, settings, made), *sections])


def evaluate_pairs(
    table: TableElsewhere, trained_on: str, tested_on: list[str], root: Path
) -> tuple[Results, dict[str, str]]:
    """Score every row of the table, learned on one zoo, on each zoo to test on.

    Returns:
        The results, and by row and zoo why the benchmark refused one.
    """
    results: dict[str, dict[str, Record]] = {row.title: {} for row in table.rows}
    refused = dict[str, str]()
    for row in table.rows:
        request = Evaluation(
            embedder=row.embedder,
            zoo=trained_on,
            probe=table.probe,
            settings=row.settings,
            tasks=(table.task,),
        )
        for other in tested_on:
            try:
                results[row.title][other] = run_elsewhere(request, other, root, references=True)
            except EmbedderError as error:
                log.warning("%s to %s, %s: %s", trained_on, other, row.title, error)
                refused[f"{row.title} to {other}"] = str(error)
    return results, refused


def header(
    table: TableElsewhere, there: list[str], settings: Mapping[str, str], made: list[Record]
) -> Iterator[str]:
    """Yield the lines that say what the table shows and how it was made."""
    yield f"# {table.title}, ours beside the paper's\n"
    yield f"Made by `zoobench reproduce {table.name}{typed(settings)}`. Embedder and probe (the"
    yield f"`{table.probe}` probe) learn on the train and validation splits of one zoo; columns are"
    yield "the zoos on whose test splits they are scored, the first one's own among them. τ-b is"
    yield "Kendall's, its ceiling what equal targets leave for predictions that are all different;"
    yield "all in percent, with 95 % bootstrap intervals over models. `paper` is what Schürholt et"
    yield "al. 2021 print, with a question mark where the reading is unsure.\n"
    yield from made_by(made)
    yield from trained_rows(table.rows)
    for name in table.tested_on:
        yield f"* {name}: {extent(load_zoo(name)) if name in there else not_built(name)}"
    yield ""


@dataclass(frozen=True, kw_only=True)
class Across:
    """One zoo that a table learns on, the zoos it tests on, and the folder of all results."""

    table: TableElsewhere
    trained_on: str
    tested_on: Sequence[str]
    root: Path


def section(across: Across, results: Results) -> Iterator[str]:
    """Yield the section of one zoo learned on: a table per metric, up to three lines per row."""
    yield f"## Learned on {across.trained_on}\n"
    for name in across.tested_on:
        yield f"* {name}: {starts_text(pair_of(across.trained_on, name))}"
    yield ""
    for task in across.table.columns:
        scored = {
            title: [row[name].by_task[task] if name in row else None for name in across.tested_on]
            for title, row in results.items()
        }
        known = [each for row in scored.values() for each in row if each is not None]
        if not known:
            continue
        what = f"{METRIC_SIGNS[known[0].metric]} of {across.table.task}"
        lines = [
            f"| {what} | | {' | '.join(across.tested_on)} |",
            f"|---|---|{'---:|' * len(across.tested_on)}",
            *reference_lines(across, task),
        ]
        for title, row in scored.items():
            lines += row_lines(across, task, title, row)
        lines += difference_lines(across, task, results)
        yield "\n".join(lines) + "\n"


def reference_lines(across: Across, task: str) -> Iterator[str]:
    """Yield the ceiling, if there is one, and the reference rows."""
    pairs = [pair_name(across.trained_on, name) for name in across.tested_on]
    for reference in REFERENCES:
        found = [find_result(across.root, reference, pair, REFERENCE_PROBE) for pair in pairs]
        scores = [result.by_task.get(task) if result else None for result in found]
        ceilings = [MISSING if each is None else percent(each.ceiling) for each in scores]
        if reference == next(iter(REFERENCES)) and set(ceilings) != {MISSING}:
            yield line("ceiling", "", ceilings)
        yield line(reference, "ours", [percent(each.mean) if each else MISSING for each in scores])


def row_lines(
    across: Across, task: str, title: str, row: Sequence[TaskResult | None]
) -> Iterator[str]:
    """Yield the scores of a row, their intervals and the paper's scores."""
    yield line(title, "ours", [percent(each.mean) if each else MISSING for each in row])
    yield line("", "95 %", [interval_text(each) if each else MISSING for each in row])
    table, zoo, printed = across.table.name, across.trained_on, paper_scores_elsewhere()
    paper = [printed.get((table, zoo, name, task, title)) for name in across.tested_on]
    if any(paper):
        yield line("", "paper", [paper_text(score, MISSING) for score in paper])


def difference_lines(across: Across, task: str, results: Results) -> Iterator[str]:
    """Yield the lead of the learned embedding over each other row, with its interval."""
    learned = results.get(SELF_SUPERVISED, {})
    for title, row in results.items():
        if title == SELF_SUPERVISED or not learned:
            continue
        found = {
            name: difference(
                across.root, pair_of(across.trained_on, name), learned[name], row[name], task
            )
            for name in across.tested_on
            if name in learned and name in row
        }
        differences = [found.get(name) for name in across.tested_on]
        what = f"{SELF_SUPERVISED} − {title}"
        yield line(what, "ours", [mean_text(each) for each in differences])
        yield line("", "95 %", [bounds_text(each) for each in differences])


def pair_of(trained_on: str, tested_on: str) -> ZooPair:
    """Return two zoos as a pair; their weights stay on disk."""
    return ZooPair(load_zoo(trained_on), load_zoo(tested_on))


def mean_text(found: Difference | None) -> str:
    """Return a difference in points as text."""
    return MISSING if found is None else signed(found.mean)


def bounds_text(found: Difference | None) -> str:
    """Return the interval of a difference in points as text."""
    return MISSING if found is None else f"{signed(found.low)} … {signed(found.high)}"
