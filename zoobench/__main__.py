"""``python -m zoobench`` is the command ``zoobench``."""

from zoobench.cli import main

main()
