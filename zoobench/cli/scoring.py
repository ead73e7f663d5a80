"""The commands that score: ``zoobench evaluate`` and ``zoobench reproduce``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from zoobench.cli.options import (
    Root,
    Settings,
    Zoo,
    complete_embedder,
    complete_probe,
    complete_table,
    parsed_settings,
)
from zoogen.console import INTERRUPTED


def evaluate(
    embedder: Annotated[
        str,
        typer.Argument(
            metavar="EMBEDDER",
            autocompletion=complete_embedder,
            help="A registered name, module, module:attribute or path/to/file.py[:attribute]; "
            "also any scikit-learn transformer.",
        ),
    ],
    *,
    zoo: Zoo = "tetris-seed",
    probe: Annotated[
        str,
        typer.Option(
            autocompletion=complete_probe,
            help="standard (the benchmark's), paper (as the paper's authors did it) or boosted "
            "(trees, for the track supervised).",
        ),
    ] = "standard",
    task: Annotated[
        list[str] | None, typer.Option(help="Only this task; may be given several times.")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="RUNS", min=1, help="Runs of the embedder.")] = 1,
    settings: Settings = None,
    trials: Annotated[
        int,
        typer.Option(
            "--tune",
            metavar="TRIALS",
            min=0,
            help="First search TRIALS settings of the embedder for the best on the validation "
            "split; needs the extra cluster.",
        ),
    ] = 0,
    references: Annotated[
        bool, typer.Option(help="Also score the reference rows to compare with.")
    ] = True,
    ood: Annotated[
        bool,
        typer.Option(
            "--ood",
            help="Also score out of distribution, on the test models of built zoos of the same "
            "network (tetris-hyp is built if needed).",
        ),
    ] = False,
    out: Root = Path("results"),
) -> None:
    """Score an embedder on all tasks of a zoo and save the result.

    The result is saved task by task, so the same command continues after an
    interruption. Embeddings are cached by code, settings and zoo.

    Examples: zoobench evaluate pca-linear --set dim=10, or
    zoobench evaluate sklearn.decomposition:PCA --set n_components=50, or
    zoobench evaluate self-supervised-fast --tune 20, or
    zoobench evaluate weight-statistics --zoo tetris-seed --ood
    """
    from zoobench.evaluation.run import Evaluation, run, run_elsewhere
    from zoobench.report.elsewhere import elsewhere_table
    from zoobench.report.lists import print_trials
    from zoobench.report.scores import score_table
    from zoobench.results.store import result_folder
    from zoobench.task.elsewhere import zoos_elsewhere
    from zoobench.task.pair import ZooPair
    from zoogen import load_zoo

    evaluation = Evaluation(
        embedder=embedder,
        settings=parsed_settings(settings or []),
        zoo=zoo,
        probe=probe,
        tasks=tuple(task or ()),
        seeds=seeds,
    )
    others = zoos_elsewhere(zoo, task or ()) if ood else []
    try:
        if trials:
            from zoobench.evaluation.tune import tune

            tried = tune(evaluation, trials)
            print_trials(tried)
            best = {**evaluation.settings, **tried[0].settings}
            evaluation = replace(evaluation, settings=best)
        records = [run(evaluation, out, references=references)]
        typer.echo(score_table(records[0], out, load_zoo(zoo)).to_text())
        for other in others:
            records.append(run_elsewhere(evaluation, other, out, references=references))
            pair = ZooPair(load_zoo(zoo), load_zoo(other))
            typer.echo(elsewhere_table(records[-1], out, pair).to_text())
    except KeyboardInterrupt:
        typer.echo("stopped; finished tasks are kept, the same command continues", err=True)
        raise typer.Exit(INTERRUPTED) from None
    for record in records:
        typer.echo(f"kept in {result_folder(out, record.embedder.name, record.zoos, probe)}")


def reproduce(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            autocompletion=complete_table,
            help="Which table or figure of the paper: table5, fig11.",
        ),
    ],
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting of all self-supervised rows: epochs=100."
        ),
    ] = None,
    out: Root = Path("results"),
    write: Annotated[Path | None, typer.Option(help="Markdown file to write the table to.")] = None,
) -> None:
    """Reproduce a table of the paper with our zoos and embedders, beside its numbers.

    Tables 1, 2, 3 and 12 train one network per row, Tables 4, 5, 6 and 13 one per
    zoo. Table 7 and Figures 11 to 14 learn on one zoo and score on others; with
    --write, a figure is also drawn as a PNG file beside the Markdown.

    Examples: zoobench reproduce table5 --write docs/results/tetris.md, or
    zoobench reproduce fig14 --write docs/results/fig14.md
    """
    from zoobench.report.reproductions import find_reproduction
    from zoogen.atomic import write_text

    found = find_reproduction(table)
    changed = parsed_settings(settings or [])
    try:
        text = found.page(out, changed)
    except KeyboardInterrupt:
        typer.echo("stopped; finished tasks are kept, the same command continues", err=True)
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(text)
    if write is not None:
        write_text(write, text)
        if found.draws:
            drawn = found.draw(out, changed, write.with_suffix(".png"))
            typer.echo(drawn or "no result to draw")
