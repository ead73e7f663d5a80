"""The commands that show tasks, embedders, results and pictures."""

from pathlib import Path
from typing import Annotated

import typer

from zoobench.cli.options import (
    Embedder,
    Root,
    Settings,
    Zoo,
    complete_zoo,
    parsed_settings,
)
from zoogen import ZOOS


def tasks(
    zoo: Annotated[
        str | None,
        typer.Argument(
            metavar="ZOO",
            autocompletion=complete_zoo,
            help="Only the tasks of this zoo: registered, a folder, hub:OWNER/NAME@REVISION, or "
            "your own spec as module:attribute.",
        ),
    ] = None,
) -> None:
    """List what can be predicted, and on which zoos.

    Tasks scored by R² can also be scored on the test split of other zoos, see
    evaluate --ood.
    """
    from zoobench.report.lists import print_tasks
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


def embedders() -> None:
    """List the registered embedders."""
    from zoobench.embedders.find import embedder_names

    for name, place in embedder_names().items():
        typer.echo(f"{name:26}{place}")


def show(
    embedder: Annotated[
        str | None,
        typer.Argument(metavar="EMBEDDER", help="Only the results of this embedder."),
    ] = None,
    *,
    out: Root = Path("results"),
) -> None:
    """Print existing results.

    Example: zoobench show weight-statistics
    """
    from zoobench.embedders.provenance import pair_at_hand, zoo_at_hand
    from zoobench.evaluation.reference_rows import REFERENCE_PROBE
    from zoobench.report.elsewhere import elsewhere_table
    from zoobench.report.scores import score_table
    from zoobench.results.store import find_results

    for _, record in find_results(out, embedder):
        if record.probe == REFERENCE_PROBE and not embedder:
            continue
        if record.tested_on is None:
            table = score_table(record, out, zoo_at_hand(record.zoo))
        else:
            table = elsewhere_table(record, out, pair_at_hand(record.zoo, record.tested_on))
        typer.echo(table.to_text())


def plot(
    embedder: Embedder,
    *,
    zoo: Zoo = "tetris-seed",
    settings: Settings = None,
    write: Annotated[Path, typer.Option(help="The PNG file to write.")] = Path("embeddings.png"),
) -> None:
    """Draw the embeddings of a zoo, laid out by UMAP and coloured by properties.

    The embeddings are those of evaluate, cached with them. The extras plots and
    umap must be installed.

    Example: zoobench plot weight-statistics --zoo tetris-hyp
    """
    from zoobench.report.plot import plot_embeddings

    typer.echo(plot_embeddings(embedder, parsed_settings(settings or []), zoo, write))
