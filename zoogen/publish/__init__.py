"""Publish a zoo on the Hugging Face Hub.

In: the folder of a built zoo and the name of a repository. Out: a verified commit with a tag.
May import: ``plots`` and below.
Private: ``staging``, ``target``.
"""
