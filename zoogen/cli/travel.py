"""The commands that exchange zoos: ``zoogen publish``, ``fetch`` and ``import``."""

import re
from pathlib import Path
from typing import Annotated

import typer

from zoogen.cli.arguments import ZooName, complete_zoo
from zoogen.console import INTERRUPTED, completed
from zoogen.errors import UnknownNameError
from zoogen.spec.split import SPLITS, Split


def publish(
    zoo: ZooName,
    repository: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="Data set on the Hub; created if missing.")
    ],
    *,
    private: Annotated[bool, typer.Option("--private", help="Publish it privately.")] = False,
    revision: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="Branch to publish to; by default main.")
    ] = None,
    create_pr: Annotated[
        bool, typer.Option("--create-pr", help="Send a pull request to an existing data set.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be sent.")
    ] = False,
) -> None:
    """Publish a zoo on the Hugging Face Hub, or finish an interrupted upload.

    The files on the Hub are checked against the manifest, then get a tag. The
    extra hub must be installed. Log in first with hf auth login, or set
    HF_TOKEN; HF_ENDPOINT selects another Hub.

    Example: zoogen publish tetris-seed me/tetris-seed --dry-run
    """
    from zoogen.cli.tables import print_publication
    from zoogen.publish.zoo import publish_zoo

    try:
        publication = publish_zoo(
            zoo,
            repository,
            private=private,
            revision=revision,
            create_pr=create_pr,
            dry_run=dry_run,
        )
    except KeyboardInterrupt:
        typer.echo("stopped; sent files are kept, the same command continues", err=True)
        raise typer.Exit(INTERRUPTED) from None
    print_publication(publication, dry_run=dry_run)


def complete_split(incomplete: str) -> list[str]:
    """Complete the name of a split."""
    return completed(list(SPLITS), incomplete)


def fetch(
    zoo: Annotated[
        str,
        typer.Argument(
            metavar="ZOO",
            autocompletion=complete_zoo,
            help="hub:OWNER/NAME or hub:OWNER/NAME@REVISION, or a registered name if ZOOGEN_HUB "
            "or the registry has its owner.",
        ),
    ],
    *,
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit; by default main.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            autocompletion=complete_split,
            help="Only shards with models of this split; most shards have some.",
        ),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            metavar="N|A-B", help="Only shards with the first N models, or models A to B."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to fetch into; by default where load_zoo looks.")
    ] = None,
) -> None:
    """Fetch a zoo from the Hugging Face Hub, or finish an interrupted fetch.

    Every file is checked against the manifest, including those that are already
    there. The extra hub must be installed. For a private data set, log in first
    with hf auth login, or set HF_TOKEN; HF_ENDPOINT selects another Hub.

    Example: zoogen fetch hub:OWNER/mnist-seed@v1 --models 100
    """
    from zoogen.cli.tables import print_fetched
    from zoogen.hub.fetch import fetch_zoo

    try:
        fetched = fetch_zoo(
            zoo,
            revision=revision,
            split=checked_split(split),
            models=parsed_models(models),
            out=out,
        )
    except KeyboardInterrupt:
        typer.echo("stopped; finished files are kept, the same command continues", err=True)
        raise typer.Exit(INTERRUPTED) from None
    print_fetched(fetched)


def checked_split(split: str | None) -> Split | None:
    """Return the split, or raise if there is none of that name."""
    if split is None or split in SPLITS:
        return split
    raise UnknownNameError("split", split, SPLITS)


def parsed_models(models: str | None) -> int | range | None:
    """Parse ``100``, the first 100 models, or ``100-199``, models 100 to 199."""
    if models is None:
        return None
    match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", models)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if match is None or last < first:
        raise typer.BadParameter(
            f"{models!r:.100}; expected a number, or a range such as 100-199",
            param_hint="--models",
        )
    return range(first, last + 1) if match[2] else first


def complete_format(incomplete: str) -> list[str]:
    """Complete the name of a format."""
    from zoogen.importers.zoo import FORMATS

    return completed(list(FORMATS), incomplete)


def import_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            autocompletion=complete_format,
            help="small-cnn-zoo, weight-space-2021 or ray-tune.",
        ),
    ],
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Folder, archive or file; it is only read.")
    ],
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="Folder for the zoo.")],
    *,
    name: Annotated[
        str | None, typer.Option(help="Name of the zoo, if the files do not give one.")
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            help="Image set, or .npz or .safetensors file, to measure accuracies on again; none: "
            "do not measure. By default the original's images, if $ZOOGEN_IMAGES or the cache has "
            "them."
        ),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the original, if the files do not give one.")
    ] = None,
) -> None:
    """Convert a zoo that others published, and check the result.

    Nothing is unpacked, and nothing in the files is run. DEST appears
    complete or not at all.

    Example: zoogen import small-cnn-zoo mnist.tar.xz mnist-hyp
    """
    from zoogen.cli.tables import print_checks
    from zoogen.importers.checks import FailedChecksError
    from zoogen.importers.zoo import import_zoo

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
