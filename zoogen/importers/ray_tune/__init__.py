"""Populations trained with Ray Tune, one folder per trial, such as ModelZooDataset.

In: a folder or archive of trials. Out: a ``Foreign``, its weights unread.
May import: ``importers`` except ``zoo`` and the other formats.

Source:
    Schürholt et al. 2022, arXiv:2209.14764; code of ModelZoos/ModelZooDataset.
"""
