"""The command line ``zoogen``.

In: arguments. Out: tables on standard output, progress on standard error, an exit code.
May import: every room.
Private: all but ``commands``.
"""
