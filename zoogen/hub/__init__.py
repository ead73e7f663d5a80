"""Read zoos from the Hugging Face Hub at one commit and check every hash.

In: ``hub:OWNER/NAME@REVISION``. Out: files in a folder, or rows streamed on demand.
May import: ``store`` and below.
Private: ``download``.
"""
