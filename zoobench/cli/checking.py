"""The commands that check: ``zoobench check`` and ``zoobench audit``."""

from dataclasses import replace
from typing import Annotated

import typer

from zoobench.cli.options import (
    Embedder,
    Settings,
    complete_network,
    complete_zoo,
    parsed_settings,
)


def check(
    embedder: Embedder,
    *,
    settings: Settings = None,
    network: Annotated[
        str | None,
        typer.Option(
            autocompletion=complete_network, help="Check only on this kind of network: mlp or cnn."
        ),
    ] = None,
) -> None:
    """Check in seconds that an embedder keeps the rules, on two small zoos.

    It must embed each snapshot on its own, to finite numbers, the same for the
    same seed, and without looking at labels. Its time and memory are measured.
    The exit status is 1 if anything fails.

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
    """Check that nothing in the test split of a zoo is also in its train split.

    No model, group or snapshot may be in two splits, not even with its hidden
    units in another order. Shared starting points are counted.

    Example: zoobench audit tetris-seed
    """
    from zoobench.checks.audit import audit
    from zoobench.checks.findings import print_findings, refuse_failures
    from zoogen import load_zoo

    found = audit(load_zoo(zoo))
    print_findings(found)
    refuse_failures(found, zoo)
