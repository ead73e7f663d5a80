"""The command line ``zoogen``: list, show, build, verify, plot, publish, fetch, import."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from zoogen.cli.arguments import ZooName, complete_zoo
from zoogen.cli.travel import fetch, import_, publish
from zoogen.console import INTERRUPTED, run_command_line
from zoogen.errors import ZooError
from zoogen.places import zoo_folder
from zoogen.spec.registry import ZOOS, find_spec

app = typer.Typer(
    name="zoogen",
    help="Train, keep and check populations of neural networks.\n\n"
    "Start with: zoogen list, then: zoogen build tetris-seed",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.command("list")
def list_zoos() -> None:
    """List the registered zoos and how much of each is built here."""
    from zoogen.cli.tables import print_zoos

    print_zoos({spec: share_built(zoo_folder(name)) for name, spec in ZOOS.items()})


def share_built(folder: Path) -> str:
    """Return the share of a zoo that is built, or ``damaged`` if its manifest is."""
    from zoogen.load.locate import is_built
    from zoogen.store.manifest import read_manifest

    if not is_built(folder):
        return "–"
    try:
        manifest = read_manifest(folder)
    except ZooError:
        return "damaged"
    return f"{manifest.models_built / manifest.models_planned:.0%}"


@app.command()
def show(zoo: ZooName) -> None:
    """Show the spec of a zoo and, once it is built, the range of everything measured.

    Example: zoogen show tetris-seed
    """
    from zoogen.cli.tables import print_spec, print_zoo
    from zoogen.load.locate import find_folder, is_built
    from zoogen.load.open import load_zoo

    folder = find_folder(zoo)
    if zoo in ZOOS and not is_built(folder):
        print_spec(ZOOS[zoo])
        typer.echo(f"not built in {folder}; run: zoogen build {zoo}")
    else:
        print_zoo(load_zoo(folder))


@app.command()
def build(
    zoo: Annotated[
        str,
        typer.Argument(
            metavar="ZOO",
            autocompletion=complete_zoo,
            help="A registered name (zoogen list), or your own spec as module:attribute.",
        ),
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder to build in; by default where load_zoo looks.")
    ] = None,
    models: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many models; add more later.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Another number of epochs: another zoo, so give --out."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the public image sets (MNIST/raw, cifar-10-batches-py, …), by "
            "default $ZOOGEN_IMAGES or a cache of downloads; or a .npz or .safetensors file of "
            "your own images, which makes another zoo, so give --out.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Device to train on: cpu, cuda, cuda:1; by default the CPU, or a cluster's GPUs."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes side by side; by default one per core."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Train on a Ray cluster (extra cluster): auto, local, HOST:PORT, ray://HOST:PORT.",
        ),
    ] = None,
    tf32: Annotated[
        bool, typer.Option("--tf32", help="Let a GPU round factors to ten bits: faster.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another or a damaged zoo in the folder.")
    ] = False,
) -> None:
    """Train a zoo, or finish an interrupted build.

    Ctrl-C loses only unfinished shards; the same command continues. A finished
    zoo stays as it is.

    Examples: zoogen build tetris-seed, or only a few models: zoogen build
    tetris-seed --models 50
    """
    from zoogen.build.zoo import build_zoo
    from zoogen.images.own import OWN_FORMATS

    spec = find_spec(zoo)
    asked = spec
    if images is not None and images.suffix in OWN_FORMATS:
        asked = replace(asked, images=str(images))
    if epochs is not None:
        asked = asked.with_epochs(epochs)
    if asked != spec and out is None:
        raise typer.BadParameter(
            f"{spec.name} has {spec.epochs} epochs of {spec.images}; with others it is another "
            "zoo: give its folder with --out",
            param_hint="--epochs" if asked.epochs != spec.epochs else "--images",
        )
    folder = out or zoo_folder(spec.name)
    try:
        manifest = build_zoo(
            asked,
            folder,
            models=models,
            image_root=images if asked.images == spec.images else None,
            device=device,
            workers=workers,
            cluster=cluster,
            tf32=tf32,
            overwrite=overwrite,
        )
    except KeyboardInterrupt:
        typer.echo("stopped; finished shards are kept, the same command continues", err=True)
        raise typer.Exit(INTERRUPTED) from None
    failed = f", {len(manifest.failures)} failed" if manifest.failures else ""
    typer.echo(
        f"{spec.name}: {manifest.models_built} of {manifest.models_planned} models, "
        f"{manifest.table.rows} snapshots{failed} in {folder}"
    )


@app.command()
def verify(zoo: ZooName) -> None:
    """Check every file of a zoo against the hashes in its manifest.

    The manifest itself is compared with the table and with its own spec.

    Example: zoogen verify tetris-seed
    """
    from zoogen.load.locate import find_folder
    from zoogen.load.open import load_zoo
    from zoogen.progress import progress_bar
    from zoogen.store.agreement import check_agreement
    from zoogen.store.manifest import read_manifest, verify_files

    folder = find_folder(zoo)
    manifest = read_manifest(folder)
    files = 1 + len(manifest.shards)
    with progress_bar("verify", things="files", total=files, unit="files") as report:
        for _ in verify_files(folder, manifest):
            report(1)
    check_agreement(folder, manifest, load_zoo(folder).properties)
    typer.echo(f"{manifest.spec.name}: {files} files are intact, content {manifest.content_sha256}")


@app.command()
def plot(
    zoo: ZooName,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Another folder to write to; the zoo stays as it is.")
    ] = None,
) -> None:
    """Draw a zoo: accuracy by epoch and by mean weight, and UMAP of the weights.

    The plots go to the zoo's folder plots, and its README.md shows them. The
    extras plots and umap must be installed.

    Example: zoogen plot tetris-seed
    """
    from zoogen.load.open import load_zoo
    from zoogen.plots.zoo import plot_zoo

    for path in plot_zoo(load_zoo(zoo), out):
        typer.echo(path)


TRAVEL = "Exchange zoos"
app.command(rich_help_panel=TRAVEL)(publish)
app.command(rich_help_panel=TRAVEL)(fetch)
app.command("import", rich_help_panel=TRAVEL)(import_)


def main() -> None:
    """Run the command line."""
    run_command_line(app)
