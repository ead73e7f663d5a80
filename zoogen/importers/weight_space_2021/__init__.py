"""The zoos of Schürholt et al. 2021 as their authors published them: pickled data sets.

In: a ``.pt`` file, or a folder or archive with one. Out: a ``Foreign``, its weights unread.
May import: ``importers`` except ``zoo`` and the other formats.

Source:
    Zenodo record 5645138; code of HSG-AIML/NeurIPS_2021-Weight_Space_Learning.
"""
