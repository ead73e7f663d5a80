"""Arguments shared by several commands of ``zoogen``."""

from typing import Annotated

import typer

from zoogen.console import completed
from zoogen.spec.registry import ZOOS


def complete_zoo(incomplete: str) -> list[str]:
    """Complete the name of a registered zoo."""
    return completed(list(ZOOS), incomplete)


ZooName = Annotated[
    str,
    typer.Argument(
        metavar="ZOO",
        autocompletion=complete_zoo,
        help="A registered name (zoogen list), the folder of a built zoo, or "
        "hub:OWNER/NAME@REVISION once it is fetched.",
    ),
]
