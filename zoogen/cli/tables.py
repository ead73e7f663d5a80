"""Tables that the command line prints; all fit into 80 columns."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zoogen.console import printable
from zoogen.spec.imported import AnySpec
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.card import built_facts, facts, measured_columns
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    from zoogen.hub.fetch import Fetched
    from zoogen.load.zoo import Zoo
    from zoogen.publish.zoo import Publication

SHORT = {
    "activation": "act",
    "initialiser": "init",
    "init_std": "std",
    "optimiser": "opt",
    "learning_rate": "lr",
    "weight_decay": "l2",
    "dropout": "drop",
    "train_fraction": "tf",
}


def print_zoos(built: Mapping[ZooSpec, str]) -> None:
    """Print one row per registered zoo, with the share of it that is built."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("zoo", no_wrap=True)
    table.add_column("weights", justify="right")
    table.add_column("varies", min_width=20)
    table.add_column("snapshots", justify="right", no_wrap=True)
    table.add_column("built", justify="right")
    for spec, share in built.items():
        table.add_row(
            spec.name,
            f"{spec.network.layout.params}",
            " ".join((*(SHORT[axis] for axis in spec.varied), "seed")),
            f"{spec.models} × {len(spec.stored_epochs)}",
            share,
        )
    Console().print(table)


def print_spec(spec: AnySpec) -> None:
    """Print the facts of a spec."""
    print_facts(facts(spec))


def print_facts(rows: Mapping[str, str]) -> None:
    """Print names and values in two columns."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in rows.items():
        table.add_row(escaped(name), escaped(value))
    Console(highlight=False).print(table)


def escaped(text: str) -> str:
    """Escape markup and terminal codes in a text that may come from others."""
    return escape(printable(text))


def print_zoo(zoo: "Zoo") -> None:
    """Print the facts of a zoo and the range of each measured property."""
    print_facts(built_facts(zoo.manifest) | {"folder": str(zoo.folder)})
    ranges = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    ranges.add_column("property")
    for column in ("min", "median", "max"):
        ranges.add_column(column, justify="right")
    for name in measured_columns(zoo.properties):
        values = zoo.properties[name]
        numbers = (values.min(), values.median(), values.max())
        ranges.add_row(escaped(name), *(f"{number:.3f}" for number in numbers))
    Console(highlight=False).print(ranges)


def print_publication(publication: "Publication", *, dry_run: bool) -> None:
    """Print the files that were sent, or would be, and the page of the zoo."""
    sent = publication.sent
    size = megabytes(sum(file.bytes for file in sent if file.change != "gone"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("file")
    table.add_column("MB", justify="right")
    table.add_column("change")
    for file in publication.files if dry_run else sent:
        table.add_row(escaped(file.file), megabytes(file.bytes), file.change)
    console = Console(highlight=False, soft_wrap=True)
    if table.row_count:
        Console(highlight=False).print(table)
    if dry_run:
        console.print(f"{len(sent)} of {len(publication.files)} files, {size} MB would be sent")
    else:
        console.print(f"{len(sent)} of {len(publication.files)} files, {size} MB were sent")
    tag = f", tag {publication.tag}" if publication.tag else ""
    console.print(f"{publication.page} at {publication.revision}{tag}", markup=False)


def print_fetched(fetched: "Fetched") -> None:
    """Print how many files were downloaded and which folder holds the zoo."""
    manifest = fetched.manifest
    shards, size = len(fetched.shards), len(manifest.shards)
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"{manifest.spec.name} at {fetched.commit[:12]}: {shards} of {size} shards checked, "
        f"{len(fetched.downloaded)} files downloaded"
    )
    whole = f", content {manifest.content_sha256}" if shards == size else ", a part of the zoo"
    console.print(f"in {fetched.folder}{whole}", markup=False)


def megabytes(size: int) -> str:
    """Format a number of bytes in megabytes."""
    return f"{size / 1e6:,.3f}"


def print_checks(checks: Sequence[Check]) -> None:
    """Print the checks of an imported zoo, one per row."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("check", min_width=20)
    table.add_column("outcome", no_wrap=True)
    table.add_column("found", overflow="fold")
    for check in checks:
        table.add_row(*map(escaped, (check.name, check.outcome, check.detail)))
    Console(highlight=False).print(table)
