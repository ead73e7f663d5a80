"""What a zoo is, as frozen values.

In: names, axes and seeds. Out: a ``ZooSpec``, its models and their splits.
May import: the modules beside the rooms.
Private: ``faults``.
"""
