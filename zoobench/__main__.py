"""``python -m zoobench`` is the command ``zoobench``."""

from zoobench.cli.commands import main

main()
