"""The Small CNN Zoo of Unterthiner et al. 2020: one array of weights, one table, one layout.

In: a folder or archive of one of the four data sets. Out: a ``Foreign``, its weights unread.
May import: ``importers`` except ``zoo`` and the other formats.

Source:
    Unterthiner et al. 2020, arXiv:2002.11448; files of google-research/dnn_predict_accuracy.
"""
