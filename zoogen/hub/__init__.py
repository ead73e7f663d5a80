"""Zoos read from the Hugging Face Hub, at one commit, with every hash checked.

In: ``hub:OWNER/NAME@REVISION``. Out: files in a folder, or rows streamed as they are asked for.
May import: ``store`` and below.
Private: ``download``.
"""
