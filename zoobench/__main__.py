"""Run the command ``zoobench`` as ``python -m zoobench``."""

from zoobench.cli.commands import main

main()
