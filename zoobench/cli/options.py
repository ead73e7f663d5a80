"""Arguments and options of several commands, and their completion."""

from pathlib import Path
from typing import Annotated

import typer

from zoogen import ZOOS
from zoogen.console import completed


def complete_zoo(incomplete: str) -> list[str]:
    """Complete the name of a registered zoo."""
    return completed(list(ZOOS), incomplete)


def complete_embedder(incomplete: str) -> list[str]:
    """Complete the name of a registered embedder."""
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
    """Complete a kind of network to check embedders on."""
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
        metavar="EMBEDDER",
        autocompletion=complete_embedder,
        help="An embedder, named as for evaluate.",
    ),
]


def parsed_settings(pairs: list[str]) -> dict[str, str]:
    """Split ``key=value`` pairs."""
    for pair in pairs:
        if "=" not in pair:
            raise typer.BadParameter(f"{pair!r}, expected KEY=VALUE", param_hint="--set")
    return dict(pair.split("=", 1) for pair in pairs)
