"""A zoo uploaded to the Hugging Face Hub.

In: the folder of a built zoo and the name of a repository. Out: a tagged commit, read back.
May import: ``plots`` and below.
Private: ``staging``, ``target``.
"""
