"""The paper's tables and figures, made again from our zoos.

In: the results of the baselines. Out: Markdown pages and pictures, the paper's numbers beside ours.
May import: ``zoobench`` and ``zoogen``; it names the baselines and imports none.
"""
