"""``python -m zoogen`` is the command ``zoogen``."""

from zoogen.cli.commands import main

main()
