"""``python -m zoogen`` is the command ``zoogen``."""

from zoogen.cli import main

main()
