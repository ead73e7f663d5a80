"""The command ``zoobench``: score and draw embedders, list tasks, redo the paper's tables."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from zoobench.cli.board import admit, complete_zoo, leaderboard, submit, validate, verify
from zoogen import INTERRUPTED, ZOOS, completed, run_command_line

app = typer.Typer(
    name="zoobench",
    help="Score what an embedder knows of the networks of a zoo.\n\n"
    "Start with: zoobench evaluate weight-statistics --zoo tetris-seed",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (submit, validate, leaderboard, verify, admit):
    app.command(rich_help_panel="The board")(command)


def complete_embedder(incomplete: str) -> list[str]:
    """Complete the name of an embedder that is an entry point."""
    from zoobench.embedders.find import embedder_names

    return completed(list(embedder_names()), incomplete)


def complete_probe(incomplete: str) -> list[str]:
    """Complete the name of a probe."""
    from zoobench.probes.probe import PROBES

    return completed(list(PROBES), incomplete)


def complete_table(incomplete: str) -> list[str]:
    """Complete the name of a table or figure of the paper."""
    from zoobench.report.reproductions import reproductions

    return completed(list(reproductions()), incomplete)


def complete_network(incomplete: str) -> list[str]:
    """Complete a kind of network that embedders are checked on."""
    from zoobench.checks.tiny import TINY

    return completed(list(TINY), incomplete)


Root = Annotated[Path, typer.Option("--out", help="Folder that holds the results.")]
Zoo = Annotated[
    str,
    typer.Option(
        autocompletion=complete_zoo, help="A registered zoo, a folder or hub:OWNER/NAME@REVISION."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the embedder."),
]
Embedder = Annotated[
    str,
    typer.Argument(
        metavar="EMBEDDER", autocompletion=complete_embedder, help="As evaluate takes it."
    ),
]


@app.command()
def evaluate(
    embedder: Annotated[
        str,
        typer.Argument(
            metavar="EMBEDDER",
            autocompletion=complete_embedder,
            help="A registered name, module, module:attribute or path/to/file.py[:attribute]; "
            "any scikit-learn transformer will do.",
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
            help="First try so many settings of the embedder and take the one that is best on the "
            "validation split; needs the extra cluster.",
        ),
    ] = 0,
    references: Annotated[
        bool, typer.Option(help="Also score the rows to read the scores against.")
    ] = True,
    ood: Annotated[
        bool,
        typer.Option(
            "--ood",
            help="Also score it out of distribution: on the test models of the zoos of the same "
            "network, as far as they are built (tetris-hyp is built if it is not).",
        ),
    ] = False,
    out: Root = Path("results"),
) -> None:
    """Score an embedder on all tasks of a zoo and keep the result.

    The result is kept task by task: the same command goes on after an
    interruption. Embeddings are cached by the content of code, settings and zoo.

    Examples: zoobench evaluate pca-linear --set dim=10, or
    zoobench evaluate sklearn.decomposition:PCA --set n_components=50, or
    zoobench evaluate self-supervised-fast --tune 20, or
    zoobench evaluate weight-statistics --zoo tetris-seed --ood
    """
    from zoobench.evaluation.run import Request, run, run_elsewhere
    from zoobench.report.elsewhere import print_elsewhere
    from zoobench.report.results import print_result, print_trials
    from zoobench.results.store import result_folder
    from zoobench.task.elsewhere import zoos_elsewhere
    from zoobench.task.pair import ZooPair
    from zoogen import load_zoo

    request = Request(
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

            tried = tune(request, trials)
            print_trials(tried)
            request = replace(request, settings={**request.settings, **tried[0].settings})
        results = [run(request, out, references=references)]
        print_result(results[0], out, load_zoo(zoo))
        for other in others:
            results.append(run_elsewhere(request, other, out, references=references))
            print_elsewhere(results[-1], out, ZooPair(load_zoo(zoo), load_zoo(other)))
    except KeyboardInterrupt:
        typer.echo("stopped; finished tasks are kept, the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED) from None
    for result in results:
        typer.echo(f"kept in {result_folder(out, result.embedder.name, result.zoos, probe)}")


def parsed_settings(pairs: list[str]) -> dict[str, str]:
    """Split ``key=value`` pairs."""
    for pair in pairs:
        if "=" not in pair:
            raise typer.BadParameter(f"{pair!r}, expected KEY=VALUE", param_hint="--set")
    return dict(pair.split("=", 1) for pair in pairs)


@app.command()
def check(
    embedder: Embedder,
    *,
    settings: Settings = None,
    network: Annotated[
        str | None,
        typer.Option(
            autocompletion=complete_network, help="Only on networks of this kind: mlp or cnn."
        ),
    ] = None,
) -> None:
    """See in seconds whether an embedder keeps to the rules, on two small zoos.

    It must embed each snapshot by itself, finite, the same for the same seed,
    without a look at labels; what it costs is measured. Ends with status 1 if
    anything fails.

    Examples: zoobench check pca-linear, or
    zoobench check my_embedder.py --network mlp, or
    zoobench check self-supervised-fast --set epochs=2
    """
    from zoobench.checks.check import check
    from zoobench.checks.findings import print_findings, refuse_failures
    from zoobench.checks.tiny import TINY, tiny_zoo
    from zoobench.embedders.find import find_embedder

    found = find_embedder(embedder, parsed_settings(settings or []))
    seen = []
    for kind in [network] if network else TINY:
        zoo = tiny_zoo(kind)
        on_zoo = check(found, zoo)
        typer.echo(f"{found.name} on {zoo.spec.name}")
        print_findings(on_zoo)
        seen += [replace(each, subject=f"{each.subject} on {kind}") for each in on_zoo]
    refuse_failures(seen, found.name)


@app.command()
def audit(
    zoo: Annotated[
        str,
        typer.Argument(
            metavar="ZOO",
            autocompletion=complete_zoo,
            help="A registered zoo, a folder or hub:OWNER/NAME@REVISION.",
        ),
    ],
) -> None:
    """See that nothing a zoo tests on is in what it trains on.

    No model, no group and no snapshot, in whatever order its hidden units stand,
    may be in two splits. What may be shared, as starting points, is counted.

    Example: zoobench audit tetris-seed
    """
    from zoobench.checks.audit import audit
    from zoobench.checks.findings import print_findings, refuse_failures
    from zoogen import load_zoo

    found = audit(load_zoo(zoo))
    print_findings(found)
    refuse_failures(found, zoo)


@app.command()
def tasks(
    zoo: Annotated[
        str | None,
        typer.Argument(
            metavar="ZOO",
            autocompletion=complete_zoo,
            help="Only those of this zoo: registered, a folder, hub:OWNER/NAME@REVISION, or your "
            "own spec as module:attribute.",
        ),
    ] = None,
) -> None:
    """List what can be predicted, and on which zoos.

    Whatever is scored by R² is also tried on the test split of other zoos, see
    evaluate --ood.
    """
    from zoobench.report.results import print_tasks
    from zoobench.task.pair import ELSEWHERE
    from zoobench.task.tasks import tasks_of
    from zoogen import AnySpec, find_spec, load_zoo

    if zoo is None:
        specs: list[AnySpec] = list(ZOOS.values())
    elif zoo.startswith("hub:") or (zoo not in ZOOS and Path(zoo).is_dir()):
        specs = [load_zoo(zoo, stream=True).spec]
    else:
        specs = [find_spec(zoo)]
    print_tasks({spec.name: tasks_of(spec) for spec in specs})
    for spec in specs:
        if spec.name in ELSEWHERE:
            typer.echo(f"with --ood also {spec.name} to {', '.join(ELSEWHERE[spec.name])}")


@app.command()
def embedders() -> None:
    """List the embedders that have a name."""
    from zoobench.embedders.find import embedder_names

    for name, place in embedder_names().items():
        typer.echo(f"{name:26}{place}")


@app.command()
def show(
    embedder: Annotated[
        str | None,
        typer.Argument(metavar="EMBEDDER", help="Only the results of this embedder."),
    ] = None,
    *,
    out: Root = Path("results"),
) -> None:
    """Print results that are already there.

    Example: zoobench show weight-statistics
    """
    from zoobench.embedders.provenance import pair_at_hand, zoo_at_hand
    from zoobench.evaluation.reference_rows import PROBE as REFERENCE
    from zoobench.report.elsewhere import print_elsewhere
    from zoobench.report.results import print_result
    from zoobench.results.store import find_results

    for _, result in find_results(out, embedder):
        if result.probe == REFERENCE and not embedder:
            continue
        if result.tested_on is None:
            print_result(result, out, zoo_at_hand(result.zoo))
        else:
            print_elsewhere(result, out, pair_at_hand(result.zoo, result.tested_on))


@app.command()
def plot(
    embedder: Embedder,
    *,
    zoo: Zoo = "tetris-seed",
    settings: Settings = None,
    write: Annotated[Path, typer.Option(help="The PNG file to write.")] = Path("embeddings.png"),
) -> None:
    """Draw the embeddings of a zoo, laid out by UMAP and coloured by what is known of the networks.

    The embeddings are those of evaluate and kept like them. The extras plots and
    umap must be installed.

    Example: zoobench plot weight-statistics --zoo tetris-hyp
    """
    from zoobench.report.plot import plot_embeddings

    typer.echo(plot_embeddings(embedder, parsed_settings(settings or []), zoo, write))


@app.command()
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
    write: Annotated[
        Path | None, typer.Option(help="Also write the table as Markdown to this file.")
    ] = None,
) -> None:
    """Redo a table of the paper with our zoos and embedders, its numbers beside ours.

    Tables 1, 2, 3 and 12 train one network per row, Tables 4, 5, 6 and 13 one per
    zoo. Table 7 and Figures 11 to 14 try what was learned on one zoo on others;
    with --write a figure is drawn, too, into a PNG file beside the Markdown.

    Examples: zoobench reproduce table5 --write docs/results/tetris.md, or
    zoobench reproduce fig14 --write docs/results/fig14.md
    """
    from zoobench.report.reproductions import find_reproduction
    from zoogen import write_text

    found = find_reproduction(table)
    changed = parsed_settings(settings or [])
    try:
        text = found.page(out, changed)
    except KeyboardInterrupt:
        typer.echo("stopped; finished tasks are kept, the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(text)
    if write is not None:
        write_text(write, text)
        if found.draws:
            drawn = found.draw(out, changed, write.with_suffix(".png"))
            typer.echo(drawn or "no result to draw")


def main() -> None:
    """Run the command line."""
    run_command_line(app)
