"""The command ``zoogen import``."""

from pathlib import Path
from typing import Annotated

import typer

from zoogen.console import INTERRUPTED, completed
from zoogen.importers import FORMATS, import_zoo
from zoogen.importers.checks import FailedChecksError
from zoogen.tables import print_checks


def complete_format(incomplete: str) -> list[str]:
    """Complete the name of a format."""
    return completed(list(FORMATS), incomplete)


def import_command(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT", autocompletion=complete_format, help=f"{', '.join(FORMATS)}."
        ),
    ],
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Folder, archive or file; it is only read.")
    ],
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="Folder the zoo is to be in.")],
    *,
    name: Annotated[
        str | None, typer.Option(help="Name of the zoo, where the files do not say it.")
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            help="Measure accuracies again on this image set, or .npz or .safetensors file; none: "
            "do not. By default on what the original used, if $ZOOGEN_IMAGES or the cache has it."
        ),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the original, where the format has none.")
    ] = None,
) -> None:
    """Turn a zoo that others published into one of ours, and prove it right.

    Nothing is unpacked, and nothing in the files is run. DEST appears whole or not at all.

    Example: zoogen import small-cnn-zoo mnist.tar.xz mnist-hyp
    """
    try:
        manifest = import_zoo(kind, source, dest, name=name, images=images, licence=licence)
    except FailedChecksError as error:
        print_checks(error.checks)
        raise
    except KeyboardInterrupt:
        typer.echo("stopped; nothing of the import is kept", err=True)
        raise typer.Exit(INTERRUPTED) from None
    print_checks(manifest.checks)
    typer.echo(
        f"{manifest.spec.name}: {manifest.models_built} of {manifest.models_planned} models, "
        f"{manifest.table.rows} snapshots in {dest}"
    )
