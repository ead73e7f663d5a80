"""The paper's tables and figures, reproduced with our zoos.

In: results of the baselines. Out: Markdown pages and pictures, the paper's numbers beside ours.
May import: ``zoobench`` and ``zoogen``; it names the baselines and imports none.
"""
