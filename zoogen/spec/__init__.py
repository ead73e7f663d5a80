"""What a zoo is, as frozen values.

In: names, axes and seeds that a user writes. Out: a ``ZooSpec``, its models, their split.
May import: the modules beside the rooms.
Private: ``faults``.
"""
