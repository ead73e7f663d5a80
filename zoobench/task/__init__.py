"""Tasks, their targets and metrics, within a zoo and across two.

In: the spec and the table of a zoo. Out: tasks, the column each predicts, and its metric.
May import: the modules beside the rooms.
"""
